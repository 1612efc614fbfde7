/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A write: take cells, fill them, publish.
 *
 * Publishing is one swap, which only one writer can win for a position. It cannot succeed late: of a slot that has
 * been used since, the round has gone up, and it comes again after 2^41 rounds. Who finds his position taken moves the
 * tail on for whom it was taken by, who may be stopped or dead; so the tail is behind by one at most.
 */
#include "posix/mail.h"

#include <string.h>

#include "posix/error.h"
#include "posix/life.h"

/* Positions lost in a row to others, before it is somebody who means harm. */
#define MOST_TRIES 100000

/* Times that cells were freed behind a search that found too few. */
#define MOST_SEARCHES 100

/* A chain that is being made. */
typedef struct chain {
    uint32_t first; /* index */
    uint32_t last;
    uint32_t count;
} chain;

/* ---- cells ---- */

static void give_back(const mail *to, const chain *taken, uint64_t me)
{
    uint32_t at = taken->first;

    for (uint32_t n = 0; n < taken->count && at < to->cell_count; n++) {
        uint32_t next = to->cells[at].next;
        uint64_t owner = me;

        (void)atomic_swap_u64(&to->cells[at].owner, &owner, 0);
        at = next - 1;
    }
}

static void link_cell(const mail *to, chain *taken, uint32_t index)
{
    if (taken->count == 0)
        taken->first = index;
    else
        to->cells[taken->last].next = index + 1;
    to->cells[index].next = 0;
    to->cells[index].first = taken->first;
    taken->last = index;
    taken->count++;
}

/* Once round from the hint. */
static void search(const mail *to, mail_writer *who, uint64_t me, uint32_t wanted, chain *taken)
{
    uint32_t index = atomic_load_u32(&who->hint);

    for (uint32_t n = 0; n < to->cell_count && taken->count < wanted; n++) {
        uint64_t owner = 0;

        if (index >= to->cell_count)
            index = 0;
        if (atomic_load_u64(&to->cells[index].owner) == 0 && atomic_swap_u64(&to->cells[index].owner, &owner, me))
            link_cell(to, taken, index);
        index++;
    }
    atomic_store_u32(&who->hint, index);
}

/* A search that fails has seen every cell taken, if none was freed meanwhile. */
static bool take_cells(const mail *to, mail_writer *who, uint64_t me, uint32_t wanted, chain *taken)
{
    bool reclaimed = false;

    for (int i = 0; i < MOST_SEARCHES; i++) {
        uint64_t head = atomic_load_u64(&to->tops->head);

        search(to, who, me, wanted, taken);
        if (taken->count == wanted)
            return true;
        if (atomic_load_u64(&to->tops->head) != head)
            continue;
        if (reclaimed || !mail_reclaim(to, who, me))
            break;
        reclaimed = true;
    }
    give_back(to, taken, me);
    return false;
}

static void fill(const mail *to, const chain *taken, const unsigned char *data, size_t size)
{
    uint32_t at = taken->first;

    to->cells[at].size = (uint32_t)size;
    for (size_t done = 0; done < size && at < to->cell_count;) {
        size_t part = size - done < MAIL_CELL_BYTES ? size - done : MAIL_CELL_BYTES;

        memcpy(to->bytes + (size_t)at * MAIL_CELL_BYTES, data + done, part);
        done += part;
        at = to->cells[at].next - 1;
    }
}

/* ---- publish ---- */

/* Whether a slot of this position shows that somebody has had it. */
static bool is_had(const mail *to, uint64_t position, uint64_t slot)
{
    uint64_t ahead = slot - mail_slot_with(to, position, 0);

    return ahead != 0 && ahead < UINT64_C(1) << 63;
}

static bool publish(const mail *to, uint32_t first)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        uint64_t position = atomic_load_u64(&to->tops->tail);
        uint64_t slot = mail_slot_with(to, position, 0);
        uint64_t mine = mail_slot_with(to, position, first + 1);
        bool done = atomic_swap_u64(mail_slot_of(to, position), &slot, mine);

        if (done || is_had(to, position, slot)) {
            uint64_t tail = position;

            (void)atomic_swap_u64(&to->tops->tail, &tail, position + 1);
        }
        if (done)
            return true;
    }
    return false;
}

/* The exit of a process ends its threads' lives while they still run, and what they have taken may be reclaimed then.
   So this is asked last of all; what is left is the instant before the swap, and a process that is about to end. */
static bool still_lives(const mail_writer *who, uint64_t me)
{
    return life_quickly(who->lives) == me;
}

ist_status mail_write(const mail *to, mail_writer *who, const void *data, size_t size, plat_error *error)
{
    uint64_t me = 0;
    chain taken = {0, 0, 0};
    bool published = false;
    ist_status status = IST_OK;

    do {
        status = life_own(who->lives, &me, error);
        if (status != IST_OK)
            return status;
        taken.count = 0;
        if (!take_cells(to, who, me, mail_cells_of(size), &taken))
            return error_refuse(error, IST_E_SPACE, "room", "%s", "until the reader has read");
        fill(to, &taken, data, size);
    } while (!still_lives(who, me));
    published = publish(to, taken.first);
    if (!published) {
        give_back(to, &taken, me);
        return error_refuse(error, IST_E_CORRUPT, "ring", "%s", "");
    }
    return IST_OK;
}
