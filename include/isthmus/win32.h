/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * For programs that meet Win32 code: the native handle behind an object. Needs no <windows.h>: a HANDLE is a void *.
 */
#ifndef ISTHMUS_WIN32_H
#define ISTHMUS_WIN32_H

#include <isthmus/export.h>
#include <isthmus/mapping.h>

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

IST_END_DECLS

#endif
