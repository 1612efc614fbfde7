# SPDX-License-Identifier: MIT
# What every target of ours is compiled with, and what the backend needs; nothing of it reaches a consumer.

if(WIN32)
    set(ISTHMUS_BACKEND_DEFINITIONS "")
    set(ISTHMUS_BACKEND_LIBRARIES advapi32)
else()
    set(ISTHMUS_BACKEND_DEFINITIONS _FILE_OFFSET_BITS=64)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
        list(APPEND ISTHMUS_BACKEND_DEFINITIONS _GNU_SOURCE)
    elseif(APPLE)
        list(APPEND ISTHMUS_BACKEND_DEFINITIONS _DARWIN_C_SOURCE)
    endif()
    if(ISTHMUS_POSIX_FLOCK)
        list(APPEND ISTHMUS_BACKEND_DEFINITIONS ISTHMUS_POSIX_FLOCK=1)
    endif()
    if(ISTHMUS_POSIX_POLL)
        list(APPEND ISTHMUS_BACKEND_DEFINITIONS ISTHMUS_POSIX_POLL=1)
    endif()
    set(ISTHMUS_BACKEND_LIBRARIES Threads::Threads)
endif()

# With MSVC the import library of the shared one is isthmus.lib already.
set(ISTHMUS_STATIC_NAME isthmus)
if(WIN32 AND NOT MINGW)
    set(ISTHMUS_STATIC_NAME isthmus_static)
endif()

function(isthmus_private_options target)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                                               C_VISIBILITY_PRESET hidden)
    if(MSVC)
        target_compile_options(${target} PRIVATE /W4 /wd4204 /wd4221 /utf-8 $<$<BOOL:${ISTHMUS_WERROR}>:/WX>)
        target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS)
    else()
        target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
                                                 -Wmissing-prototypes -Wvla $<$<BOOL:${ISTHMUS_WERROR}>:-Werror>)
    endif()
endfunction()
