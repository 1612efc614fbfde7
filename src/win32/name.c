/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names. The core has checked them; a name without a prefix and `Local\` are one thing to the kernel, so the prefix is
 * always written: then no text of a name can be taken for a prefix.
 */
#include "win32/name.h"

#include <string.h>
#include <wchar.h>

void win32_name_widen(const plat_name *name, win32_name *out)
{
    const WCHAR *prefix = name->global ? L"Global\\" : L"Local\\";
    size_t start = wcslen(prefix);
    int units = 0;

    memset(out, 0, sizeof *out);
    memcpy(out->text, prefix, start * sizeof(WCHAR));
    units = MultiByteToWideChar(CP_UTF8, 0, name->text, (int)name->length, out->text + start, IST_NAME_MAX);
    out->text[start + (size_t)units] = L'\0';
}

WCHAR *win32_text_widen(const char *text)
{
    int units = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    WCHAR *wide = units > 0 ? plat_memory_take((size_t)units * sizeof(WCHAR)) : NULL;

    if (wide != NULL)
        (void)MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, units);
    return wide;
}
