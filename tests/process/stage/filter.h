/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which system calls the calling process may make from here on. There is no way back.
 */
#ifndef ISTHMUS_TESTS_PROCESS_FILTER_H
#define ISTHMUS_TESTS_PROCESS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

/* False where calls cannot be filtered; says why. */
bool filter_works(const char **why);

/* Any call but write and exit is a failure, and the end of the process. */
bool filter_forbid_all(void);

/* This call is refused with this error. */
bool filter_refuse(unsigned call, unsigned error);

#endif
