/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The native create of a section reserves memory, or extends the file, before it looks at the name; and of any kind it
 * opens what is there with rights of its own choice. So the name is looked at first (N5), and what the native create
 * then finds there is not kept.
 */
#include "win32/registry.h"

#include "win32/error.h"

/* More lost races than this are no race. */
#define TRIES_MAX 10000

/* Between the two calls the object may come and go, hence the loop (N8); and what the native create says of space or of
   a file does not count if the name is held by now (N9), hence the second look. */
ist_status win32_registry_create(win32_registry_join join, win32_registry_make make, void *context, plat_error *error)
{
    plat_error looked = {IST_CODES_NONE, 0, NULL, {0}};
    ist_status made = IST_EXISTED;
    ist_status found = IST_E_NOT_FOUND;
    int tries = 0;

    while (found == IST_E_NOT_FOUND && made == IST_EXISTED && tries++ < TRIES_MAX) {
        found = join(context, error);
        if (found == IST_E_NOT_FOUND)
            made = make(context, error);
        if (found == IST_E_NOT_FOUND && made < 0)
            found = join(context, &looked);
    }
    if (found == IST_OK)
        return IST_EXISTED;
    if (made < 0 && found != IST_E_NOT_FOUND) { /* somebody else was faster, and this is what there is to say of it */
        *error = looked;
        return found;
    }
    if (made == IST_EXISTED && found == IST_E_NOT_FOUND)
        return win32_error_refuse(error, IST_E_OS, "the name changed hands too often");
    return made == IST_EXISTED ? found : made;
}
