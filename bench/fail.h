/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a benchmark says when a call fails. All answer false.
 */
#ifndef ISTHMUS_BENCH_FAIL_H
#define ISTHMUS_BENCH_FAIL_H

#include <stdbool.h>

#include <isthmus/isthmus.h>

bool fail_say(const char *what, const char *why);

/* With errno. */
bool fail_system(const char *call);

/* With the error detail. */
bool fail_library(const char *call, ist_status status);

#endif
