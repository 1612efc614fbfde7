/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What sync.c and sync_calls.c know of each other. A test includes sync.h.
 */
#ifndef ISTHMUS_TESTS_SYNC_CALLS_H
#define ISTHMUS_TESTS_SYNC_CALLS_H

#include "peer.h"

typedef struct sync_command {
    const char *verb;
    size_t least_words; /* behind the verb */
    void (*run)(size_t count, char **words);
} sync_command;

extern const sync_command sync_calls[];
extern const size_t sync_calls_count;

#endif
