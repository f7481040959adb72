# intervals.cpp: the source after the last internal one is lost
s/next = std::uint64_t{interval.last} + 1;/next = std::uint64_t{interval.last} + 2;/
