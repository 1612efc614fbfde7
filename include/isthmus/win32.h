/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * For programs that meet Win32 code: the native handle behind an object. Needs no <windows.h>: a HANDLE is a void *.
 */
#ifndef ISTHMUS_WIN32_H
#define ISTHMUS_WIN32_H

#include <isthmus/export.h>
#include <isthmus/mailslot.h>
#include <isthmus/mapping.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/**
 * Gives the HANDLE of the section behind a mapping.
 * Shape:    mapping is an open handle; NULL gives NULL.
 * Owns:     the mapping's: valid until ist_mapping_close(), not to be closed by the caller.
 * Errors:   NULL on systems without such a handle.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows; NULL elsewhere.
 * Source:   Win32 CreateFileMappingW.                                                                    Since: 0.1
 */
IST_API void *ist_win32_mapping_handle(const ist_mapping *mapping);

/**
 * Gives the HANDLE of the mutex, semaphore, event or timer behind a waitable.
 * Shape:    item of an open handle; NULL gives NULL.
 * Owns:     the item's: valid until its handle is closed, not to be closed by the caller.
 * Errors:   NULL on systems without such a handle.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows; NULL elsewhere.
 * Source:   Win32 CreateMutexW and its like.                                                             Since: 0.2
 */
IST_API void *ist_win32_waitable_handle(const ist_waitable *item);

/**
 * Gives the HANDLE of a mailslot: to read from, or of a writer's to write to. That of a pipe is ist_pipe_native().
 * Shape:    NULL gives NULL.
 * Owns:     the slot's: valid until ist_mailslot_close(), not to be closed by the caller.
 * Errors:   NULL on systems without such a handle.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows, opened for overlapped I/O; NULL elsewhere.
 * Source:   Win32 CreateMailslotW, CreateFileW.                                                          Since: 0.3
 */
IST_API void *ist_win32_mailslot_handle(const ist_mailslot *slot);

/**
 * Makes any HANDLE that can be waited for - a process, a thread, a mutex of another library - part of our waits.
 * Shape:    handle with the right to be waited for.
 * Owns:     on IST_OK *out is yours until ist_win32_waitable_unwrap(); the library has duplicated the handle, which
 *           stays the caller's. Otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_ACCESS (no right to wait), IST_E_MEMORY, IST_E_UNSUPPORTED (not Windows), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.2
 */
IST_API ist_status ist_win32_waitable_wrap(ist_waitable **out, void *handle);

/**
 * Lets go of a wrapped HANDLE.
 * Shape:    item as ist_win32_waitable_wrap() gave it; NULL does nothing.
 * Owns:     the waitable is gone.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows.
 * Source:   Win32 CloseHandle.                                                                           Since: 0.2
 */
IST_API void ist_win32_waitable_unwrap(ist_waitable *item);

IST_END_DECLS

#endif
