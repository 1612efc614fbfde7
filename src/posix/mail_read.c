/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The reader's side. Where it is it knows from its own count; everything else it copies, then checks, then uses. What
 * turns out to be damaged goes, so that the next read finds the next message.
 */
#include "posix/mail.h"

#include <string.h>

#include "core/atomic.h"
#include "posix/error.h"

/* ---- look ---- */

/* The tail does not pass a position that is empty. It is read first: a message that comes between the two reads is in
   the second. */
static bool is_passed(const mail *of, uint64_t position)
{
    uint64_t tail = atomic_load_u64(&of->tops->tail);

    return tail != position && tail + 1 != position &&
           atomic_load_u64(mail_slot_of(of, position)) == mail_slot_with(of, position, 0);
}

static uint32_t look_at(const mail *of, uint64_t position)
{
    uint64_t slot = atomic_load_u64(mail_slot_of(of, position));
    uint32_t entry = mail_entry_of(slot);

    if (slot == mail_slot_with(of, position, 0))
        return is_passed(of, position) ? MAIL_DAMAGED : MAIL_NONE;
    if (slot != mail_slot_with(of, position, entry) || entry > of->cell_count)
        return MAIL_DAMAGED;
    return entry - 1;
}

/* A reader who is between clearing a slot and counting it, or was killed there: a forked child reads on. The slot may
   be full again by then. */
static bool is_taken(const mail *of, uint64_t position)
{
    uint64_t after = position + of->slot_mask + 1;
    uint64_t slot = atomic_load_u64(mail_slot_of(of, position));

    return slot == mail_slot_with(of, after, mail_entry_of(slot));
}

uint32_t mail_look(const mail *of, uint64_t *position)
{
    for (;;) {
        uint64_t place = atomic_load_u64(of->place);
        uint64_t at = is_taken(of, place) ? place + 1 : place;
        uint32_t found = look_at(of, at);

        if (position != NULL)
            *position = at;
        if (found != MAIL_DAMAGED || atomic_load_u64(of->place) == place)
            return found;
    }
}

/* ---- take ---- */

/* False: it is damaged. The chain is followed as far as the size says and no further. */
static bool copy(const mail *of, uint32_t first, unsigned char *buffer, size_t size)
{
    uint32_t at = first;
    size_t done = 0;

    for (uint32_t n = mail_cells_of(size); n > 0; n--) {
        size_t part = size - done < MAIL_CELL_BYTES ? size - done : MAIL_CELL_BYTES;
        uint32_t next = 0;

        if (at >= of->cell_count || of->cells[at].first != first)
            return false;
        if (part != 0)
            memcpy(buffer + done, of->bytes + (size_t)at * MAIL_CELL_BYTES, part);
        done += part;
        next = of->cells[at].next;
        if ((n == 1) != (next == 0))
            return false;
        at = next - 1;
    }
    return true;
}

/* Frees the noted chain. What is next is noted before a cell is freed, whose writer may take it again at once: a reader
   who is killed here leaves one cell at most. Where an owner is not the writer any more, a reclaimer has been faster,
   and sees to the rest. */
static void free_noted(const mail *of)
{
    uint64_t owner = atomic_load_u64(&of->place[MAIL_PLACE_OWNER]);

    for (uint32_t n = 0; n < of->cell_count; n++) {
        uint64_t entry = atomic_load_u64(&of->place[MAIL_PLACE_ENTRY]);
        uint64_t seen = owner;

        if (entry == 0 || entry > of->cell_count)
            break;
        atomic_store_u64(&of->place[MAIL_PLACE_ENTRY], of->cells[entry - 1].next);
        if (!atomic_swap_u64(&of->cells[entry - 1].owner, &seen, 0))
            break;
    }
}

static void count(const mail *of, uint64_t position)
{
    atomic_store_u64(of->place, position);
    atomic_store_u64(&of->tops->head, position);
}

/* The cells are freed after the slot is cleared, and the count goes up last, so that a writer who saw the count has
   seen the cells. */
static void drop(const mail *of, uint64_t position, uint32_t first, uint64_t owner)
{
    atomic_store_u64(&of->place[MAIL_PLACE_OWNER], owner);
    atomic_store_u64(&of->place[MAIL_PLACE_ENTRY], (uint64_t)first + 1);
    atomic_store_u64(mail_slot_of(of, position), mail_slot_with(of, position + of->slot_mask + 1, 0));
    free_noted(of);
    count(of, position + 1);
}

