# SPDX-License-Identifier: MIT
# Every source of the library. `./dev lint` says which file is not listed.

set(ISTHMUS_CORE_SOURCES
    src/core/detail.c
    src/core/event.c
    src/core/mapping.c
    src/core/mutex.c
    src/core/name.c
    src/core/object.c
    src/core/options.c
    src/core/semaphore.c
    src/core/status.c
    src/core/text.c
    src/core/timer.c
    src/core/traits.c
    src/core/utf.c
    src/core/wait.c)

set(posix_sources
    src/posix/access.c
    src/posix/claim.c
    src/posix/claim_table.c
    src/posix/clock.c
    src/posix/descriptor.c
    src/posix/error.c
    src/posix/event.c
    src/posix/file.c
    src/posix/gate.c
    src/posix/join.c
    src/posix/life.c
    src/posix/life_ask.c
    src/posix/life_slot.c
    src/posix/lock.c
    src/posix/mapping.c
    src/posix/memory.c
    src/posix/mutex.c
    src/posix/name.c
    src/posix/object.c
    src/posix/process.c
    src/posix/publish.c
    src/posix/reap.c
    src/posix/registry.c
    src/posix/scope.c
    src/posix/segment.c
    src/posix/semaphore.c
    src/posix/sha256.c
    src/posix/state.c
    src/posix/sweep.c
    src/posix/take.c
    src/posix/ticket.c
    src/posix/timer.c
    src/posix/traits.c
    src/posix/view.c
    src/posix/wait.c
    src/posix/word_darwin.c
    src/posix/word_freebsd.c
    src/posix/word_linux.c
    src/posix/word_poll.c
    src/posix/words.c)

set(win32_sources
    src/win32/access.c
    src/win32/clock.c
    src/win32/error.c
    src/win32/event.c
    src/win32/file.c
    src/win32/foreign.c
    src/win32/mapping.c
    src/win32/memory.c
    src/win32/mutex.c
    src/win32/name.c
    src/win32/native.c
    src/win32/object.c
    src/win32/process.c
    src/win32/registry.c
    src/win32/semaphore.c
    src/win32/ticket.c
    src/win32/timer.c
    src/win32/traits.c
    src/win32/view.c
    src/win32/wait.c)

if(WIN32)
    set(ISTHMUS_BACKEND_SOURCES ${win32_sources})
else()
    set(ISTHMUS_BACKEND_SOURCES ${posix_sources})
endif()
list(TRANSFORM ISTHMUS_CORE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
list(TRANSFORM ISTHMUS_BACKEND_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
