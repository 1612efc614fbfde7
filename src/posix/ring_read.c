/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The reader's side of a ring. What the writer says is copied, checked against what this side knows, and then used; the
 * bytes themselves may be any.
 */
#include <string.h>

#include "posix/error.h"
#include "posix/ring_side.h"

/* Looks at an offer that is withdrawn under them, at most. */
#define MOST_LOOKS 8

/* ---- state ---- */

static void keep(ring *of, const ring_got *state)
{
    uint32_t next = (atomic_load_u32(&of->side->got_now) & 1) ^ 1;

    of->side->got[next] = *state;
    atomic_store_u32(&of->side->got_now, next);
}

/* Edge: the bytes were read, then tail; its partner is the writer's load of tail. And tail, then the connection's look
   whether somebody sleeps: as head in ring.c. */
static void show(ring *of, const ring_got *state)
{
    if (atomic_load_u64(&of->words->left) != state->left)
        atomic_store_u64(&of->words->left, state->left);
    atomic_store_u64(&of->words->consumed, state->consumed);
    atomic_store_u64(&of->words->tail, state->tail);
}

static bool is_offer(uint32_t large)
{
    return (large & RING_LARGE_STATE) == RING_OFFERED;
}

/* The bit tells, and not the word: a writer who has had room for all of the message may have offered the next. */
static void settle_taking(ring *of, ring_got *state)
{
    if (((atomic_load_u32(&of->words->large) ^ state->large) & RING_LARGE_TURN) != 0) {
        state->large = ring_large_taken(state->large);
        state->left = state->offer;
    } else {
        state->large = RING_NONE;
        state->reach = state->tail;
    }
    keep(of, state);
    atomic_store_u64(&of->words->left, state->left); /* for who begins anew from the words */
}

/* With what a process that has the end too, and was killed, may have left undone. */
static ring_got got_of(ring *of)
{
    ring_got state = of->side->got[atomic_load_u32(&of->side->got_now) & 1];

    if (is_offer(state.large))
        settle_taking(of, &state);
    if (ring_is_behind(atomic_load_u64(&of->words->tail), state.tail))
        show(of, &state);
    return state;
}

void ring_begin_reader(ring *of)
{
    uint32_t large = atomic_load_u32(&of->words->large);
    ring_got state = {.tail = atomic_load_u64(&of->words->tail),
                      .consumed = atomic_load_u64(&of->words->consumed),
                      .left = atomic_load_u64(&of->words->left),
                      .large = (large & RING_LARGE_STATE) == RING_TAKEN ? large : RING_NONE};

    state.reach = state.tail;
    if (state.left > RING_MESSAGE_MAX)
        state.left = RING_MESSAGE_MAX;
    keep(of, &state);
}

/* ---- what is there ---- */

/* Up to where there are bytes. */
static ist_status find_end(const ring *of, const ring_got *state, uint64_t *end, plat_error *error)
{
    uint64_t head = atomic_load_u64(&of->words->head);

    *end = head > state->reach ? head : state->reach;
    return *end >= state->tail && *end - state->tail <= of->capacity ? IST_OK
                                                                     : ring_damaged(error, "writer's place in a pipe");
}

