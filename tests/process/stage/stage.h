/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The stage on which the process tests play: a shared-memory directory that nobody else sees where the system lets us
 * have one, children that cannot outlive the test, and one count of failures for all processes. cmocka's own asserts
 * jump, so they belong to the process that runs the test and to no child of it: children use STAGE_CHECK.
 */
#ifndef ISTHMUS_TESTS_PROCESS_STAGE_H
#define ISTHMUS_TESTS_PROCESS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <isthmus/isthmus.h>

/* Nothing here takes a second; what takes this many hangs. */
#define STAGE_DEADLINE_SECONDS 60

/* Room for a name of stage_name(). */
#define STAGE_NAME_SIZE 96

/* Sets the stage; first thing in main(), before any thread and before the library is used. */
void stage_enter(void);

/* NULL when the stage is private, else why it is not. */
const char *stage_shared_because(void);

/* Puts an empty shared-memory file system with room for `size` (tmpfs options, such as "size=1m") over the stage, for
   this process and its children. False when the stage is not private. */
bool stage_mount(const char *options);

/* Forks a child that dies with its parent and after the deadline. */
pid_t stage_fork(void);

/* Runs `play(argument)` in such a child, which ends with what it returns; tells how it ended as waitpid() does. */
int stage_run(int (*play)(void *argument), void *argument);

/* Reaps, and tells how it ended as waitpid() does. */
int stage_wait(pid_t pid);

/* Kills, and reaps. */
void stage_kill(pid_t pid);

/* NULL when children can become other users on a private stage, else why not. */
const char *stage_one_user_because(void);

/* Becomes another user, with a group of the same number and one more, if that is not 0; in a child, as root. */
void stage_become(uid_t uid, gid_t group);

/* Zeroed memory that children share. Never given back. */
void *stage_memory(size_t bytes);

/* Counts a failure and says what it was, from any process. */
void stage_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define STAGE_CHECK(what) ((what) ? (void)0 : stage_fail("%s:%d: not so: %s", __FILE__, __LINE__, #what))
#define STAGE_IS(call, wanted) stage_is((call), (wanted), #call, __FILE__, __LINE__)
bool stage_is(ist_status got, ist_status wanted, const char *call, const char *file, int line);
unsigned stage_failures(void);

/* What is being played, for the message of a failure or a hang; re-arms the deadline. */
void stage_case(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a name that no other run uses: `prefix` (with its backslash, or empty), `what`, and this run. */
void stage_name(char out[STAGE_NAME_SIZE], const char *prefix, const char *what);

/* The directory of the caller's Local\ scope, and that of the machine's. */
void stage_local_directory(char *out, size_t size);
#define STAGE_GLOBAL_DIRECTORY (stage_global_directory())
const char *stage_global_directory(void);

/* Counts the entries in both scopes, on a shared stage only those with a name of this run; lists them in `list`. */
size_t stage_leftovers(char *list, size_t size);

/* Fails when there are some. */
void stage_check_empty(const char *when);

/* Removes everything from a private stage. */
void stage_clear(void);

/* Reads a number from the environment, or gives the default. */
unsigned long stage_number(const char *variable, unsigned long otherwise);

#endif
