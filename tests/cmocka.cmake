# SPDX-License-Identifier: MIT
# Gives the target isthmus_cmocka, wherever cmocka came from: cmake/cmocka/build (ISTHMUS_CMOCKA_DIR), a package that
# brings a target (vcpkg, Homebrew), or one that brings only variables (Debian 12).

add_library(isthmus_cmocka INTERFACE)
if(ISTHMUS_CMOCKA_DIR)
    find_path(ISTHMUS_CMOCKA_INCLUDE cmocka.h PATHS ${ISTHMUS_CMOCKA_DIR}/include REQUIRED NO_DEFAULT_PATH
              NO_CMAKE_FIND_ROOT_PATH)
    find_library(ISTHMUS_CMOCKA_LIBRARY NAMES libcmocka.a libcmocka-static.a cmocka-static cmocka REQUIRED
                 PATHS ${ISTHMUS_CMOCKA_DIR}/lib ${ISTHMUS_CMOCKA_DIR} NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
    target_include_directories(isthmus_cmocka SYSTEM INTERFACE ${ISTHMUS_CMOCKA_INCLUDE})
    target_link_libraries(isthmus_cmocka INTERFACE ${ISTHMUS_CMOCKA_LIBRARY})
else()
    find_package(cmocka CONFIG REQUIRED)
    if(TARGET cmocka::cmocka)
        target_link_libraries(isthmus_cmocka INTERFACE cmocka::cmocka)
    else()
        target_include_directories(isthmus_cmocka SYSTEM INTERFACE ${CMOCKA_INCLUDE_DIR})
        target_link_libraries(isthmus_cmocka INTERFACE ${CMOCKA_LIBRARIES})
    endif()
endif()
