# intervals.cpp: an interval inside another cuts it short
s/out.back().last = std::max(out.back().last, next.last);/out.back().last = next.last;/
