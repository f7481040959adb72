# compile_entries.cpp: a port constraint does not keep ICMP out
/if (!holds_port_0)$/,/return;/d