static void get(const ring *of, uint64_t place, void *out, uint64_t size)
{
    uint64_t begin = place % of->capacity;
    uint64_t first = size < of->capacity - begin ? size : of->capacity - begin;

    if (size == 0)
        return;
    memcpy(out, of->data + begin, (size_t)first);
    memcpy((unsigned char *)out + first, of->data, (size_t)(size - first));
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes that the size took; 0: it is none. */
static uint64_t read_size(const ring *of, uint64_t place, uint64_t there, uint64_t *size)
{
    unsigned char head[RING_SIZE_BYTES];
    uint64_t most = least(there, sizeof head);

    get(of, place, head, most);
    *size = 0;
    for (uint64_t n = 0; n < most; n++) {
        *size |= (uint64_t)(head[n] & 0x7f) << (7 * n);
        if ((head[n] & 0x80) == 0)
            return n + 1;
    }
    return 0;
}

/* Comes to the next message, past its size. It is there whole. */
static ist_status begin_message(const ring *of, ring_got *state, uint64_t end, plat_error *error)
{
    uint64_t there = end - state->tail;
    uint64_t size = 0;
    uint64_t head_size = 0;

    if (there == 0)
        return IST_TIMEOUT;
    head_size = read_size(of, state->tail, there, &size);
    if (head_size == 0 || size > of->quota || size > there - head_size)
        return ring_damaged(error, "size of a message");
    state->tail += head_size;
    state->left = size;
    return IST_OK;
}

/* ---- reading ---- */

static ist_status read_bytes(const ring *of, ring_got *state, uint64_t end, void *buffer, uint64_t *size)
{
    *size = least(*size, end - state->tail);
    get(of, state->tail, buffer, *size);
    return *size != 0 ? IST_OK : IST_TIMEOUT;
}

static ist_status read_message(const ring *of, ring_got *state, uint64_t end, void *buffer, uint64_t *size,
                               plat_error *error)
{
    ist_status status = state->left == 0 ? begin_message(of, state, end, error) : IST_OK;

    if (status != IST_OK)
        return status;
    if (end - state->tail < state->left)
        *size = least(*size, RING_PART);
    *size = least(*size, least(state->left, end - state->tail));
    get(of, state->tail, buffer, *size);
    state->left -= *size;
    if (state->left == 0)
        return IST_OK;
    return *size != 0 ? IST_MORE : IST_TIMEOUT;
}

ist_status ring_read(ring *of, void *buffer, size_t size, size_t *got, plat_error *error)
{
    ring_got state = got_of(of);
    uint64_t end = 0;
    uint64_t count = size;
    ist_status status = find_end(of, &state, &end, error);

    *got = 0;
    if (status == IST_OK && of->messages)
        status = read_message(of, &state, end, buffer, &count, error);
    else if (status == IST_OK)
        status = read_bytes(of, &state, end, buffer, &count);
    if (status != IST_OK && status != IST_MORE)
        return status;
    state.tail += count;
    state.consumed += count;
    keep(of, &state);
    show(of, &state);
    *got = (size_t)count;
    return status;
}

/* ---- offers ---- */

typedef struct ring_offered {
    uint32_t large; /* RING_NONE: there is no offer */
    uint64_t size;
    uint64_t reach;
} ring_offered;

/* The offer that stands first. */
static ist_status look_at_offer(const ring *of, const ring_got *state, ring_offered *out, plat_error *error)
{
    uint64_t end = 0;
    ist_status status = IST_OK;

    out->large = atomic_load_u32(&of->words->large);
    out->size = atomic_load_u64(&of->words->offer_size);
    out->reach = atomic_load_u64(&of->words->offer_head);
    status = find_end(of, state, &end, error);
    if (status != IST_OK)
        return status;
    /* Has the word moved, what was read may be of two offers. */
    if (!of->messages || state->left != 0 || end != state->tail || !is_offer(out->large) ||
        atomic_load_u32(&of->words->large) != out->large)
        out->large = RING_NONE;
    else if (out->size <= of->quota || out->size > RING_MESSAGE_MAX || out->reach < end ||
             out->reach - end > least(of->capacity, out->size))
        status = ring_damaged(error, "offer of a message");
    return status;
}

bool ring_has_offer(ring *of)
{
    ring_got state = got_of(of);
    ring_offered offer = {RING_NONE, 0, 0};
    plat_error error;

    return look_at_offer(of, &state, &offer, &error) != IST_OK || offer.large != RING_NONE;
}

/* What is going to be done is kept first: who finds it so can tell by the word whether it was. */
ist_status ring_take(ring *of, plat_error *error)
{
    ring_got state = got_of(of);
    ring_offered offer = {RING_NONE, 0, 0};
    ist_status status = look_at_offer(of, &state, &offer, error);

    if (status != IST_OK || offer.large == RING_NONE)
        return status == IST_OK ? IST_TIMEOUT : status;
    state.large = offer.large;
    state.offer = offer.size;
    state.reach = offer.reach;
    keep(of, &state);
    (void)atomic_swap_u32(&of->words->large, &offer.large, ring_large_taken(state.large));
    settle_taking(of, &state);
    return state.left != 0 ? IST_OK : IST_TIMEOUT;
}

/* ---- looking ---- */

bool ring_has_data(ring *of)
{
    ring_got state = got_of(of);
    uint64_t end = 0;
    plat_error error;

    return find_end(of, &state, &end, &error) != IST_OK || end != state.tail;
}

/* Of what is offered behind other messages. */
static uint64_t count_offered(const ring *of)
{
    uint32_t large = atomic_load_u32(&of->words->large);
    uint64_t size = atomic_load_u64(&of->words->offer_size);

    return is_offer(large) ? least(size, RING_MESSAGE_MAX) : 0;
}

/* Of all that is unread, what the writer says, so far as it can be. */
static ist_status count_unread(const ring *of, const ring_got *state, uint64_t *out, plat_error *error)
{
    uint64_t sent = atomic_load_u64(&of->words->sent);

    *out = sent > state->consumed + state->left ? sent - state->consumed : state->left;
    return *out - state->left <= of->capacity ? IST_OK : ring_damaged(error, "count of a pipe's bytes");
}

static void copy_first(const ring *of, const ring_got *state, uint64_t end, void *buffer, size_t size,
                       ist_pipe_peeked *out)
{
    uint64_t most = of->messages ? least(state->left, end - state->tail) : end - state->tail;

    out->copied_bytes = (uint32_t)least(size, most);
    get(of, state->tail, buffer, out->copied_bytes);
}

/* *went: the offer did, while it was looked at. */
static ist_status peek_offer(const ring *of, ring_got *state, void *buffer, size_t size, ist_pipe_peeked *out,
                             bool *went, plat_error *error)
{
    ring_offered offer = {RING_NONE, 0, 0};
    ist_status status = look_at_offer(of, state, &offer, error);

    if (status != IST_OK || offer.large == RING_NONE)
        return status;
    state->left = offer.size;
    copy_first(of, state, offer.reach, buffer, size, out);
    out->message_bytes = offer.size;
    out->available_bytes = offer.size;
    *went = atomic_load_u32(&of->words->large) != offer.large;
    return IST_OK;
}

static ist_status peek_message(const ring *of, ring_got *state, uint64_t end, void *buffer, size_t size,
                               ist_pipe_peeked *out, plat_error *error)
{
    ist_status status = state->left == 0 ? begin_message(of, state, end, error) : IST_OK;

    if (status != IST_OK)
        return status;
    copy_first(of, state, end, buffer, size, out);
    out->message_bytes = state->left;
    return count_unread(of, state, &out->available_bytes, error);
}

static void blank(ist_pipe_peeked *out)
{
    out->copied_bytes = 0;
    out->available_bytes = 0;
    out->message_bytes = 0;
}

static ist_status peek_once(ring *of, bool offers, void *buffer, size_t size, ist_pipe_peeked *out, bool *went,
                            plat_error *error)
{
    ring_got state = got_of(of);
    uint64_t end = 0;
    ist_status status = find_end(of, &state, &end, error);

    *went = false;
    if (status == IST_OK && !of->messages) {
        copy_first(of, &state, end, buffer, size, out);
        out->available_bytes = end - state.tail;
    } else if (status == IST_OK) {
        status = peek_message(of, &state, end, buffer, size, out, error);
        if (status == IST_OK && offers)
            out->available_bytes += count_offered(of);
    }
    if (status == IST_TIMEOUT && offers)
        return peek_offer(of, &state, buffer, size, out, went, error);
    return status == IST_TIMEOUT ? IST_OK : status;
}

ist_status ring_peek(ring *of, bool offers, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    bool went = true;
    ist_status status = IST_OK;

    for (int i = 0; i < MOST_LOOKS && went && status == IST_OK; i++) {
        blank(out);
        status = peek_once(of, offers, buffer, size, out, &went, error);
    }
    if (went || status != IST_OK)
        blank(out);
    return status;
}
