# compile.cpp: an interval ends one value early
s/events.push_back({interval.last + 1, start/events.push_back({interval.last, start/
