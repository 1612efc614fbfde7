/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A lock among the threads of a process that is waited for with a deadline and can be given up: who reads next from an
 * end, who writes next. In a forked child it is free: the thread that had it is the parent's.
 */
#ifndef ISTHMUS_POSIX_TURN_H
#define ISTHMUS_POSIX_TURN_H

#include "core/plat.h"

/* Zeroed is free. */
typedef struct turn {
    volatile uint32_t word; /* bits 0-1: 0 free, 1 taken, 2 taken and somebody may wait; the rest: in which process */
} turn;

/* What ends a call that is blocked: the time, or another thread that moves the word on. */
typedef struct patience {
    int64_t deadline;              /* on the steady clock; CLOCK_NEVER; in the past: only try */
    const volatile uint32_t *stop; /* the call is over when this is not `seen` any more */
    uint32_t seen;
} patience;

/* IST_OK, IST_TIMEOUT or IST_CANCELLED. */
ist_status turn_take(turn *of, const patience *until);
void turn_give(turn *of);

/* Waits as long as it takes: for turns that are given back after a few lines without a sleep. */
void turn_take_shortly(turn *of);

/* Whether a thread of this process has it. */
bool turn_is_taken(const turn *of);

/* Whether the call's `stop` has moved; whether its time is over. */
bool patience_is_stopped(const patience *until);
bool patience_is_over(const patience *until);

/* Wakes who waits for the turn, to look at `stop`. */
void turn_stir(turn *of);

#endif
