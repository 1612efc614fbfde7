/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Players wait at a desk in memory that they share with who asks.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "player.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "support/check.h"

#include "stage.h"

struct player_desk {
    sem_t told;
    sem_t done;
    player_act *act; /* NULL: leave */
    uintptr_t argument;
    int result;
    unsigned begun;
};

static void work_at(struct player_desk *desk)
{
    for (;;) {
        alarm(0);
        while (sem_wait(&desk->told) != 0)
            continue;
        if (desk->act == NULL)
            return;
        alarm(STAGE_DEADLINE_SECONDS);
        __atomic_store_n(&desk->begun, 1, __ATOMIC_SEQ_CST);
        desk->result = desk->act(desk->argument);
        sem_post(&desk->done);
    }
}

player player_start(void)
{
    player who = {0, mmap(NULL, sizeof *who.desk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    if (who.desk == MAP_FAILED || sem_init(&who.desk->told, 1, 0) != 0 || sem_init(&who.desk->done, 1, 0) != 0)
        abort();
    who.pid = stage_fork();
    if (who.pid == 0) {
        work_at(who.desk);
        exit(0);
    }
    return who;
}

void player_begin(const player *who, player_act *act, uintptr_t argument)
{
    who->desk->act = act;
    who->desk->argument = argument;
    who->desk->begun = 0;
    sem_post(&who->desk->told);
}

bool player_is_done(const player *who)
{
    int value = 0;
    sem_getvalue(&who->desk->done, &value);
    return value > 0;
}

int player_end(const player *who)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(check_bound_ms() / 1000);
    do
        rc = sem_timedwait(&who->desk->done, &until);
    while (rc != 0 && errno == EINTR);
    if (rc == 0)
        return who->desk->result;
    stage_fail("a player hangs");
    return -1;
}

int player_ask(const player *who, player_act *act, uintptr_t argument)
{
    player_begin(who, act, argument);
    return player_end(who);
}

#define CALL_FUTEX 202
#define CALL_FUTEX_WAITV 449

/* The call that a process sleeps in; -1 while it runs. */
static long call_of(pid_t pid)
{
    char path[64];
    char text[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/syscall", (long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    bool sleeps = fgets(text, sizeof text, file) != NULL && text[0] >= '0' && text[0] <= '9';
    fclose(file);
    return sleeps ? strtol(text, NULL, 10) : -1;
}

void player_wait_asleep(const player *who)
{
    int quiet = 0;
    while (quiet < 2 && !player_is_done(who)) {
        /* Before it begins it sleeps at its desk. */
        bool begun = __atomic_load_n(&who->desk->begun, __ATOMIC_SEQ_CST) != 0;
        long call = begun ? call_of(who->pid) : -1;
        quiet = call == CALL_FUTEX || call == CALL_FUTEX_WAITV ? quiet + 1 : 0;
        if (quiet < 2)
            usleep(20);
    }
}

static void clear(player *who)
{
    munmap(who->desk, sizeof *who->desk);
    who->pid = 0;
    who->desk = NULL;
}

void player_dismiss(player *who)
{
    player_begin(who, NULL, 0);
    if (stage_wait(who->pid) != 0)
        stage_fail("a player did not end well");
    clear(who);
}

void player_kill(player *who)
{
    stage_kill(who->pid);
    clear(who);
}
