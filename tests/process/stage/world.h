/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One object of each kind, by which several processes meet, and what a process may find of them: taken together the
 * five are one state, which an operation changes as a whole or not at all.
 */
#ifndef ISTHMUS_TESTS_PROCESS_WORLD_H
#define ISTHMUS_TESTS_PROCESS_WORLD_H

#include <isthmus/isthmus.h>

#include "stage.h"

/* Whose the mutex is. */
typedef enum world_owner { WORLD_FREE, WORLD_CHILD, WORLD_RIVAL, WORLD_ABANDONED } world_owner;

typedef struct world_state {
    world_owner owner;
    int count;     /* of the semaphore */
    int set;       /* the automatic event is */
    int manual;    /* the manual-reset one is */
    int signalled; /* the timer, one that a wait takes, is */
    int depth;     /* how often its owner, if that is the child, has acquired the mutex */
} world_state;

#define WORLD_COUNT_MAX 3

/* What this process holds. */
typedef struct world {
    ist_mutex *mutex;
    ist_semaphore *semaphore;
    ist_event *automatic;
    ist_event *manual;
    ist_timer *timer;
} world;

extern world here;

/* Names a new world: before the processes that share it are started. */
void world_name(void);

/* Makes it, or joins what another process has made; with the re-check of waits an hour away, or as usual. */
void world_enter(bool creates, bool rechecks);
void world_leave(void);

/* Opens and closes each object again, so that what the dead left is found. */
void world_touch(void);

/* Takes what there is and tells it; the mutex is free afterwards unless somebody living owns it, which is told as
   WORLD_RIVAL. depth is 0. */
world_state world_drain(void);

/* Makes an empty world what `wanted` says; the mutex stays as it is. */
void world_fill(const world_state *wanted);

/* Uses each object in every way, and leaves an empty world. `owned`: the mutex is somebody else's. */
void world_use(bool owned);

/* Whether one who comes later would see no difference. */
bool world_same(const world_state *a, const world_state *b);

void world_tell(const world_state *what, char out[80]);

/* The items of a wait. */
#define WORLD_ITEMS 5
typedef const ist_waitable *world_items[WORLD_ITEMS];

/* In the order of the letters: m, s, a, e (manual), t. Returns how many. */
size_t world_list(const char *letters, world_items out);

#endif
