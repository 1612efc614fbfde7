/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * From the system's codes to statuses, and what is kept of them for ist_error_detail().
 */
#ifndef ISTHMUS_WIN32_ERROR_H
#define ISTHMUS_WIN32_ERROR_H

#include "core/plat.h"
#include "win32/native.h"

/* What was being done: some codes mean one thing when a name is looked up and another when memory is mapped. */
typedef enum win32_step {
    WIN32_STEP_OPEN = 0x1,   /* an object by its name */
    WIN32_STEP_CREATE = 0x2, /* an object, and what stands behind it */
    WIN32_STEP_FILE = 0x4,   /* a file by its path */
    WIN32_STEP_VIEW = 0x8,   /* address space */
    WIN32_STEP_COMMIT = 0x10,
    WIN32_STEP_HANDLE = 0x20,  /* anything with a handle that is open already */
    WIN32_STEP_PROCESS = 0x40, /* another process by its id */
    WIN32_STEP_WAIT = 0x80     /* a wait, or what is to be waited for */
} win32_step;

/* Reads GetLastError() into *error and tells the status. The first thing after the call that failed; `call` is a
   literal, the name of that call. */
ist_status win32_error_take(plat_error *error, const char *call, win32_step step);

/* The same for a code that was read already. */
ist_status win32_error_put(plat_error *error, const char *call, win32_step step, DWORD code);

/* Records that the backend itself refused; `check` is a literal that names what did not hold. Returns status. */
ist_status win32_error_refuse(plat_error *error, ist_status status, const char *check);

#endif
