/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Signs: events. That one is there and not set says something, of what its name tells, to processes of the user that
 * made it, until the process that did takes it down or ends.
 */
#ifndef ISTHMUS_WIN32_SIGN_H
#define ISTHMUS_WIN32_SIGN_H

#include "win32/native.h"

/* With the terminator; `Global\` in front. */
#define WIN32_SIGN_UNITS 256

/* Puts it up; NULL: it cannot be said. */
HANDLE win32_sign_make(const WCHAR *name);

/* Takes it down, also for those who are looking at it. */
void win32_sign_end(HANDLE sign);

/* Anybody can make an event of any name: only one of this user's is a sign. */
bool win32_sign_is_there(const WCHAR *name);

#endif
