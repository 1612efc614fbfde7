/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Whether a name lives.
 */
#ifndef ISTHMUS_TESTS_LIFE_H
#define ISTHMUS_TESTS_LIFE_H

#include "peer.h"

/* The name is free: nobody finds it, and creating it gives a fresh object. */
void life_check_gone(const char *name);

/* Somebody holds it. */
void life_check_alive(const char *name);

/* A peer that has created the name, mapped it, and written into it. */
peer *life_start_creator(const char *name);

#endif
