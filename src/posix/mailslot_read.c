/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The reader's handle. Who waits says so in the queue's wake word, looks again and sleeps, as in posix/wait.c; who has
 * published looks at that word then. The turn is only for the instant of a look or a copy: nobody sleeps with it.
 */
#include "posix/mailslot.h"

#include <pthread.h>

#include "core/atomic.h"
#include "posix/clock.h"
#include "posix/word.h"

/* ---- as something to wait for ---- */

static plat_mailslot *slot_of(plat_object *channel)
{
    return (plat_mailslot *)(void *)channel;
}

/* Damage is something to read, too: the read says so. */
static ist_status look(plat_object *channel, life_watch *watch, plat_error *error)
{
    (void)error;
    if (watch != NULL)
        *watch = (life_watch){{NULL, 0}, NULL};
    return mail_look(&slot_of(channel)->queue, NULL) == MAIL_NONE ? IST_TIMEOUT : IST_OK;
}

static word_watch announce(plat_object *channel)
{
    volatile uint32_t *wake = &slot_of(channel)->queue.tops->wake;
    uint32_t seen = atomic_load_u32(wake);

    while ((seen & 1) == 0 && !atomic_swap_u32(wake, &seen, seen | 1))
        continue;
    return (word_watch){wake, seen | 1};
}

static void free_channel(plat_object *channel)
{
    mailslot_free(slot_of(channel));
}

const channel_face mailslot_face = {look, announce, NULL, free_channel};

void mailslot_wake(const mail *queue)
{
    volatile uint32_t *wake = &queue->tops->wake;
    uint32_t seen = atomic_load_u32(wake);

    (void)atomic_swap_u32(wake, &seen, (seen + 2) & ~UINT32_C(1));
    word_wake(wake);
}

/* ---- read ---- */

static ist_status read_once(plat_mailslot *slot, void *buffer, size_t size, bool stays, size_t *got, plat_error *error)
{
    ist_status status = IST_OK;

    turn_take_shortly(&slot->turn);
    status = mail_read(&slot->queue, buffer, size, stays, got, error);
    turn_give(&slot->turn);
    return status;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Who was woken reads before he announces himself again, and costs the next write no needless call. */
static ist_status read_patiently(plat_mailslot *slot, void *buffer, size_t size, const patience *until, size_t *got,
                                 plat_error *error)
{
    ist_status status = IST_TIMEOUT;

    while (status == IST_TIMEOUT) {
        bool over = until->deadline != CLOCK_NEVER && clock_steady() >= until->deadline;
        word_watch announced = announce(&slot->object);

        status = read_once(slot, buffer, size, false, got, error);
        if (status == IST_TIMEOUT && atomic_load_u32(until->stop) != until->seen)
            return IST_CANCELLED;
        if (status != IST_TIMEOUT || over)
            break;
        word_sleep(&announced, 1, sooner(until->deadline, clock_next_recheck()));
        if (atomic_load_u32(announced.word) != announced.value)
            status = read_once(slot, buffer, size, false, got, error);
    }
    return status;
}

ist_status plat_mailslot_read(plat_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                              plat_error *error)
{
    patience until = {CLOCK_NEVER, &slot->cancels, atomic_load_u32(&slot->cancels)};
    int cancel_state = 0;
    ist_status status = read_once(slot, buffer, size, false, got, error);

    if (status != IST_TIMEOUT || timeout_ns == 0)
        return status;
    if (timeout_ns != IST_FOREVER)
        until.deadline = clock_add(clock_steady(), timeout_ns);
    /* Some of the sleeps are points where a thread can be cancelled. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    status = read_patiently(slot, buffer, size, &until, got, error);
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

ist_status plat_mailslot_peek(plat_mailslot *slot, void *buffer, size_t size, size_t *got, plat_error *error)
{
    ist_status status = read_once(slot, buffer, size, true, got, error);

    return status == IST_TIMEOUT ? IST_EMPTY : status;
}

ist_status plat_mailslot_info(plat_mailslot *slot, ist_mailslot_facts *out, plat_error *error)
{
    ist_status status = IST_OK;

    out->message_max = slot->queue.message_max;
    out->capacity_bytes = slot->queue.capacity;
    turn_take_shortly(&slot->turn);
    status = mail_count(&slot->queue, &out->waiting, &out->next_bytes, error);
    turn_give(&slot->turn);
    return status;
}

/* The wake word moves, too, so that who is on the way to sleep on it alone does not. */
void plat_mailslot_cancel(plat_mailslot *slot)
{
    (void)atomic_add_u32(&slot->cancels, 1);
    mailslot_wake(&slot->queue);
}
