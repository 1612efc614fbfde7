/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Signs: events that nobody sets. That one is there says something, of what its name tells, to processes of the user
 * that made it, until the process that did closes it or ends.
 */
#ifndef ISTHMUS_WIN32_SIGN_H
#define ISTHMUS_WIN32_SIGN_H

#include "win32/native.h"

/* With the terminator; `Global\` in front. */
#define WIN32_SIGN_UNITS 64

/* NULL: it cannot be said. */
HANDLE win32_sign_make(const WCHAR *name);

/* Anybody can make an event of any name: only one of this user's is a sign. */
bool win32_sign_is_there(const WCHAR *name);

#endif
