# compile_entries.cpp: default_action ignores the mode of its group
s/decide(\*group.default_action, group.mode,/decide(*group.default_action, model::Mode::enforce,/
