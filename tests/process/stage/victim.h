/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Victims: processes that use the first props of each kind while somebody damages them. Each call has to give a
 * status, and one that does not wait has to be over before long.
 */
#ifndef ISTHMUS_TESTS_PROCESS_VICTIM_H
#define ISTHMUS_TESTS_PROCESS_VICTIM_H

#include "props.h"

/* In this order; the last two are an automatic and a manual-reset event. */
enum victim_kind { VICTIM_MUTEX, VICTIM_SEMAPHORE, VICTIM_TIMER, VICTIM_EVENT, VICTIM_MANUAL, VICTIM_KINDS };

/* The caller's. */
void victim_items(const ist_waitable *items[VICTIM_KINDS]);

/* From here on a crash of this process ends it, rather than what cmocka does instead. */
void victim_may_crash(void);

/* Makes the caller's signalled. */
void victim_signal(void);

/* A child uses what it has inherited; another one opens the same by name first. */
void victim_meet(void);
void victim_meet_timer(void);

/* A child uses everything, and each call answers what it does for sound objects: this, of a wait for all of them. */
void victim_check(ist_status wanted);

#endif
