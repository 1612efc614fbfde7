/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Whose a mailslot is (A2). Windows does not tell a writer: only the reader's own handle can be asked. So a reader puts
 * up a sign beside its slot, after it has made it and until before it closes it: while the sign is there, the slot of
 * that name is its user's. The system closes a killed reader's handles in an order of its own: then for an instant the
 * slot may be gone and the sign not. Of a reader that knows nothing of isthmus nothing is known, and only who trusts
 * everyone writes to it, but under Wine, which tells.
 */
#include <wchar.h>

#include "win32/access.h"
#include "win32/error.h"
#include "win32/mailslot.h"
#include "win32/sign.h"

/* Of FNV-1a. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_FACTOR UINT64_C(0x100000001b3)

/* The slot's name in small letters, so much of it as an event's may have, and a number of the whole. */
static void sign_name(const plat_channel_name *name, WCHAR out[WIN32_SIGN_UNITS])
{
    char text[WIN32_CHANNEL_NAME_UNITS];
    const plat_channel_name folded = {text, name->length};
    WCHAR wide[WIN32_CHANNEL_NAME_UNITS];
    uint64_t hash = HASH_START;
    size_t at = 0;

    for (at = 0; at < name->length; ++at) {
        text[at] = plat_channel_small(name->text[at]);
        hash = (hash ^ (unsigned char)text[at]) * HASH_FACTOR;
    }
    win32_channel_name_widen(L"", &folded, wide);
    (void)swprintf(out, WIN32_SIGN_UNITS, L"Global\\isthmus.mailslot.%.200ls.%08lx%08lx", wide,
                   (unsigned long)(hash >> 32), (unsigned long)(hash & 0xffffffffu));
}

HANDLE win32_mailslot_sign(const plat_channel_name *name)
{
    WCHAR wide[WIN32_SIGN_UNITS];

    sign_name(name, wide);
    return win32_sign_make(wide);
}

bool win32_mailslot_is_signed(const plat_channel_name *name)
{
    WCHAR wide[WIN32_SIGN_UNITS];

    sign_name(name, wide);
    return win32_sign_is_there(wide);
}

ist_status win32_mailslot_owner_check(HANDLE writer, const plat_channel_name *name, plat_error *error)
{
    ist_status status = win32_owner_check(writer, error);

    if (status == IST_OK || error->space == IST_CODES_NONE)
        return status;
    return win32_mailslot_is_signed(name) ? IST_OK : win32_error_refuse(error, IST_E_ACCESS, "whose the mailslot is");
}
