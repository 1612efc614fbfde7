/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The writer's side of a ring, and what both sides need. ring_read.c is the reader's.
 */
#include "posix/ring.h"

#include <string.h>

#include "posix/error.h"
#include "posix/ring_side.h"

#define PAGE UINT64_C(4096)

uint64_t ring_capacity(uint32_t quota)
{
    return (2 * (uint64_t)quota + PAGE + PAGE - 1) / PAGE * PAGE;
}

ist_status ring_damaged(plat_error *error, const char *what)
{
    return error_refuse(error, IST_E_CORRUPT, what, "%s", "");
}

/* ---- state ---- */

static ring_written written_of(const ring *of)
{
    return of->side->written[atomic_load_u32(&of->side->written_now) & 1];
}

static void keep(ring *of, const ring_written *state)
{
    uint32_t next = (atomic_load_u32(&of->side->written_now) & 1) ^ 1;

    of->side->written[next] = *state;
    atomic_store_u32(&of->side->written_now, next);
}

/* Edge: the bytes, then head; its partner is the reader's load of head. And head, then the connection's look whether
   somebody sleeps; its partner says that he is going to, and looks at head again. Both are full barriers. */
static void show(ring *of, const ring_written *state)
{
    atomic_store_u64(&of->words->sent, state->sent);
    atomic_store_u64(&of->words->head, state->head);
}

/* What a process that has the end too, and was killed, may have left unshown. */
static ring_written shown(ring *of)
{
    ring_written state = written_of(of);

    if (ring_is_behind(atomic_load_u64(&of->words->head), state.head))
        show(of, &state);
    return state;
}

static void move_on(ring *of, const ring_written *state)
{
    keep(of, state);
    show(of, state);
}

void ring_begin_writer(ring *of)
{
    ring_written state = {.head = atomic_load_u64(&of->words->head),
                          .sent = atomic_load_u64(&of->words->sent),
                          .large = atomic_load_u32(&of->words->large) & ~RING_LARGE_STATE};

    keep(of, &state);
}

static uint32_t large_as(uint32_t large, uint32_t state)
{
    return (large & ~RING_LARGE_STATE) | state;
}

static bool is_large(const ring_written *state, uint32_t what)
{
    return (state->large & RING_LARGE_STATE) == what;
}

/* ---- room ---- */

typedef struct ring_room {
    uint64_t bytes;   /* of the ring */
    uint64_t payload; /* of the quota */
} ring_room;

static ist_status measure(const ring *of, const ring_written *state, ring_room *out, plat_error *error)
{
    uint64_t used = state->head - atomic_load_u64(&of->words->tail);
    uint64_t unread = state->sent - atomic_load_u64(&of->words->consumed);

    if (used > of->capacity || unread > of->capacity + RING_MESSAGE_MAX)
        return ring_damaged(error, "reader's place in a pipe");
    out->bytes = of->capacity - used;
    out->payload = unread < of->quota ? of->quota - unread : 0;
    return IST_OK;
}

static void lay(const ring *of, uint64_t place, const void *data, uint64_t size)
{
    uint64_t begin = place % of->capacity;
    uint64_t first = size < of->capacity - begin ? size : of->capacity - begin;

    if (size == 0)
        return;
    memcpy(of->data + begin, data, (size_t)first);
    memcpy(of->data, (const unsigned char *)data + first, (size_t)(size - first));
}

/* ---- writing ---- */

/* Whether the offer has been taken: then its part in the ring is sent, and all of it will be. */
static ist_status learn_of_taking(ring *of, ring_written *state, plat_error *error)
{
    uint32_t seen = atomic_load_u32(&of->words->large);

    if (!is_large(state, RING_OFFERED))
        return IST_OK;
    if (seen == state->large)
        return IST_TIMEOUT;
    if (seen != ring_large_taken(state->large))
        return ring_damaged(error, "state of a large message");
    state->large = seen;
    state->head += state->put;
    state->sent += state->offer;
    move_on(of, state);
    return IST_OK;
}

ist_status ring_resume(ring *of, plat_error *error)
{
    ring_written state = shown(of);
    ist_status status = IST_OK;

    if (is_large(&state, RING_OFFERED) && !ring_withdraw(of))
        status = learn_of_taking(of, &state, error);
    if (status == IST_OK && is_large(&state, RING_TAKEN) && state.put < state.offer)
        status = error_refuse(error, IST_E_BROKEN, "message", "%s", "cut short");
    return status;
}

