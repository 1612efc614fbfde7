/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A scene: up to three processes and one name. A holder H, an actor A that is stopped in the middle of an operation,
 * and an actor B that comes along meanwhile and may be stopped in the middle of its own. Then some are killed, the
 * others go on, and what they saw, and what a newcomer sees, is compared with what the rules allow:
 *
 * - nothing hangs, and every status is one that the situation allows;
 * - whoever ends up with a handle shares one object with every other holder, and a newcomer reaches it (L1, L8);
 * - what a dead holder left is never seen by those who came after it (L4, hazard 3);
 * - in the end the name is free, a new object of that name is zero-filled, and no file is left (L1, L3).
 */
#ifndef ISTHMUS_TESTS_PROCESS_SCENE_H
#define ISTHMUS_TESTS_PROCESS_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"
#include "trace.h"

typedef enum scene_op {
    SCENE_NOTHING, /* there is no such actor */
    SCENE_CREATE,
    SCENE_OPEN,
    SCENE_CLOSE,  /* of a handle it got before, by creating */
    SCENE_SWEEP,  /* the first call of a process, about another name */
    SCENE_FIRST,  /* to create, as the first call of a process */
    SCENE_EXPORT, /* of a handle it got before, to the parent */
    SCENE_IMPORT  /* of a token that H made for it */
} scene_op;

typedef enum scene_holder {
    SCENE_NOBODY,       /* there is no H */
    SCENE_DEAD,         /* H was killed before the actors begin */
    SCENE_ALIVE,        /* H holds throughout */
    SCENE_DIES_EARLY,   /* H is killed when A has stopped, before B begins */
    SCENE_DIES_LATE,    /* H is killed when both have stopped */
    SCENE_CLOSES_EARLY, /* H closes when A has stopped */
    SCENE_CLOSES_LATE   /* H closes when both have stopped */
} scene_holder;

typedef enum scene_fate {
    SCENE_ALL_FINISH, /* B goes on, then A */
    SCENE_A_FINISHES, /* A goes on, then B */
    SCENE_A_DIES,
    SCENE_B_DIES,
    SCENE_BOTH_DIE
} scene_fate;

#define SCENE_THROUGH (~0u) /* is not stopped at all */

typedef struct scene {
    scene_op a;
    scene_op b;
    scene_holder holder;
    scene_fate fate;
    unsigned a_stops; /* how many stops A makes before the rest happens */
    unsigned b_stops;
} scene;

/* How far the actors came. */
typedef struct scene_reach {
    bool a_stopped; /* A stands within its operation, not behind it */
    bool b_stopped;
} scene_reach;

/* False where scenes cannot be played, because processes cannot be traced or are not overtaken; says why. */
bool scene_works(const char **why);

/* Which name the scenes are about. */
typedef enum scene_flavour {
    SCENE_LOCAL,      /* `Local\`, for its user only */
    SCENE_GLOBAL_READ /* `Global\`, where everybody may read: its life word is in a file of its own */
} scene_flavour;

/* Makes what the scenes of this process share, and chooses names of that flavour that nobody else uses. */
void scene_prepare(scene_flavour flavour);

/* Says which scene is played, for the message of a failure. */
void scene_announce(const scene *played);

/* Plays one scene and checks it; failures are counted by the stage. */
scene_reach scene_play(const scene *played);

#endif
