/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What pipes and mailslots have in common: their names, the object that a wait sleeps on, and the one overlapped call
 * that an end itself keeps pending so that the system signals the object.
 */
#ifndef ISTHMUS_WIN32_CHANNEL_H
#define ISTHMUS_WIN32_CHANNEL_H

#include "core/plat.h"
#include "win32/native.h"
#include "win32/object.h"

/* The longer prefix, the longest text (a byte gives one unit at most), the terminator. */
#define WIN32_CHANNEL_NAME_UNITS (13 + 247 + 1)

/* prefix is `\\.\pipe\` or `\\.\mailslot\`. */
void win32_channel_name_widen(const WCHAR *prefix, const plat_channel_name *name, WCHAR out[WIN32_CHANNEL_NAME_UNITS]);

/* Makes the object in zeroed memory, as the first member of what win32_object_let_go() gives back. Its handle is an
   event: set while a read would not block as far as anybody has looked, and when the watch is over. */
ist_status win32_channel_begin(plat_object *object, const win32_channel_face *face, plat_error *error);

/* The call that is kept pending. Whoever touches it has the end's gate. */
typedef struct win32_watch {
    OVERLAPPED overlapped;
    bool pending; /* given to the system, and the answer not yet taken */
} win32_watch;

/* What to give the overlapped call. The object's event is not signalled from here on until the call is over. */
OVERLAPPED *win32_watch_begin(win32_watch *watch, plat_object *object);

/* The call answered with this code. One that is not pending leaves the event set: who looked before and has not gone to
   sleep yet has nothing else to wake him. */
void win32_watch_begun(win32_watch *watch, plat_object *object, DWORD code);

/* Takes the answer: ERROR_IO_PENDING while there is none, and what the call ended with after it. */
DWORD win32_watch_settle(win32_watch *watch, plat_object *object, HANDLE handle, DWORD *bytes);

/* Takes the call back, and the answer if it was faster: ERROR_OPERATION_ABORTED if it was not. Only if pending. Wakes
   who waits for the object; they look again. */
DWORD win32_watch_stop(win32_watch *watch, plat_object *object, HANDLE handle, DWORD *bytes);

#endif
