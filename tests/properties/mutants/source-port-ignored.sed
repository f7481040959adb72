# entries.h: an entry that still asks for the source port counts as certain
s/while (field < set.size())/while (field + 1 < set.size())/
