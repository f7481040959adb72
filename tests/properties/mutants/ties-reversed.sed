# compile_entries.cpp: equal priorities lose document order
s/return items\[a\].priority < items\[b\].priority;/return items[a].priority < items[b].priority || (items[a].priority == items[b].priority \&\& a > b);/
