/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How long a waiter takes to learn that the mutex's owner was killed, against what a program sees of a killed process
 * without the library: the end of a pipe that it held, its exit status, and a robust mutex.
 *
 * An owner is forked for each round. An executioner kills it some time after this process says so, when this process is
 * asleep; the time is that from just before the kill until this process is awake.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "measure.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "table.h"

#define BEFORE_KILL 2000000 /* nanoseconds until whoever waits is asleep */

typedef struct shared {
    _Alignas(64) pthread_mutex_t mutex;
    raw_event order; /* to the executioner */
    raw_event ready; /* the owner has what it is to be killed with */
    pid_t victim;    /* 0 ends the executioner */
    double killed_ns;
} shared;

typedef struct scene {
    shared *raw;
    ist_mutex *ours;
    int pipe[2];
} scene;

/* ---- the others ---- */

static bool be_executioner(void *context)
{
    shared *raw = context;
    const struct timespec rest = {0, BEFORE_KILL};

    for (;;) {
        raw_wait(&raw->order, RAW_FOREVER);
        if (raw->victim == 0)
            return true;
        (void)nanosleep(&rest, NULL);
        raw->killed_ns = measure_now_ns();
        if (kill(raw->victim, SIGKILL) != 0)
            return fail_system("kill");
    }
}

static bool be_owner(void *context)
{
    scene *all = context;
    ist_status status = ist_mutex_acquire(all->ours, IST_FOREVER);

    (void)close(all->pipe[0]);
    if (status != IST_OK && status != IST_ABANDONED)
        return fail_library("ist_mutex_acquire", status);
    if (pthread_mutex_lock(&all->raw->mutex) == EOWNERDEAD && pthread_mutex_consistent(&all->raw->mutex) != 0)
        return fail_say("pthread_mutex_consistent", "failed");
    raw_set(&all->raw->ready);
    for (;;)
        (void)pause();
}

/* ---- the ways to learn of it ---- */

typedef bool learn(scene *all, pid_t owner);

static bool learn_by_wait(scene *all, pid_t owner)
{
    siginfo_t facts;

    (void)all;
    return waitid(P_PID, (id_t)owner, &facts, WEXITED | WNOWAIT) == 0 || fail_system("waitid");
}

static bool learn_by_pipe(scene *all, pid_t owner)
{
    char byte = 0;

    (void)owner;
    return read(all->pipe[0], &byte, 1) == 0 || fail_system("read");
}

static bool learn_by_robust_mutex(scene *all, pid_t owner)
{
    (void)owner;
    return (pthread_mutex_lock(&all->raw->mutex) == EOWNERDEAD && pthread_mutex_consistent(&all->raw->mutex) == 0 &&
            pthread_mutex_unlock(&all->raw->mutex) == 0) ||
           fail_say("pthread_mutex_lock", "not abandoned");
}

static bool learn_by_mutex(scene *all, pid_t owner)
{
    ist_status status = ist_mutex_acquire(all->ours, IST_FOREVER);

    (void)owner;
    if (status != IST_ABANDONED)
        return fail_library("ist_mutex_acquire", status);
    status = ist_mutex_release(all->ours);
    return status == IST_OK || fail_library("ist_mutex_release", status);
}

typedef struct way {
    const char *name;
    learn *once;
} way;

static const way ways[] = {
    {"abandoned ist_mutex", learn_by_mutex},
    {"the end of a pipe", learn_by_pipe},
    {"waitid", learn_by_wait},
    {"abandoned robust mutex", learn_by_robust_mutex},
};
#define WAYS (sizeof ways / sizeof ways[0])

/* ---- the table ---- */

