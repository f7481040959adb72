# One page of docs/reference as a manual page: cmake -DPAGE=policy.md -DNAME=neuwerkctl-policy -DOUT=… -P man_page.cmake
file(READ "${PAGE}" text)
string(REGEX REPLACE "^# [^\n]*\n+" "" text "${text}")
string(REGEX MATCH "^[^\n]*[.?]" purpose "${text}")
string(REGEX REPLACE "[.?] .*|[.?]$" "" purpose "${purpose}")
string(REGEX REPLACE "`" "" purpose "${purpose}")
string(REGEX REPLACE "\\[([^]]+)\\]\\([^)]*\\)" "\\1" text "${text}") # a terminal follows no links
string(REGEX REPLACE "\n## " "\n# " text "${text}")
string(TOUPPER "${NAME}" title)
file(WRITE "${OUT}.md" "% ${title} 1\n\n# NAME\n\n${NAME} - ${purpose}\n\n# DESCRIPTION\n\n${text}")
execute_process(COMMAND go-md2man -in "${OUT}.md" -out "${OUT}" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE "${OUT}.md")
