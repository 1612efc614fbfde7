/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A turn: a futex-like lock in this process's memory. The word says in which process it was taken, by a number that
 * differs between a process and the children it forks, so that what a child inherits as taken is free to it. It is not
 * posix/life.h's number, which changes at the normal exit, too, while other threads are still in their turns.
 */
#include "posix/turn.h"

#include <pthread.h>

#include "core/atomic.h"
#include "posix/clock.h"
#include "posix/word.h"

#define TAKEN UINT32_C(1)
#define AWAITED UINT32_C(2)
#define STATE_BITS 2
#define STATE ((UINT32_C(1) << STATE_BITS) - 1)

static uint32_t process_number = 1 << STATE_BITS;

static void begin_process(void)
{
    process_number += 1 << STATE_BITS;
}

__attribute__((constructor)) static void install(void)
{
    (void)pthread_atfork(NULL, NULL, begin_process);
}

static bool is_free(uint32_t word)
{
    return (word & STATE) == 0 || (word & ~STATE) != process_number;
}

bool turn_is_taken(const turn *of)
{
    return !is_free(atomic_load_u32(&of->word));
}

bool patience_is_stopped(const patience *until)
{
    return atomic_load_u32(until->stop) != until->seen;
}

bool patience_is_over(const patience *until)
{
    return until->deadline != CLOCK_NEVER && clock_steady() >= until->deadline;
}

/* The `stop` is slept on too: who moves it between the look and the sleep is not missed. */
static void sleep_for(const turn *of, uint32_t seen, const patience *until)
{
    const word_watch watches[2] = {{&of->word, seen}, {until->stop, until->seen}};
    int64_t recheck = clock_next_recheck();

    word_sleep(watches, 2, until->deadline < recheck ? until->deadline : recheck);
}

/* Who has waited takes it as one that others may wait for. */
static ist_status wait_for(turn *of, const patience *until)
{
    for (;;) {
        uint32_t seen = atomic_load_u32(&of->word);

        if (is_free(seen)) {
            if (atomic_swap_u32(&of->word, &seen, process_number | AWAITED))
                return IST_OK;
        } else if (patience_is_stopped(until)) {
            return IST_CANCELLED;
        } else if (patience_is_over(until)) {
            return IST_TIMEOUT;
        } else if ((seen & STATE) == AWAITED || atomic_swap_u32(&of->word, &seen, process_number | AWAITED)) {
            sleep_for(of, process_number | AWAITED, until);
        }
    }
}

ist_status turn_take(turn *of, const patience *until)
{
    uint32_t seen = atomic_load_u32(&of->word);
    ist_status status = IST_OK;
    int cancel_state = 0;

    if (is_free(seen) && atomic_swap_u32(&of->word, &seen, process_number | TAKEN))
        return IST_OK;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    status = wait_for(of, until);
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

void turn_take_shortly(turn *of)
{
    static volatile uint32_t never; /* moves */
    const patience until = {CLOCK_NEVER, &never, 0};

    (void)turn_take(of, &until);
}

void turn_give(turn *of)
{
    uint32_t seen = process_number | TAKEN;

    if (atomic_swap_u32(&of->word, &seen, 0))
        return;
    atomic_store_u32(&of->word, 0);
    word_wake(&of->word);
}

void turn_stir(turn *of)
{
    if ((atomic_load_u32(&of->word) & STATE) == AWAITED)
        word_wake(&of->word);
}
