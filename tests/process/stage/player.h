/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A process that does what it is told, one thing after the other, until it is dismissed. Who asks waits for the answer
 * no longer than the bound of a hang.
 */
#ifndef ISTHMUS_TESTS_PROCESS_PLAYER_H
#define ISTHMUS_TESTS_PROCESS_PLAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef int player_act(uintptr_t argument);

typedef struct player {
    pid_t pid;
    struct player_desk *desk;
} player;

/* Starts one, a child of the caller. What it is told to do must be there when it is started. */
player player_start(void);

/* Tells it to do something. */
void player_begin(const player *who, player_act *act, uintptr_t argument);

/* Whether it has done it. */
bool player_is_done(const player *who);

/* Waits for it: what the act returned. -1, and a failure, if it hangs. */
int player_end(const player *who);

/* Both. */
int player_ask(const player *who, player_act *act, uintptr_t argument);

/* Waits until it sleeps in the library, on a word that another process is to change; or has done what it was told. */
void player_wait_asleep(const player *who);

/* Lets it exit; or kills it. */
void player_dismiss(player *who);
void player_kill(player *who);

#endif
