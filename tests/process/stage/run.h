/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Runs of one operation, each of which stands still at another instruction of it. A child does it; the keeper, who has
 * made the world, and the rival, who may own its mutex, are there all the time.
 */
#ifndef ISTHMUS_TESTS_PROCESS_RUN_H
#define ISTHMUS_TESTS_PROCESS_RUN_H

#include "play.h"
#include "player.h"
#include "trace.h"

/* What the processes tell each other. */
typedef struct run_board {
    world_state next;  /* what the keeper is to make */
    world_state found; /* what it has found */
    ist_status status; /* the child's, */
    size_t index;      /* its index, if it waited for any, */
    int releases;      /* and how often it owned the mutex afterwards */
} run_board;

extern run_board *run_shared;
extern player run_keeper;
extern player run_rival;

/* How often an operation stood somewhere, had not happened there, and had. */
typedef struct run_tally {
    unsigned tried;
    unsigned before;
    unsigned after;
} run_tally;

typedef struct run_way {
    const char *fate;
    /* Around all runs of this way: who else is there comes, and goes. May be NULL. */
    void (*enter)(void);
    void (*leave)(void);
    /* The child stands at the beginning of its operation. May be NULL. */
    void (*begin)(const play *played);
    /* The child stands in it, after n instructions, or has ended it (n is 0, only where there is a begin): to do what
     * is to be done, see the child to its end, and check. */
    void (*end)(const play *played, trace *child, unsigned n, run_tally *count);
} run_way;

/* False where this cannot be done, or is not asked for; says why. */
bool run_works(const char **why);

/* Plays the operation in each way, at each place of it that is tried; fails where something is left behind. The rival
   owns the mutex where the play begins so, and releases it when the child has ended. */
void run_all(const play *played, const run_way *ways, size_t count);

/* Takes the mutex from the rival in mid-run. */
void run_release_rival(void);

/* For a player: to look at the world and use everything in it; then to make of it what is next. */
player_act run_look;
player_act run_look_and_fill;

/* Prints what was done. */
void run_sum_up(void);

#endif
