/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Writing, and waiting until all is read. Turns and locks are as in connection_read.c.
 */
#include <pthread.h>

#include "posix/connection_end.h"

/* ---- write ---- */

typedef struct writing {
    connection *of;
    const patience *until;
    const unsigned char *data;
    size_t size;
    size_t written; /* of bytes; of a message at its end */
    bool offered;
} writing;

static void tell_reader(connection *of)
{
    connection_wake(&of->out.words->data_wake);
    connection_ring_bell(of);
}

/* What fits. *moved says whether the reader is to be told. */
static ist_status put_some(writing *here, bool *moved, plat_error *error)
{
    ring *out = &here->of->out;
    size_t put = 0;
    ist_status status = ring_write(out, here->data + here->written, here->size - here->written, &put, error);

    here->written += put;
    *moved = status == IST_OK;
    return status == IST_OK && here->written < here->size ? IST_TIMEOUT : status;
}

static ist_status put_large(writing *here, bool *moved, plat_error *error)
{
    ring *out = &here->of->out;
    ist_status status = IST_OK;

    if (here->offered) {
        status = ring_send(out, here->data, here->size, moved, error);
        here->written = status == IST_OK ? here->size : 0;
        return status;
    }
    /* A reader needs time to take it, and breaks the connection when it comes too late. */
    if (patience_is_over(here->until))
        return IST_TIMEOUT;
    status = ring_offer(out, here->data, here->size, error);
    here->offered = status == IST_OK;
    *moved = here->offered;
    return here->offered ? IST_TIMEOUT : status;
}

static bool is_large(const writing *here)
{
    return here->of->out.messages && here->size > here->of->out.quota;
}

/* What fits, but no more than a part of a large message. *moved: perhaps more of it does. */
static ist_status put_part(writing *here, bool *moved, plat_error *error)
{
    connection *of = here->of;
    ist_status status = IST_OK;

    *moved = false;
    turn_take_shortly(&of->out_lock);
    /* Under the lock: after a close, which withdraws under it, no offer is made. */
    status = connection_check(of, error);
    if (status == IST_OK)
        status = is_large(here) ? put_large(here, moved, error) : put_some(here, moved, error);
    turn_give(&of->out_lock);
    /* Where nothing fits, too: somebody who has the end as well may have been killed before he told. */
    if (*moved || status == IST_TIMEOUT)
        tell_reader(of);
    return status;
}

static ist_status try_write(void *context, plat_error *error)
{
    writing *here = context;
    bool moved = false;
    ist_status status = put_part(here, &moved, error);

    while (status == IST_TIMEOUT && moved && here->offered && !patience_is_over(here->until) &&
           !patience_is_stopped(here->until))
        status = put_part(here, &moved, error);
    return status;
}

/* Parts of a message that are sent when its time is over, at most. */
#define LAST_PARTS 64

/* Whether all of a message that the reader has begun with could be sent without a wait. */
static bool send_rest(writing *here, plat_error *error)
{
    bool moved = true;
    ist_status status = IST_TIMEOUT;

    for (int n = 0; n < LAST_PARTS && status == IST_TIMEOUT && moved; n++)
        status = put_part(here, &moved, error);
    return status == IST_OK;
}

/* What has been offered and is not sent is taken back. Has the reader begun with it, the rest may fit by now; else
   nothing that comes after would be understood. */
static ist_status end_offer(writing *here, ist_status status, plat_error *error)
{
    connection *of = here->of;
    bool withdrawn = false;

    turn_take_shortly(&of->out_lock);
    withdrawn = ring_withdraw(&of->out);
    turn_give(&of->out_lock);
    if (withdrawn || status == IST_E_BROKEN)
        return status;
    if (status >= 0 && send_rest(here, error))
        return IST_OK;
    connection_break(of);
    return status == IST_E_CORRUPT ? status : connection_is_broken(error);
}

static ist_status resume(connection *of, plat_error *error)
{
    ist_status status = connection_check(of, error);

    if (status == IST_OK && connection_peer_is_gone(of))
        status = connection_is_broken(error);
    if (status != IST_OK)
        return status;
    turn_take_shortly(&of->out_lock);
    status = ring_resume(&of->out, error);
    turn_give(&of->out_lock);
    if (status == IST_E_BROKEN)
        connection_break(of);
    return status;
}

static ist_status write_in_turn(writing *here, plat_error *error)
{
    connection *of = here->of;
    ist_status status = resume(of, error);

    if (status == IST_OK)
        status = connection_block(of, &of->out.words->room_wake, here->until, try_write, here, error);
    return here->offered && status != IST_OK ? end_offer(here, status, error) : status;
}

ist_status connection_write(connection *of, const void *data, size_t size, const patience *until, size_t *written,
                            plat_error *error)
{
    /* Nothing may be nowhere. */
    writing here = {of, until, data != NULL ? data : "", size, 0, false};
    ist_status status = IST_OK;
    int cancel_state = 0;

    *written = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    status = turn_take(&of->writing, until);
    if (status == IST_OK) {
        status = write_in_turn(&here, error);
        turn_give(&of->writing);
    }
    if (status >= 0)
        *written = here.written;
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

/* ---- flush ---- */

typedef struct flushing {
    connection *of;
    uint64_t place;
} flushing;

static ist_status try_flush(void *context, plat_error *error)
{
    const flushing *here = context;
    ist_status status = connection_check(here->of, error);

    if (status != IST_OK)
        return status;
    return ring_is_read(&here->of->out, here->place) ? IST_OK : IST_TIMEOUT;
}

ist_status connection_flush(connection *of, const patience *until, plat_error *error)
{
    flushing here = {of, 0};
    ist_status status = IST_OK;
    int cancel_state = 0;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    turn_take_shortly(&of->out_lock);
    here.place = ring_place(&of->out);
    turn_give(&of->out_lock);
    tell_reader(of);
    status = connection_block(of, &of->out.words->room_wake, until, try_flush, &here, error);
    (void)pthread_setcancelstate(cancel_state, NULL);
    /* Also a peer that is gone; but the own end's close is none of the peer's. */
    return status == IST_E_BROKEN && atomic_load_u32(&of->closed) == 0 ? IST_OK : status;
}
