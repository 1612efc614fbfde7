/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The tables in which posix/claim.c makes its attempts. posix/claim.h has the layout.
 */
#ifndef ISTHMUS_POSIX_CLAIM_TABLE_H
#define ISTHMUS_POSIX_CLAIM_TABLE_H

#include "posix/claim.h"

#define CLAIM_SLOTS ((size_t)64)

typedef struct claim_item {
    uint64_t before;
    uint64_t after;
    uint64_t object;
} claim_item;

typedef struct claim_slot {
    uint64_t owner;
    uint64_t decision;
    uint32_t count;
    uint32_t reserved;
    claim_item items[IST_WAIT_MAX];
    uint64_t padding[5];
} claim_slot;

_Static_assert(sizeof(claim_slot) == 1600, "the table in claim.h");
_Static_assert(offsetof(claim_slot, items) == 24, "the table in claim.h");

struct claims {
    struct claims *next;
    registry_entry entry;
    volatile claim_slot *slots;
    bool writable;
    unsigned references; /* of this process's objects */
};

#endif
