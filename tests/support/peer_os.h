/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What peer.c needs of the system. peer_posix.c and peer_win32.c implement it.
 */
#ifndef ISTHMUS_TESTS_PEER_OS_H
#define ISTHMUS_TESTS_PEER_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct peer_os {
    intptr_t process; /* pid, or HANDLE */
    uint64_t id;      /* the process id */
    intptr_t input;   /* our end of the peer's input; -1 when closed */
    intptr_t output;  /* our end of the peer's output; -1 when closed */
    bool over;        /* the system has reported the end */
    int exit_code;    /* then: 0 to 255, or -1 for an end by a signal or an exception */
    bool inherits;    /* before the start: it gets whatever else can be inherited */
} peer_os;

/* Readies this process as a test: remembers the binary, ignores broken pipes. */
void peer_os_prepare(const char *self);

/* Readies this process as a peer: its crashes are quiet ends. */
void peer_os_settle(void);

/* argv is NULL-terminated and begins behind the binary's name. */
bool peer_os_start(peer_os *os, const char *const *argv);

bool peer_os_write(peer_os *os, const char *bytes, size_t size);

/* Bytes read (above 0), 0 at the end, -1 when nothing came in time. */
int peer_os_read(peer_os *os, char *bytes, size_t size, unsigned bound_ms);

void peer_os_close_input(peer_os *os);
void peer_os_close_output(peer_os *os);

void peer_os_kill(peer_os *os);
void peer_os_stop(peer_os *os);
void peer_os_go(peer_os *os);

/* Waits for the end; false when it does not come in time. */
bool peer_os_wait(peer_os *os, unsigned bound_ms);

/* The peer's side of the pipes. */
int peer_os_listen(char *bytes, size_t size);
bool peer_os_answer(const char *bytes, size_t size);

/* See peer_leave_heir; argv as for peer_os_start. */
bool peer_os_leave_heir(const char *const *argv);

/* See peer_fork: 0 in the child, 1 in the parent, -1 where there is no fork. */
int peer_os_fork(void);

/* See peer_become; argv as for peer_os_start. */
void peer_os_become(const char *const *argv);

void peer_os_vanish(void);

#endif
