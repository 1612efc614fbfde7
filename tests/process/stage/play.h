/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One operation in a world (world.h): what a process does, and what should come of it.
 */
#ifndef ISTHMUS_TESTS_PROCESS_PLAY_H
#define ISTHMUS_TESTS_PROCESS_PLAY_H

#include "world.h"

typedef enum play_verb {
    PLAY_ACQUIRE, /* by the mutex's own call */
    PLAY_WAIT,
    PLAY_ANY,
    PLAY_ALL,
    PLAY_RELEASE_MUTEX,
    PLAY_RELEASE_SEMAPHORE,
    PLAY_SET,
    PLAY_SET_MANUAL,
    PLAY_RESET,
    PLAY_RESET_MANUAL,
    PLAY_SET_TIMER,
    PLAY_SET_TIMER_LATE,
    PLAY_CANCEL
} play_verb;

typedef struct play {
    const char *name;
    play_verb does;
    const char *letters; /* of a wait: for what */
    int64_t timeout_ns;
    bool cold; /* the child's first acquisition */
    world_state start;
} play;

/* Does it to this process's world; *index is that of a wait for any. */
ist_status play_act(const play *played, size_t *index);

/* Does to a state what it should do to the world. */
ist_status play_happen(const play *played, world_state *now);

#endif