static uint64_t write_size(unsigned char out[RING_SIZE_BYTES], uint64_t size)
{
    uint64_t count = 0;

    for (; size >= 0x80; size >>= 7)
        out[count++] = (unsigned char)(size | 0x80);
    out[count++] = (unsigned char)size;
    return count;
}

static ist_status write_message(ring *of, ring_written *state, const ring_room *room, const void *data, size_t size)
{
    unsigned char head[RING_SIZE_BYTES];
    uint64_t head_size = write_size(head, size);

    if (size > room->payload || head_size + size > room->bytes)
        return IST_TIMEOUT;
    lay(of, state->head, head, head_size);
    lay(of, state->head + head_size, data, size);
    state->head += head_size + size;
    state->sent += size;
    move_on(of, state);
    return IST_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

ist_status ring_write(ring *of, const void *data, size_t size, size_t *put, plat_error *error)
{
    ring_written state = written_of(of);
    ring_room room = {0, 0};
    uint64_t fits = 0;
    ist_status status = measure(of, &state, &room, error);

    *put = 0;
    if (status == IST_OK && of->messages) {
        status = write_message(of, &state, &room, data, size);
        *put = status == IST_OK ? size : 0;
        return status;
    }
    fits = least(size, least(room.bytes, room.payload));
    if (status != IST_OK || fits == 0)
        return status != IST_OK || size == 0 ? status : IST_TIMEOUT;
    lay(of, state.head, data, fits);
    state.head += fits;
    state.sent += fits;
    move_on(of, &state);
    *put = (size_t)fits;
    return IST_OK;
}

/* ---- large messages ---- */

/* Edge: the offer's words, then `large`; its partner is the swap of the reader, who has read them before it: they are
   the offer's, since the word is like no other offer's. */
ist_status ring_offer(ring *of, const void *data, size_t size, plat_error *error)
{
    ring_written state = written_of(of);
    ring_room room = {0, 0};
    ist_status status = measure(of, &state, &room, error);

    if (status != IST_OK)
        return status;
    state.offer = size;
    state.put = least(size, room.bytes);
    lay(of, state.head, data, state.put);
    state.large = large_as(state.large + RING_LARGE_COUNT, RING_OFFERED);
    keep(of, &state);
    atomic_store_u64(&of->words->offer_size, state.offer);
    atomic_store_u64(&of->words->offer_head, state.head + state.put);
    atomic_store_u32(&of->words->large, state.large);
    return IST_OK;
}

ist_status ring_send(ring *of, const void *data, size_t size, bool *moved, plat_error *error)
{
    ring_written state = written_of(of);
    ring_room room = {0, 0};
    uint64_t before = state.head;
    uint64_t fits = 0;
    ist_status status = learn_of_taking(of, &state, error);

    *moved = false;
    if (status == IST_OK)
        status = measure(of, &state, &room, error);
    if (status != IST_OK)
        return status;
    fits = least(least(size - state.put, room.bytes), RING_PART);
    lay(of, state.head, (const unsigned char *)data + state.put, fits);
    state.head += fits;
    state.put += fits;
    if (fits != 0)
        move_on(of, &state);
    *moved = state.head != before;
    return state.put == state.offer ? IST_OK : IST_TIMEOUT;
}

/* The word is another also when the process that made the offer was killed before it showed it, or after it took it
   back. */
bool ring_withdraw(ring *of)
{
    ring_written state = written_of(of);
    uint32_t seen = state.large;

    if (!is_large(&state, RING_OFFERED))
        return !is_large(&state, RING_TAKEN) || state.put == state.offer;
    if (!atomic_swap_u32(&of->words->large, &seen, large_as(seen, RING_NONE)) && seen == ring_large_taken(state.large))
        return false;
    state.large = large_as(state.large, RING_NONE);
    keep(of, &state);
    return true;
}

/* ---- flushing ---- */

uint64_t ring_place(ring *of)
{
    return shown(of).head;
}

bool ring_is_read(const ring *of, uint64_t place)
{
    return atomic_load_u64(&of->words->tail) >= place;
}
