/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The gate. Invariant: while `forking`, nobody is inside but threads that were interrupted inside by a signal handler
 * which forks; those cannot be waited for.
 */
#include "posix/gate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/atomic.h"
#include "posix/registry.h"
#include "posix/ticket.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned inside;
static bool forking;
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static IST_THREAD_LOCAL unsigned inside_here;

static void before_fork(void)
{
    (void)pthread_mutex_lock(&mutex);
    while (forking || inside > inside_here)
        (void)pthread_cond_wait(&changed, &mutex);
    forking = true;
    (void)pthread_mutex_unlock(&mutex);
}

static void after_fork_in_parent(void)
{
    (void)pthread_mutex_lock(&mutex);
    forking = false;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&mutex);
}

/* The forking thread is the only one here, and other threads may have been in the mutex. */
static void after_fork_in_child(void)
{
    (void)pthread_mutex_init(&mutex, NULL);
    (void)pthread_cond_init(&changed, NULL);
    inside = inside_here;
    forking = false;
    scope_reset_after_fork();
    registry_reset_after_fork();
    ticket_reset_after_fork();
}

static void at_exit(void)
{
    int entered = gate_enter();

    ticket_withdraw_all();
    registry_close_all();
    gate_leave(entered);
}

static void install(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    (void)atexit(at_exit);
}

int gate_enter(void)
{
    int cancel_state = 0;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    (void)pthread_once(&installed, install);
    (void)pthread_mutex_lock(&mutex);
    while (forking)
        (void)pthread_cond_wait(&changed, &mutex);
    inside++;
    inside_here++;
    (void)pthread_mutex_unlock(&mutex);
    return cancel_state;
}

void gate_leave(int entered)
{
    (void)pthread_mutex_lock(&mutex);
    inside--;
    inside_here--;
    if (inside == 0 || forking)
        (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&mutex);
    (void)pthread_setcancelstate(entered, NULL);
}
