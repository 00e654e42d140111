# What `cmake --install` puts where, and the archive and the Debian package that `cpack` makes of it.
include(GNUInstallDirs)
set(packaging ${CMAKE_CURRENT_LIST_DIR})

install(TARGETS rsprof)
install(FILES ${packaging}/rsprof.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${packaging}/completions/rsprof.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME rsprof)
install(FILES ${packaging}/completions/_rsprof DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${packaging}/completions/rsprof.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# Neovim finds it there by itself, and loads nothing of it before :Rsprof.
install(DIRECTORY editors/nvim/doc editors/nvim/lua editors/nvim/plugin
        DESTINATION ${CMAKE_INSTALL_DATADIR}/nvim/site/pack/rsprof/start/rsprof)
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR TGZ DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "the rsprof authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "CPU and live heap of a running Rust process, line by line")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Attaches to a Rust process that is already running, without restart, rebuild or instrumentation,
 and shows for each line of its source how much CPU it costs and how much heap it holds: in Neovim, VS Code
 or any editor that speaks LSP, in a terminal, or as JSON.")
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "neovim, libcap2-bin")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
include(CPack)