/* What a reader left who was killed in the middle of that. */
static void finish_drop(const mail *of)
{
    uint64_t position = atomic_load_u64(of->place);

    if (is_taken(of, position)) {
        free_noted(of);
        count(of, position + 1);
    }
}

/* ---- damage ---- */

static ist_status damaged(plat_error *error)
{
    return error_refuse(error, IST_E_CORRUPT, "message", "%s", "damaged by a writer; it is dropped");
}

/* Everything that says it is of this message, whatever the chain says. */
static ist_status drop_message(const mail *of, uint64_t position, uint32_t first, uint64_t owner, plat_error *error)
{
    drop(of, position, first, owner);
    for (uint32_t n = 0; n < of->cell_count; n++) {
        uint64_t seen = owner;

        if (owner != 0 && of->cells[n].first == first)
            (void)atomic_swap_u64(&of->cells[n].owner, &seen, 0);
    }
    of->place[MAIL_PLACE_DAMAGED] = 1;
    return damaged(error);
}

/* The queue begins anew, empty, from here: where the ring makes no sense any more, and after other damage as soon as
   nothing waits. Nobody can tell whose the cells were; who is writing meanwhile may see his message damaged, too. */
static void start_anew(const mail *of, uint64_t position)
{
    for (uint64_t n = 0; n <= of->slot_mask; n++)
        atomic_store_u64(mail_slot_of(of, position + n), mail_slot_with(of, position + n, 0));
    for (uint32_t n = 0; n < of->cell_count; n++)
        atomic_store_u64(&of->cells[n].owner, 0);
    atomic_store_u64(&of->tops->tail, position);
    count(of, position);
    of->place[MAIL_PLACE_DAMAGED] = 0;
}

static ist_status drop_all(const mail *of, uint64_t position, plat_error *error)
{
    start_anew(of, position);
    return damaged(error);
}

static ist_status nothing(const mail *of, uint64_t position)
{
    if (of->place[MAIL_PLACE_DAMAGED] != 0)
        start_anew(of, position);
    return IST_TIMEOUT;
}

/* ---- calls ---- */

ist_status mail_read(const mail *of, void *buffer, size_t size, bool stays, size_t *got, plat_error *error)
{
    uint64_t position = 0;
    uint32_t first = 0;
    uint64_t owner = 0;
    uint32_t bytes = 0;

    finish_drop(of);
    first = mail_look(of, &position);
    if (first == MAIL_NONE)
        return nothing(of, position);
    if (first == MAIL_DAMAGED)
        return drop_all(of, position, error);
    owner = atomic_load_u64(&of->cells[first].owner);
    bytes = of->cells[first].size;
    if (bytes > mail_limit(of))
        return drop_message(of, position, first, owner, error);
    if (bytes > size) {
        *got = bytes;
        return error_refuse(error, IST_E_SIZE, "buffer", "the message has %lu bytes", (unsigned long)bytes);
    }
    if (!copy(of, first, buffer, bytes))
        return drop_message(of, position, first, owner, error);
    if (!stays)
        drop(of, position, first, owner);
    *got = bytes;
    return IST_OK;
}

/* What is published without a gap: the tail may be behind by the last of them. */
static uint64_t count_from(const mail *of, uint64_t position)
{
    uint64_t tail = atomic_load_u64(&of->tops->tail);
    uint64_t n = tail - position <= of->slot_mask ? tail - position : 0;

    while (n <= of->slot_mask) {
        uint64_t slot = atomic_load_u64(mail_slot_of(of, position + n));
        uint32_t entry = mail_entry_of(slot);

        if (entry == 0 || slot != mail_slot_with(of, position + n, entry))
            break;
        n++;
    }
    return n;
}

ist_status mail_count(const mail *of, uint64_t *waiting, uint64_t *next_bytes, plat_error *error)
{
    uint64_t position = 0;
    uint32_t first = 0;
    uint32_t bytes = 0;

    finish_drop(of);
    first = mail_look(of, &position);
    *waiting = 0;
    *next_bytes = IST_MAILSLOT_NONE;
    if (first == MAIL_NONE)
        return IST_OK;
    if (first == MAIL_DAMAGED)
        return drop_all(of, position, error);
    bytes = of->cells[first].size;
    if (bytes > mail_limit(of))
        return drop_message(of, position, first, atomic_load_u64(&of->cells[first].owner), error);
    *next_bytes = bytes;
    *waiting = count_from(of, position);
    return IST_OK;
}
