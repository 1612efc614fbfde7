/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The gate that every registry call passes: a fork waits until all are through, so that a child inherits no hold that
 * belongs to no handle; and a thread cannot be cancelled inside, where it could leave a lock in a living process.
 */
#ifndef ISTHMUS_POSIX_GATE_H
#define ISTHMUS_POSIX_GATE_H

#include <stdbool.h>

/* Returns what gate_leave() needs. */
int gate_enter(void);
void gate_leave(int entered);

/* The same where waiting for the end of the process would be wrong: false if another thread is ending it. */
bool gate_try_enter(int *entered);

#endif
