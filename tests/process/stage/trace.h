/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Runs a child from one system call to the next. A stop is where a traced process stands: at the entry of a call (not
 * made yet), at its exit (made, its result not seen yet), or at a mark that the child sets itself. While it stands it
 * does nothing at all, as a process that got SIGSTOP at that instant.
 */
#ifndef ISTHMUS_TESTS_PROCESS_TRACE_H
#define ISTHMUS_TESTS_PROCESS_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

/* What a mark is made of. */
#define TRACE_MARK_SIGNAL SIGUSR1

typedef struct trace {
    pid_t pid;      /* 0 when there is none */
    bool ended;     /* reaped, as `status` says */
    bool marked;    /* stands at a mark */
    bool entry;     /* stands at an entry rather than at an exit */
    long call;      /* number of the call at which it last stood */
    int status;     /* as waitpid() gives it */
    unsigned stops; /* system-call stops since the last mark */
} trace;

/* False where processes cannot be traced; says why. */
bool trace_works(const char **why);

/* In the child: lets the parent trace it, and stands until trace_begin(). */
void trace_join(void);

/* In the child: a mark. Does nothing in a process that has not joined. */
void trace_mark(void);

/* In the parent: takes the child that joins; it stands at its first mark. */
void trace_begin(trace *child, pid_t pid);

/* Runs to the next mark. False when it ended before. */
bool trace_to_mark(trace *child);

/* Runs at most `stops` stops further. False when a mark or its end came first. */
bool trace_steps(trace *child, unsigned stops);

/* Lets it run freely to its end, and reaps it: 0 when it exited with 0. */
int trace_finish(trace *child);

/* Lets it run freely, untraced. For a thread that is not a child. */
void trace_let_go(trace *child);

/* Kills it where it stands, and reaps it. */
void trace_kill(trace *child);

#endif
