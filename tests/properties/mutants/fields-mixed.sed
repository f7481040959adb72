# compile.cpp: a list compiled for one field is reused for another
s/done_\[field\]/done_[0]/
