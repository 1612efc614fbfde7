/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A checked name as the kernel wants it, and other UTF-8 as UTF-16.
 */
#ifndef ISTHMUS_WIN32_NAME_H
#define ISTHMUS_WIN32_NAME_H

#include "core/plat.h"
#include "win32/native.h"

/* `Global\`, the longest text (a byte gives one unit at most), the terminator. */
#define WIN32_NAME_UNITS (7 + IST_NAME_MAX + 1)

typedef struct win32_name {
    WCHAR text[WIN32_NAME_UNITS];
} win32_name;

/* The name with its prefix written out. */
void win32_name_widen(const plat_name *name, win32_name *out);

/* Terminated, well-formed UTF-8 as UTF-16; NULL when there is no memory. plat_memory_give() takes it back. */
WCHAR *win32_text_widen(const char *text);

#endif
