# compile.cpp: audit rules behind the deciding entry are forgotten
s/const bool is_wanted = !decided || .*/const bool is_wanted = !decided;/
