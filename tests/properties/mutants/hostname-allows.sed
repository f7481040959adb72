# compile_entries.cpp: a rule with nothing but a hostname matches packets
s/if (selects_packets(group.rules\[rule\].match))/if (true)/
