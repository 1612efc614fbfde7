# SPDX-License-Identifier: MIT
# Headers, both libraries, the CMake package, two pkg-config files, license and documentation.

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/isthmus)
install(TARGETS isthmus isthmus_static EXPORT isthmus-targets)
install(DIRECTORY include/isthmus TYPE INCLUDE)
install(EXPORT isthmus-targets NAMESPACE isthmus:: DESTINATION ${package_dir})
configure_package_config_file(cmake/isthmus-config.cmake.in isthmus-config.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(isthmus-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/isthmus-config.cmake ${PROJECT_BINARY_DIR}/isthmus-config-version.cmake
        DESTINATION ${package_dir})

# isthmus.pc is for the shared library, isthmus-static.pc for the static one: that needs ISTHMUS_STATIC defined, which
# `pkg-config --static` cannot say. Where the directories are relative, what is installed can be moved as a whole.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
    set(pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /prefix)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(pc_prefix "\${pcfiledir}/${up}")
    set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(pc_static_name ${CMAKE_STATIC_LIBRARY_PREFIX}${ISTHMUS_STATIC_NAME}${CMAKE_STATIC_LIBRARY_SUFFIX})
set(pc_private_libs "${CMAKE_THREAD_LIBS_INIT}")
if(WIN32)
    set(pc_private_libs "-ladvapi32")
endif()
configure_file(cmake/isthmus.pc.in isthmus.pc @ONLY)
configure_file(cmake/isthmus-static.pc.in isthmus-static.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/isthmus.pc ${PROJECT_BINARY_DIR}/isthmus-static.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES LICENSE README.md CHANGELOG.md SECURITY.md TYPE DOC OPTIONAL)
install(DIRECTORY docs/ TYPE DOC OPTIONAL)
