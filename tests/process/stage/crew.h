/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the crowd of posix_kills.c does, and what it keeps account of, in memory that is none of the library's.
 */
#ifndef ISTHMUS_TESTS_PROCESS_CREW_H
#define ISTHMUS_TESTS_PROCESS_CREW_H

#include <stdint.h>

#define CREW_MOST 64
#define CREW_KEEPERS 3

/* A new account, and names. */
void crew_begin(void);

/* What a keeper does until crew_end(): mends, rings the bell, or sets the alarm. The first makes the objects and, in
   the end, checks the account. */
int crew_keep(unsigned keeper);
void crew_wait_ready(void);
void crew_end(void);

/* In one of the crowd: opens everything; does one thing. */
void crew_join(void);
void crew_work(unsigned place, uint64_t random);

/* Around its life: before it is started, before it is killed, and when it is dead. */
void crew_reset(unsigned place);
void crew_doom(unsigned place);
void crew_bury(unsigned place);

/* Prints what was done. */
void crew_tell(void);

#endif
