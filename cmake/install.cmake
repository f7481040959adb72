# What `cmake --install` puts where: programs, units, manual pages, completions, a sample configuration.
include(GNUInstallDirs)
find_program(GO_MD2MAN go-md2man REQUIRED)

install(TARGETS neuwerkd neuwerk-dataplane RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS neuwerkctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# The units name the programs by their paths.
set(packaging ${CMAKE_SOURCE_DIR}/userspace/packaging)
file(GLOB units RELATIVE ${packaging} CONFIGURE_DEPENDS ${packaging}/*.service ${packaging}/*.target)
foreach(unit ${units})
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${packaging}/${unit})
	file(READ ${packaging}/${unit} text)
	string(REPLACE "/usr/sbin/" "${CMAKE_INSTALL_FULL_SBINDIR}/" text "${text}")
	file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/packaging/${unit} CONTENT "${text}" @ONLY)
	install(FILES ${CMAKE_BINARY_DIR}/packaging/${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES ${packaging}/config.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Manual pages, from the reference: neuwerkctl(1) and one for each noun.
file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/reference/cli/*.md)
set(man_pages)
foreach(page ${CMAKE_SOURCE_DIR}/docs/reference/cli.md ${pages})
	get_filename_component(noun ${page} NAME_WE)
	set(name neuwerkctl-${noun})
	if(noun STREQUAL "cli")
		set(name neuwerkctl)
	endif()
	set(out ${CMAKE_BINARY_DIR}/man/${name}.1)
	add_custom_command(
		OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -DPAGE=${page} -DNAME=${name} -DOUT=${out} -P ${CMAKE_SOURCE_DIR}/cmake/man_page.cmake
		DEPENDS ${page} ${CMAKE_SOURCE_DIR}/cmake/man_page.cmake
		COMMENT "man ${name}")
	list(APPEND man_pages ${out})
endforeach()
add_custom_target(man ALL DEPENDS ${man_pages})
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# Completions, from the program itself.
set(completions)
foreach(shell bash zsh fish)
	set(out ${CMAKE_BINARY_DIR}/completions/neuwerkctl.${shell})
	add_custom_command(
		OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/completions
		COMMAND neuwerkctl completion ${shell} > ${out}
		DEPENDS neuwerkctl
		COMMENT "completion ${shell}")
	list(APPEND completions ${out})
endforeach()
add_custom_target(completions ALL DEPENDS ${completions})
install(FILES ${CMAKE_BINARY_DIR}/completions/neuwerkctl.bash
	DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME neuwerkctl)
install(FILES ${CMAKE_BINARY_DIR}/completions/neuwerkctl.zsh
	DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _neuwerkctl)
install(FILES ${CMAKE_BINARY_DIR}/completions/neuwerkctl.fish
	DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
