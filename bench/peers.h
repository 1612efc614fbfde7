/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Other processes with a part in what is measured. They are forked, and so have the objects that were made before.
 */
#ifndef ISTHMUS_BENCH_PEERS_H
#define ISTHMUS_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PEERS_MOST 256

typedef struct peers {
    pid_t each[PEERS_MOST];
    size_t count;
} peers;

/* A peer's whole life. Where it fails the benchmark ends: others wait for it. */
typedef bool peers_role(void *context);

bool peers_start(peers *all, peers_role *role, void *context);

/* Waits until they have ended by themselves; false if one did otherwise. */
bool peers_join(peers *all);

#endif
