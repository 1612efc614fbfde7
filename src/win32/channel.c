/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An event of our own stands for a pipe or mailslot in waits: the handle itself is signalled by any call that ends. It
 * belongs to the object and stays when the end is closed, so that a blocked wait goes on.
 *
 * The system takes a pending call back when the thread that made it ends. Whoever waits is woken by that, and makes a
 * new one.
 */
#include "win32/channel.h"

#include <string.h>
#include <wchar.h>

#include "win32/error.h"
#include "win32/overlapped.h"

void win32_channel_name_widen(const WCHAR *prefix, const plat_channel_name *name, WCHAR out[WIN32_CHANNEL_NAME_UNITS])
{
    size_t start = wcslen(prefix);
    int room = (int)(WIN32_CHANNEL_NAME_UNITS - start - 1);
    int units = 0;

    memcpy(out, prefix, start * sizeof(WCHAR));
    units = MultiByteToWideChar(CP_UTF8, 0, name->text, (int)name->length, out + start, room);
    out[start + (size_t)units] = L'\0';
}

ist_status win32_channel_begin(plat_object *object, const win32_channel_face *face, plat_error *error)
{
    InitializeSRWLock(&object->lock);
    object->holds = 1;
    object->access = IST_READ;
    object->rights = SYNCHRONIZE;
    object->face = face;
    object->handle = CreateEventW(NULL, TRUE, FALSE, NULL);
    return object->handle != NULL ? IST_OK : win32_error_take(error, "CreateEventW", WIN32_STEP_HANDLE);
}

OVERLAPPED *win32_watch_begin(win32_watch *watch, plat_object *object)
{
    (void)ResetEvent(object->handle);
    win32_overlapped_clear(&watch->overlapped, object->handle);
    return &watch->overlapped;
}

void win32_watch_begun(win32_watch *watch, plat_object *object, DWORD code)
{
    watch->pending = code == ERROR_IO_PENDING;
    if (!watch->pending)
        (void)SetEvent(object->handle);
}

static DWORD watch_answer(win32_watch *watch, HANDLE handle, DWORD *bytes)
{
    DWORD code = GetOverlappedResult(handle, &watch->overlapped, bytes, FALSE) ? ERROR_SUCCESS : GetLastError();

    return code == ERROR_IO_INCOMPLETE ? ERROR_IO_PENDING : code;
}

/* The system says how a call ended and sets the event later: that may be after the event was reset for the next call.
   An event that is set while nothing is over would keep sleepers busy. */
DWORD win32_watch_settle(win32_watch *watch, plat_object *object, HANDLE handle, DWORD *bytes)
{
    DWORD code = ERROR_SUCCESS;

    *bytes = 0;
    code = watch_answer(watch, handle, bytes);
    if (code == ERROR_IO_PENDING) {
        (void)ResetEvent(object->handle);
        code = watch_answer(watch, handle, bytes);
        if (code != ERROR_IO_PENDING)
            (void)SetEvent(object->handle);
    }
    watch->pending = code == ERROR_IO_PENDING;
    return code;
}

DWORD win32_watch_stop(win32_watch *watch, plat_object *object, HANDLE handle, DWORD *bytes)
{
    win32_overlapped_stop(&watch->overlapped, handle, object->handle);
    return win32_watch_settle(watch, object, handle, bytes);
}
