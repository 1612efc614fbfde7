/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One look at the objects of a wait: takes what it may.
 */
#ifndef ISTHMUS_POSIX_TAKE_H
#define ISTHMUS_POSIX_TAKE_H

#include "posix/offer.h"

/* What a wait knows of one of its objects. */
typedef struct take_item {
    plat_object *object;
    uint64_t me;      /* the thread's life id in the object's scope, where the wait needs one */
    uint64_t sets;    /* when the wait began, of a manual-reset event or timer */
    bool counts_sets; /* any, not all */
    life_watch watch; /* of a mutex's owner, when it was last looked at */
    int64_t due;      /* of a timer, on the steady clock */
} take_item;

/* IST_OK or IST_ABANDONED: taken. IST_TIMEOUT: not signalled. With `watches` the owner's life is kept in the item. */
ist_status take_one(take_item *item, bool watches, plat_error *error);

/* The same for all at one instant, in the order of their objects' ids. IST_TIMEOUT: *blocking is one that was not
   signalled. IST_EMPTY: others were always in the way, until the deadline or, if that is earlier, for many tries. */
ist_status take_all(take_item *items, const size_t *order, size_t count, int64_t deadline, bool watches,
                    size_t *blocking, plat_error *error);

#endif
