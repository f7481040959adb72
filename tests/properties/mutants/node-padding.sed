# compile_diagram.cpp: unused slots of a node repeat its first slice
s/const Slice &slice = slices\[std::min(i, count - 1)\];/const Slice \&slice = slices[i < count ? i : 0];/
