/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Handles of other libraries and of other sorts - a process, a thread - as something to wait for.
 */
#include "win32/error.h"
#include "win32/object.h"

/* Whether the kernel waits for such a thing, found out without taking anything: a wait for all, of it and of what is
   never signalled. */
static ist_status handle_try(HANDLE handle, plat_error *error)
{
    HANDLE both[2] = {handle, CreateEventW(NULL, TRUE, FALSE, NULL)};
    ist_status status = IST_OK;

    if (both[1] == NULL)
        return win32_error_take(error, "CreateEventW", WIN32_STEP_HANDLE);
    if (WaitForMultipleObjects(2, both, TRUE, 0) == WAIT_FAILED)
        status = win32_error_take(error, "WaitForMultipleObjects", WIN32_STEP_WAIT);
    (void)CloseHandle(both[1]);
    return status;
}

/* What stands for the calling process or thread becomes a handle of it. */
static ist_status handle_copy(HANDLE handle, HANDLE *out, plat_error *error)
{
    HANDLE self = GetCurrentProcess();
    ist_status status = IST_OK;

    *out = NULL;
    if (!DuplicateHandle(self, handle, self, out, SYNCHRONIZE, FALSE, 0))
        return win32_error_take(error, "DuplicateHandle", WIN32_STEP_WAIT);
    status = handle_try(*out, error);
    if (status != IST_OK)
        (void)CloseHandle(*out);
    return status;
}

ist_status plat_object_wrap(void *native, plat_object **out, plat_error *error)
{
    plat_object *object = NULL;
    ist_status status = win32_object_take(PLAT_FOREIGN, IST_READ, &object, error);

    if (status != IST_OK)
        return status;
    object->rights = SYNCHRONIZE;
    return win32_object_settle(handle_copy(native, &object->handle, error), object, out);
}
