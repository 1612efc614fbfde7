/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The role that gives the tests of mutexes, semaphores, events and timers their second process: it does what the lines
 * say and answers in names of statuses. NAME and WORD are peer_words; KIND is mapping, mutex, semaphore, event or
 * timer; numbers are decimal; MS is milliseconds or "forever". There are sixteen slots, each with a handle.
 *
 *   slot N                        ok
 *   create KIND NAME [OPTION...]  STATUS     options: owned set manual initial=N maximum=N
 *   open KIND NAME ACCESS         STATUS     access: read write
 *   close                         ok
 *   export PID ACCESS             STATUS TOKEN
 *   import KIND WORD              STATUS
 *   wait MS                       STATUS
 *   block MS [DONE]               "waiting", and then the STATUS of the wait
 *   signal N MS [DONE]            STATUS of signalling slot N and waiting for the current one
 *   volley N ROUNDS               STATUS of signalling slot N and waiting for the current one, so often
 *   answer N ROUNDS               STATUS of polling the current slot until it is taken and signalling N, so often
 *   release [COUNT]               STATUS; of a semaphore STATUS PREVIOUS
 *   set                           STATUS
 *   reset                         STATUS
 *   due MS                        STATUS of setting a timer, relative
 *   query                         STATUS and the state's fields as numbers, in their order
 *   pour ROUNDS                   how often releasing a semaphore by 1 was IST_OK, and the sum of the previous counts
 *   drain ROUNDS                  how often a poll was IST_OK
 *   count NAME ROUNDS             ok: under the mutex, adds one to the number in the mapping NAME, so often
 *   threads N COMMAND...          N threads do the command, each answers, and all have ended
 *   enter                         "in": a thread obeys from here on
 *   leave                         "out": that thread has ended
 *   fork                          "child": the child obeys from here on; "parent" when it has ended
 *   become                        "again": the process has become a new program in this role, with empty slots
 *   heir                          as for a holder
 *   patient                       yes or no: is the re-check an hour from here on?
 *   exit                          (nothing; exits with 0 and closes nothing)
 *   vanish                        (nothing; ends without any clean-up)
 *
 * DONE is the slot of a semaphore that is released by 1 after a wait that took something.
 */
#ifndef ISTHMUS_TESTS_SYNC_H
#define ISTHMUS_TESTS_SYNC_H

#include "peer.h"

extern const peer_role sync_roles[];
extern const size_t sync_role_count;

/* A peer in this role. */
peer *sync_start(void);

/* A peer whose re-check is an hour, where that can be had: a wake-up that is lost is not healed. */
peer *sync_start_patient(void);

/* Has a peer begin to wait for the object in its slot; its next answer is the status. When this returns, the call is
   about to begin and has had time to block. */
void sync_block(peer *who);

/* Gives others time for what cannot be seen to have happened, such as falling asleep. No test depends on it. */
void sync_pause(void);

/* What this process waits for as long as a test may take. */
int64_t sync_bound_ns(void);

/* Hears what a peer that blocked has got. */
#define SYNC_HEAR(who, answer) sync_hear_at(__FILE__, __LINE__, who, answer)
void sync_hear_at(const char *file, int line, peer *who, const char *answer);

/* Whether the next answer is this one; any other but `otherwise` fails the test. */
bool sync_hears(peer *who, const char *answer, const char *otherwise);

#endif
