/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What writers left who ended in the middle of a write.
 *
 * Who has ended publishes nothing more. So of a message whose writer was found to have ended, and which then is in no
 * slot, nobody will ever read the cells: either it was never published, or the reader has copied it and cleared the
 * slot. (It had one slot from being published until then, so a look at one slot after the other cannot miss it.) Its
 * cells may be freed, by a swap that expects the ended life. Lives do not come again: the swap fails if the reader or
 * another reclaimer was faster, whoever has the cell by then. For the same reason the reader's own swap fails where
 * this one was faster.
 *
 * A cell whose owner ended before he wrote what message it is of tells that of its message before. It stays while that
 * first cell is of a message of the same writer that is still to be read, and no longer.
 */
#include "posix/mail.h"

#include "posix/life.h"

#define ANSWERS 256u

/* What a pass knows. */
typedef struct pass {
    struct {
        uint64_t life;
        bool ended;
    } answers[ANSWERS];
    uint32_t published[]; /* a bit for each cell that is a message's first */
} pass;

static void ask(pass *here, const mail_writer *who, uint64_t life)
{
    size_t at = life % ANSWERS;

    if (here->answers[at].life != life) {
        here->answers[at].life = life;
        here->answers[at].ended = life_has_ended(who->lives, life, who->entry, NULL);
    }
}

static bool has_ended(const pass *here, uint64_t life)
{
    size_t at = life % ANSWERS;

    return here->answers[at].life == life && here->answers[at].ended;
}

static void ask_for_owners(pass *here, const mail *of, const mail_writer *who, uint64_t me)
{
    for (uint32_t n = 0; n < of->cell_count; n++) {
        uint64_t owner = atomic_load_u64(&of->cells[n].owner);

        if (owner != 0 && owner != me)
            ask(here, who, owner);
    }
}

static void mark_published(pass *here, const mail *of)
{
    for (uint32_t n = 0; n <= of->slot_mask; n++) {
        uint32_t entry = mail_entry_of(atomic_load_u64(&of->slots[n]));

        if (entry != 0 && entry <= of->cell_count)
            here->published[(entry - 1) / 32] |= UINT32_C(1) << (entry - 1) % 32;
    }
}

static bool is_published(const pass *here, const mail *of, uint32_t cell, uint64_t owner)
{
    uint32_t first = of->cells[cell].first;

    return first < of->cell_count && (here->published[first / 32] >> first % 32 & 1) != 0 &&
           atomic_load_u64(&of->cells[first].owner) == owner;
}

static bool free_left(const pass *here, const mail *of)
{
    bool freed = false;

    for (uint32_t n = 0; n < of->cell_count; n++) {
        uint64_t owner = atomic_load_u64(&of->cells[n].owner);

        if (owner != 0 && has_ended(here, owner) && !is_published(here, of, n, owner) &&
            atomic_swap_u64(&of->cells[n].owner, &owner, 0))
            freed = true;
    }
    return freed;
}

/* All have been asked before the first slot is looked at. */
bool mail_reclaim(const mail *of, const mail_writer *who, uint64_t me)
{
    pass *here = plat_memory_take(sizeof *here + (of->cell_count / 32 + 1) * sizeof here->published[0]);
    bool freed = false;

    if (here == NULL)
        return false;
    ask_for_owners(here, of, who, me);
    mark_published(here, of);
    freed = free_left(here, of);
    plat_memory_give(here);
    return freed;
}
