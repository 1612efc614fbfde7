/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 */
#include "win32/sign.h"

#include "win32/access.h"

HANDLE win32_sign_make(const WCHAR *name)
{
    const win32_rights rights = {EVENT_ALL_ACCESS, 0, 0, false};
    plat_error unused;
    win32_guard guard;
    HANDLE made = NULL;

    if (win32_guard_named(&guard, &rights, IST_AUDIENCE_OWNER, &unused) != IST_OK)
        return NULL;
    made = CreateEventW(&guard.attributes, TRUE, FALSE, name);
    /* One of ours that was taken down, at which somebody still looks, is put up again. */
    if (made != NULL && GetLastError() == ERROR_ALREADY_EXISTS && win32_owner_check(made, &unused) != IST_OK) {
        (void)CloseHandle(made);
        made = NULL;
    }
    if (made != NULL)
        (void)ResetEvent(made);
    return made;
}

void win32_sign_end(HANDLE sign)
{
    (void)SetEvent(sign);
    (void)CloseHandle(sign);
}

bool win32_sign_is_there(const WCHAR *name)
{
    HANDLE event = OpenEventW(SYNCHRONIZE | READ_CONTROL, FALSE, name);
    plat_error unused;
    bool ours = false;

    if (event == NULL)
        return false;
    ours = WaitForSingleObject(event, 0) == WAIT_TIMEOUT && win32_owner_check(event, &unused) == IST_OK;
    (void)CloseHandle(event);
    return ours;
}
