/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How an object comes to its words. posix/object.h has the layout.
 */
#ifndef ISTHMUS_POSIX_WORDS_H
#define ISTHMUS_POSIX_WORDS_H

#include "posix/object.h"

/* Whether a wait takes something from such an object. */
bool words_are_taken(plat_kind kind, bool manual);

/* Fills those of a new object; me is its owner's life, or 0. Nobody but its user sees a `Local\` object. */
void words_fill(const plat_object_request *request, bool global, uint64_t me, const claims *table, object_words *out);

/* Finds them: in the page that is mapped for the life word, or in one of their own where that is apart. */
ist_status words_map(plat_object *object, plat_error *error);

/* Reads what is constant, once, and checks it: IST_E_CORRUPT. */
ist_status words_read(plat_object *object, uint64_t *table, plat_error *error);

#endif
