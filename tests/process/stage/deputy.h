/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A deputy: a thread of another process that does one job after the other, asked and answered through shared memory.
 * Processes are forked, so that a job is a function of the test and what is static is each process's own.
 */
#ifndef ISTHMUS_TESTS_PROCESS_DEPUTY_H
#define ISTHMUS_TESTS_PROCESS_DEPUTY_H

#include "stage.h"

typedef ist_status deputy_job(unsigned number);

typedef struct deputy {
    pid_t process; /* 0 when there is none any more */
    pid_t thread;  /* as the system counts it */
    deputy_job *job;
    unsigned number;
    unsigned asked;
    unsigned answered;
    ist_status status;
} deputy;

/* A process of its own, forked by the caller. */
deputy *deputy_start(void);

/* One more thread in a deputy's process; it does its jobs beside it. */
deputy *deputy_start_thread(deputy *host);

/* A process that a deputy's process forks, from the deputy's thread; it outlives that. A raw one is made by the system
   call alone, and no handler of a fork runs. */
deputy *deputy_start_child(deputy *host, bool raw);

/* Has it begin a job. */
void deputy_ask(deputy *who, deputy_job *job, unsigned number);

/* Waits for what the job returns. */
ist_status deputy_answer(deputy *who);

/* Both. */
ist_status deputy_do(deputy *who, deputy_job *job, unsigned number);

bool deputy_has_answered(const deputy *who);

/* Waits until it sleeps in the job that it was asked for, or has answered. */
void deputy_await_sleep(const deputy *who);

/* Has it begin a job in which it falls asleep, and waits until it has. */
void deputy_ask_asleep(deputy *who, deputy_job *job, unsigned number);

/* How often it has gone to sleep by itself since it began to exist. */
unsigned long deputy_sleeps(const deputy *who);

/* Kills its process, and waits for its end. */
void deputy_kill(deputy *who);

/* Lets a thread end, or a process exit; and waits for that. */
void deputy_end(deputy *who);

/* Waits for a process that ends by a job of its own. */
int deputy_await_end(deputy *who);

#define DEPUTY_IS(who, job, number, wanted)                                                                            \
    stage_is(deputy_do((who), (job), (number)), (wanted), #who ": " #job "(" #number ")", __FILE__, __LINE__)
#define DEPUTY_ANSWERS(who, wanted)                                                                                    \
    stage_is(deputy_answer(who), (wanted), #who " at what it was asked for", __FILE__, __LINE__)

#endif
