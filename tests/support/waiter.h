/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Sets of objects to wait for, and the role of a second process that waits for any or all of them.
 *
 * The peer has the objects of the set in its slots, in their order. It does what the lines say and answers in names of
 * statuses; S is a slot, numbers are decimal, MS is milliseconds or "forever".
 *
 *   open S KIND NAME ACCESS   STATUS     access: read write
 *   close S                   ok
 *   any MS S...               STATUS INDEX    the index among the words; "-" when none was told
 *   all MS S...               STATUS
 *   swap S T MS               STATUS of signalling S and waiting for T
 *   begin COMMAND...          "waiting", and then the answer to any, all or swap
 *   release S [COUNT]         STATUS
 *   set S                     STATUS
 *   reset S                   STATUS
 *   arm S CLOCK NS PERIOD     STATUS of setting a timer; clock: relative utc; NS nanoseconds, PERIOD milliseconds
 *   cancel S                  STATUS
 *   state S                   the first number of a query: owned, count, set or signalled
 *   spin S...                 "spinning"; then it polls for all of them until it is killed
 *   patient                   yes or no: is the re-check an hour from here on?
 */
#ifndef ISTHMUS_TESTS_WAITER_H
#define ISTHMUS_TESTS_WAITER_H

#include "kind.h"
#include "peer.h"

#define WAITER_ROLE "waiter"

int waiter_run(int argc, char **argv);

/* A row of a test's table of roles. */
#define WAITER_ROLE_ROW                                                                                                \
    {                                                                                                                  \
        WAITER_ROLE, waiter_run                                                                                        \
    }

typedef struct waiter_set {
    size_t count;
    const ist_waitable *items[IST_WAIT_MAX];
    void *handles[IST_WAIT_MAX];
    kind_number sorts[IST_WAIT_MAX];
    char names[IST_WAIT_MAX][NAME_SIZE];
} waiter_set;

/* Creates one object for each word and puts it at the set's end: "mutex", "owned" (a mutex, the calling thread's),
   "event" and "timer" (automatic), "manual" (an event), "manual-timer", "set" and "manual-set" (events that are set),
   or a number: a semaphore's count. The list ends with NULL. */
void waiter_make(waiter_set *set, ...);

void waiter_close(waiter_set *set);

/* A peer that has opened the set's objects, for writing. A patient one does not look again by itself, where that can be
   had: a wake-up that is lost is not healed. */
peer *waiter_start(const waiter_set *set);
peer *waiter_start_patient(const waiter_set *set);

/* Has a peer begin to wait: "any forever 0 1". Its next answer is that of the wait. When this returns, the call is
   about to begin and has had time to block. */
void waiter_begin(peer *who, const char *wait);

/* What each object of the set is, in words of one number each, as the role's "state" has them: "1 0 2". */
#define WAITER_CHECK(set, states) waiter_check_at(__FILE__, __LINE__, set, states)
void waiter_check_at(const char *file, int line, const waiter_set *set, const char *states);

/* Hears what a peer that has begun to wait has got. */
#define WAITER_HEAR(who, answer) waiter_hear_at(__FILE__, __LINE__, who, answer)
void waiter_hear_at(const char *file, int line, peer *who, const char *answer);

/* A peer acquires the mutex at this place of the set and ends without releasing it. */
void waiter_abandon(const waiter_set *set, size_t place);

/* Waits, by itself, at least so long. */
void waiter_rest(int64_t time_ns);

/* What this process waits for as long as a test may take. */
int64_t waiter_bound_ns(void);

/* No re-check in this process from here on, where that can be had; true where it is so. */
bool waiter_be_patient(void);

#endif
