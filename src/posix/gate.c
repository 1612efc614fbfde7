/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The gate. Who wants to fork closes it first and then waits for those inside, so that busy threads cannot starve a
 * fork. A thread that a signal handler which forks has interrupted inside cannot be waited for, and in the few lines
 * where it has the mutex such a fork hangs: POSIX no longer allows fork in a signal handler. At exit the gate stays
 * closed: other threads wait there for the end of the process.
 */
#include "posix/gate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/atomic.h"
#include "posix/claim.h"
#include "posix/descriptor.h"
#include "posix/life.h"
#include "posix/registry.h"
#include "posix/scope.h"
#include "posix/ticket.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned inside;
static unsigned closed; /* by so many forks and the exit */
static bool exiting;
static bool installed;
static IST_THREAD_LOCAL unsigned inside_here;
static IST_THREAD_LOCAL bool exiting_here;
static IST_THREAD_LOCAL bool exiting_again; /* at_exit is to run once more */

static void close_gate(void)
{
    (void)pthread_mutex_lock(&mutex);
    closed++;
    while (inside > inside_here)
        (void)pthread_cond_wait(&changed, &mutex);
    (void)pthread_mutex_unlock(&mutex);
}

static void after_fork_in_parent(void)
{
    (void)pthread_mutex_lock(&mutex);
    closed--;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&mutex);
}

/* The forking thread is the only one here, and other threads may have been in the mutex. */
static void after_fork_in_child(void)
{
    (void)pthread_mutex_init(&mutex, NULL);
    (void)pthread_cond_init(&changed, NULL);
    inside = inside_here;
    closed = exiting && exiting_here ? 1 : 0;
    exiting = exiting_here;
    descriptor_reset_after_fork();
    scope_reset_after_fork();
    registry_reset_after_fork();
    claims_reset_after_fork();
    ticket_reset_after_fork();
    life_reset_after_fork();
}

/* Destructors that run later in this thread may still close what they have, and make more: then it runs again. */
static void at_exit(void)
{
    exiting_again = false;
    if (!exiting_here) {
        exiting_here = true;
        exiting = true;
        close_gate();
        /* From here on this thread is inside: nobody forks in the middle of it. */
        (void)pthread_mutex_lock(&mutex);
        inside++;
        inside_here++;
        (void)pthread_mutex_unlock(&mutex);
    }
    ticket_withdraw_all();
    life_leave_all();
    registry_close_all();
}

/* When the program is loaded, before there are threads: a child that is forked while another thread is at it would wait
   for that thread for ever. Only what is called before, by another constructor, finds it undone. */
__attribute__((constructor)) static void install(void)
{
    if (!installed) {
        installed = true;
        life_install();
        (void)pthread_atfork(close_gate, after_fork_in_parent, after_fork_in_child);
        (void)atexit(at_exit);
    }
}

int gate_enter(void)
{
    int cancel_state = 0;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    install();
    if (exiting_here && !exiting_again)
        exiting_again = atexit(at_exit) == 0;
    (void)pthread_mutex_lock(&mutex);
    while (closed != 0 && inside_here == 0 && !exiting_here)
        (void)pthread_cond_wait(&changed, &mutex);
    inside++;
    inside_here++;
    (void)pthread_mutex_unlock(&mutex);
    return cancel_state;
}

bool gate_try_enter(int *entered)
{
    bool ending = false;

    (void)pthread_mutex_lock(&mutex);
    ending = exiting && !exiting_here && inside_here == 0;
    (void)pthread_mutex_unlock(&mutex);
    if (!ending)
        *entered = gate_enter();
    return !ending;
}

void gate_leave(int entered)
{
    (void)pthread_mutex_lock(&mutex);
    inside--;
    inside_here--;
    if (closed != 0)
        (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&mutex);
    (void)pthread_setcancelstate(entered, NULL);
}
