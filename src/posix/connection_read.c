/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Reading and looking. A call keeps its turn as long as it lasts, so that a message stays in one thread's hands; the
 * ring is touched under a lock of a few lines, so that who only looks need not wait for that.
 */
#include <pthread.h>

#include "posix/clock.h"
#include "posix/connection_end.h"

/* ---- read ---- */

typedef struct reading {
    connection *of;
    unsigned char *buffer;
    size_t size;
    size_t got;
    bool took; /* an offer, whose writer waits for that */
} reading;

static ist_status read_more(reading *here, plat_error *error)
{
    size_t got = 0;
    ist_status status = ring_read(&here->of->in, here->buffer + here->got, here->size - here->got, &got, error);

    here->got += got;
    return status;
}

/* An offer is taken from a peer who is there: a killed writer has written nothing. */
static ist_status read_ring(reading *here, plat_error *error)
{
    ring *in = &here->of->in;
    ist_status status = read_more(here, error);

    if (status != IST_TIMEOUT || here->got != 0 || !ring_has_offer(in) || connection_peer_is_gone(here->of))
        return status;
    status = ring_take(in, error);
    here->took = status == IST_OK;
    return here->took ? read_more(here, error) : status;
}

/* What is there, but no more than a part of a message that is larger than the ring. */
static ist_status read_part(reading *here, plat_error *error)
{
    connection *of = here->of;
    size_t before = here->got;
    ist_status status = IST_OK;

    turn_take_shortly(&of->in_lock);
    status = read_ring(here, error);
    turn_give(&of->in_lock);
    if (status == IST_OK || here->got != before || here->took)
        connection_wake(&of->in.words->room_wake);
    here->took = false;
    return status;
}

/* IST_TIMEOUT: not all that there may be. Of a message that is larger than the ring more comes. */
static ist_status try_read(void *context, plat_error *error)
{
    reading *here = context;
    ist_status status = connection_check(here->of, error);

    if (status != IST_OK)
        return status;
    if (!here->of->peer.writes)
        return IST_TIMEOUT;
    do
        status = read_part(here, error);
    while (status == IST_MORE && here->got < here->size);
    return status;
}

/* An event loop that has been told that nothing is there is told when something comes. */
static ist_status try_again_armed(reading *here, ist_status status, plat_error *error)
{
    ist_status again = IST_TIMEOUT;

    if ((status != IST_TIMEOUT && status != IST_CANCELLED) || atomic_load_u32(&here->of->side->watched) == 0)
        return status;
    connection_arm_bell(here->of);
    again = try_read(here, error);
    return again == IST_TIMEOUT ? status : again;
}

/* A part of a message that was read is the caller's when the time is over, but not where the rest will never come. */
static ist_status end_read(const reading *here, ist_status status, size_t *got, plat_error *error)
{
    if (here->got != 0 && (status == IST_TIMEOUT || status == IST_CANCELLED))
        status = connection_check(here->of, error) == IST_OK ? IST_MORE : IST_E_BROKEN;
    *got = status == IST_OK || status == IST_MORE ? here->got : 0;
    return status;
}

ist_status connection_read(connection *of, void *buffer, size_t size, const patience *until, size_t *got,
                           plat_error *error)
{
    reading here = {of, buffer, size, 0, false};
    ist_status status = IST_OK;
    int cancel_state = 0;

    *got = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    status = turn_take(&of->reading, until);
    if (status == IST_OK) {
        status = connection_block(of, &of->in.words->data_wake, until, try_read, &here, error);
        if (here.got == 0)
            status = try_again_armed(&here, status, error);
        status = end_read(&here, status, got, error);
        turn_give(&of->reading);
    }
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

/* ---- look ---- */

/* Whether there is something, or an offer: of a peer who is there. */
static bool has_something(connection *of)
{
    bool has = false;
    bool offered = false;

    turn_take_shortly(&of->in_lock);
    has = ring_has_data(&of->in);
    offered = !has && ring_has_offer(&of->in);
    turn_give(&of->in_lock);
    return has || (offered && !connection_peer_is_gone(of));
}

bool connection_has_data(connection *of)
{
    return of->may_read && of->peer.writes && atomic_load_u32(&of->closed) == 0 &&
           atomic_load_u32(&of->words->dropped) == 0 && has_something(of);
}

/* An offer counts from a peer who is there. */
static ist_status peek(connection *of, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    bool gone = connection_peer_is_gone(of);
    bool has = false;
    ist_status status = IST_OK;

    if (!of->peer.writes)
        return gone ? connection_is_broken(error) : IST_OK;
    turn_take_shortly(&of->in_lock);
    has = ring_has_data(&of->in);
    status = ring_peek(&of->in, !gone, buffer, size, out, error);
    turn_give(&of->in_lock);
    return status == IST_OK && gone && !has ? connection_is_broken(error) : status;
}

ist_status connection_peek(connection *of, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    ist_status status = connection_check(of, error);
    int cancel_state = 0;

    out->copied_bytes = 0;
    out->available_bytes = 0;
    out->message_bytes = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    if (status == IST_OK)
        status = peek(of, buffer, size, out, error);
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

/* The life of the peer's thread has ended: what the system closes with a process it closes a little later. */
#define GRACE INT64_C(20000000)
#define GRACE_STEP INT64_C(1000000)

static bool goes_now(connection *of)
{
    int64_t end = clock_add(clock_steady(), GRACE);
    bool gone = false;

    connection_doubt(of);
    gone = connection_peer_is_gone(of);
    while (!gone && clock_steady() < end && !connection_has_data(of)) {
        word_sleep(NULL, 0, clock_add(clock_steady(), GRACE_STEP));
        gone = connection_peer_is_gone(of);
    }
    return gone;
}

/* Only once: a thread may have ended and not its process. */
static bool has_ended(connection *of, life_watch *watch)
{
    const connection_peer *peer = &of->peer;
    uint32_t once = 0;

    return peer->lives != NULL && peer->life_id != 0 &&
           life_has_ended(peer->lives, peer->life_id, &of->believed, watch) &&
           atomic_swap_u32(&of->end_was_seen, &once, 1);
}

ist_status connection_look(connection *of, life_watch *watch, plat_error *error)
{
    if (connection_check(of, error) != IST_OK || connection_has_data(of) || connection_peer_is_gone(of))
        return IST_OK;
    if (watch != NULL && has_ended(of, watch) && (goes_now(of) || connection_has_data(of)))
        return IST_OK;
    return IST_TIMEOUT;
}

word_watch connection_announce(connection *of)
{
    return connection_say_asleep(&of->in.words->data_wake);
}
