/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What deputies work with: eight mutexes, eight automatic and eight manual-reset events, a semaphore, a timer, by name;
 * and the jobs that do something with one of them, which is their number.
 */
#ifndef ISTHMUS_TESTS_PROCESS_PROPS_H
#define ISTHMUS_TESTS_PROCESS_PROPS_H

#include "deputy.h"

#define PROPS 8
#define PROP_HOUR_NS (INT64_C(3600) * 1000000000)

extern ist_mutex *prop_mutex[PROPS];
extern ist_event *prop_event[PROPS];
extern ist_event *prop_manual[PROPS];
extern ist_semaphore *prop_semaphore; /* of at most 1000 */
extern ist_timer *prop_timer;

/* Chooses names; then this process or deputies get handles. */
void props_begin(const char *what);
ist_status props_open(unsigned unused);
void props_close(void);

/* Opens the first of each kind by name and puts it in the place of what is there; what cannot be opened stays. The
   status is the last failure's, if there is one. */
ist_status props_open_again(void);

/* A deputy that has handles. The second one's re-check is an hour: a wake-up that is lost stays lost. The third one's
   is a millisecond. */
deputy *props_deputy(void);
deputy *props_patient_deputy(void);
deputy *props_restless_deputy(void);

ist_status prop_acquire(unsigned number);             /* waits for ever */
ist_status prop_acquire_for_a_while(unsigned number); /* 300 ms */
ist_status prop_try(unsigned number);
ist_status prop_release(unsigned number);
ist_status prop_await_event(unsigned number);
ist_status prop_await_manual(unsigned number);
ist_status prop_set(unsigned number);
ist_status prop_reset(unsigned number);

/* The mutex's state as a query tells it: IST_OK free, IST_ABANDONED, IST_EXISTED owned here, IST_TIMEOUT owned by
   another thread. */
ist_status prop_look(unsigned number);

#endif