/* Microseconds; below 0 on failure. The owner is a peer, so that it does not outlive this process. */
static double measure_once_by(scene *all, const way *by)
{
    peers owners = {{0}, 0};
    double learnt_ns = 0;

    if (pipe(all->pipe) != 0)
        return fail_system("pipe"), -1;
    if (!peers_start(&owners, be_owner, all))
        return -1;
    (void)close(all->pipe[1]);
    raw_wait(&all->raw->ready, RAW_FOREVER);
    all->raw->victim = owners.each[0];
    raw_set(&all->raw->order);
    if (!by->once(all, owners.each[0]))
        return -1;
    learnt_ns = measure_now_ns();
    (void)close(all->pipe[0]);
    if (waitpid(owners.each[0], NULL, 0) != owners.each[0])
        return fail_system("waitpid"), -1;
    return (learnt_ns - all->raw->killed_ns) / 1e3;
}

static void print_way(size_t which, double *times_us, const double *first_us, double *ratios, size_t count)
{
    for (size_t n = 0; n < count; n++)
        ratios[n] = first_us[n] / times_us[n];
    qsort(ratios, count, sizeof *ratios, measure_order);
    if (which > 0)
        (void)printf("| %s | **%.2f** | %.2f to %.2f |", ways[which].name, measure_quantile(ratios, count, 0.5),
                     measure_quantile(ratios, count, 0.25), measure_quantile(ratios, count, 0.75));
    else
        (void)printf("| %s | | |", ways[which].name);
}

static void print_times(double *times_us, size_t count)
{
    qsort(times_us, count, sizeof *times_us, measure_order);
    (void)printf(" %.0f | %.0f | %.0f |\n", measure_quantile(times_us, count, 0.5),
                 measure_quantile(times_us, count, 0.99), times_us[count - 1]);
}

static bool measure_all(scene *all, size_t rounds)
{
    double *times_us = malloc((WAYS + 1) * rounds * sizeof *times_us);
    bool done = times_us != NULL;

    for (size_t round = 0; round < rounds && done; round++)
        for (size_t n = 0; n < WAYS && done; n++) {
            size_t which = (n + round) % WAYS;

            times_us[which * rounds + round] = measure_once_by(all, &ways[which]);
            done = times_us[which * rounds + round] >= 0;
        }
    if (done)
        (void)printf("\n# The owner is killed: %zu times each, a kill to be learnt by\n\n"
                     "| | ist_mutex / this | quartiles | median us | 99%% us | worst us |\n"
                     "|---|---:|---|---:|---:|---:|\n",
                     rounds);
    for (size_t n = WAYS; n > 0 && done; n--) {
        print_way(n - 1, times_us + (n - 1) * rounds, times_us, times_us + WAYS * rounds, rounds);
        print_times(times_us + (n - 1) * rounds, rounds);
    }
    free(times_us);
    return done;
}

static bool run(scene *all, size_t rounds)
{
    peers executioner = {{0}, 0};
    bool done = peers_start(&executioner, be_executioner, all->raw) && measure_all(all, rounds);

    all->raw->victim = 0;
    raw_set(&all->raw->order);
    return peers_join(&executioner) && done;
}

/* Whoever was killed left its part of the library's files behind: the next process to come removes it. */
static bool sweep(void *context)
{
    ist_mutex *mutex = NULL;
    ist_status status = ist_mutex_create(&mutex, NULL, NULL);

    (void)context;
    ist_mutex_close(mutex);
    return status == IST_OK || fail_library("ist_mutex_create", status);
}

int main(int argc, char **argv)
{
    options how = {300, 1};
    scene all = {raw_memory(sizeof(shared)), NULL, {-1, -1}};
    peers sweeper = {{0}, 0};
    ist_status status = IST_OK;
    bool done = options_read(argc, argv, &how);

    if (all.raw == NULL)
        return fail_system("mmap"), 1;
    status = ist_mutex_create(&all.ours, NULL, NULL);
    done = done && (status == IST_OK || fail_library("ist_mutex_create", status)) && raw_mutex_make(&all.raw->mutex) &&
           run(&all, how.pairs);
    ist_mutex_close(all.ours);
    (void)munmap(all.raw, sizeof *all.raw);
    done = peers_start(&sweeper, sweep, NULL) && peers_join(&sweeper) && done;
    return done ? 0 : 1;
}
