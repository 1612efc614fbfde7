/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The second process of a test: the same binary, run again in a role, and spoken to in lines over two pipes.
 *
 * How a test binary is put together: one executable for each file of tests/conformance (tests/process, tests/unit),
 * made of that file, the library, cmocka, threads, and of tests/support
 *     check.c peer.c holder.c   and   peer_posix.c host_posix.c  or  peer_win32.c host_win32.c
 * with tests/ as an include directory ("support/peer.h"). Its main is
 *     int main(int argc, char **argv) { return peer_main(argc, argv, roles, COUNT_OF(roles), run_all); }
 * where run_all runs a cmocka group. The role "holder" (holder.c) is always there; roles may be NULL. An argument
 * is a filter: `test_lifetime 'a_view*'` runs the tests whose names match.
 *
 * Environment: ISTHMUS_TEST_SLOW (bounds of 60 seconds rather than 10), ISTHMUS_TEST_PEERS (fewer peers in a crowd),
 * ISTHMUS_TEST_RUNNER (POSIX: a program that runs the binary, for emulators without binfmt). For tests/process, as
 * their first lines tell: ISTHMUS_TEST_MATRIX, _PAIRS, _STRIDE, _KILLS, _ROUNDS, _RANDOM, _SHARED. The working
 * directory is where the tests make their files: any place that can be written.
 *
 * Nothing is timed: a line is waited for, and after check_bound_ms() the test has failed because the peer hangs. A
 * peer whose test has ended reads the end of its input and ends.
 */
#ifndef ISTHMUS_TESTS_PEER_H
#define ISTHMUS_TESTS_PEER_H

#include "check.h"

#define PEER_LINE_SIZE 2048

typedef struct peer peer;

/* A role gets what peer_start was given behind the role's name, and its result is the exit code. */
typedef struct peer_role {
    const char *name;
    int (*run)(int argc, char **argv);
} peer_role;

int peer_main(int argc, char **argv, const peer_role *roles, size_t role_count, int (*run_all)(void));

/* ---- in the test ---- */

/* Starts a peer in a role. The arguments are a NULL-terminated list of texts without spaces and quotes. The peer
   inherits the two pipes and nothing else. */
peer *peer_start(const char *role, ...);

/* The same, and the peer inherits whatever else this process lets its children inherit. */
peer *peer_start_inheriting(const char *role, ...);

/* A peer in the role of holder.c. */
peer *peer_start_holder(void);

uint64_t peer_id(const peer *who);

void peer_say(peer *who, const char *format, ...) CHECK_FORMAT(2, 3);

/* The next line without its end. Fails the test when none comes in time, or when the peer has ended. */
void peer_hear(peer *who, char line[PEER_LINE_SIZE]);

/* Says a line and expects the answer to it. */
void peer_ask_at(const char *file, int line, peer *who, const char *answer, const char *format, ...) CHECK_FORMAT(5, 6);
#define PEER_ASK(who, answer, ...) peer_ask_at(__FILE__, __LINE__, who, answer, __VA_ARGS__)

/* Says a line and gives back the answer to it. */
void peer_query(peer *who, char answer[PEER_LINE_SIZE], const char *format, ...) CHECK_FORMAT(3, 4);

/* Ends the peer at whatever it is doing (SIGKILL, TerminateProcess) and waits until the system reports its end. The
   pipes stay with the test, for an heir, until peer_forget. */
void peer_kill(peer *who);

/* Stops the peer at whatever it is doing, and lets it go on. */
void peer_stop(peer *who);
void peer_go(peer *who);

/* Closes the peer's input, waits for its end, and fails the test unless it exited with 0. Frees it. */
void peer_end(peer *who);

/* Waits for a peer that ends by itself: true when it exited with 0, false when it crashed or failed. Frees it. */
bool peer_ended_well(peer *who);

/* Closes the pipes of a killed peer and frees it. */
void peer_forget(peer *who);

/* Kills and forgets whatever is left: what a test that failed has not done. */
void peer_kill_all(void);

/* A name as one word of a line: %XX for what is not plain; NULL is "-". The text lives until the eighth call after. */
const char *peer_word(const char *name);

/* ---- in the peer ---- */

/* The next line from the test; false when there will be none. */
bool peer_listen(char line[PEER_LINE_SIZE]);

void peer_answer(const char *format, ...) CHECK_FORMAT(1, 2);

/* Undoes peer_word, in place; NULL for "-". */
char *peer_unword(char *word);

/* Runs a role of this binary in a new program that gets this peer's pipes and whatever else is inherited by itself,
   and waits for its end: the heir speaks with the test from here on, also when this peer is killed. */
void peer_leave_heir(const char *role);

/* What became of this process in a fork. */
typedef enum peer_half { PEER_NO_FORK, PEER_CHILD, PEER_PARENT } peer_half;

/* Forks: the child speaks with the test from here on, also when this peer is killed; the parent comes back when the
   child has ended. PEER_NO_FORK where there is none. */
peer_half peer_fork(void);

/* Makes a new program of this process, in a role, with the same pipes; comes back only where a process cannot. */
void peer_become(const char *role);

/* Ends this process without any clean-up. */
void peer_vanish(void);

#endif
