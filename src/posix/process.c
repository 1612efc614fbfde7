/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which process a number stands for. Linux tells the start time and the user in /proc; where that is missing a
 * process is known by its number alone and reached if a signal would reach it.
 */
#include "posix/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/descriptor.h"
#include "posix/error.h"

/* A field of /proc/<pid>/stat, counted from 1; the command in field 2 may contain anything, so count from its end. */
static const char *field_of(const char *stat, int wanted)
{
    const char *at = strrchr(stat, ')');

    for (int field = 2; field < wanted && at != NULL; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? at : "";
}

/* A process of which only the first thread has ended looks like an ended one, but has others. */
static bool has_ended(const char *stat)
{
    const char *state = field_of(stat, 3);

    return state[0] == ' ' && (state[1] == 'X' || (state[1] == 'Z' && strtoul(field_of(stat, 20), NULL, 10) <= 1));
}

/* Reads the beginning of /proc/<pid>/<what> as a string; an empty one if there is none to read. */
static ist_status read_proc(uint64_t id, const char *what, char *text, size_t size, plat_error *error)
{
    char path[48];
    ssize_t length = 0;
    int fd = -1;

    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/%s", id, what);
    fd = descriptor_open(AT_FDCWD, path, O_RDONLY, 0);
    text[0] = '\0';
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? error_from_errno(error, "open") : IST_OK;
    length = read(fd, text, size - 1);
    descriptor_drop(fd);
    text[length > 0 ? length : 0] = '\0';
    return IST_OK;
}

/* The second number behind "Uid:". The owner of the files in /proc would not do: after a change of user that is root.
 */
static uid_t effective_user(const char *status)
{
    const char *at = strstr(status, "\nUid:\t");

    at = at != NULL ? strchr(at + 6, '\t') : NULL;
    return at != NULL ? (uid_t)strtoul(at, NULL, 10) : (uid_t)-1;
}

/* Every thread can be found under /proc, though only processes are listed there. */
static bool is_thread(const char *status, uint64_t id)
{
    const char *at = strstr(status, "\nTgid:\t");

    return at != NULL && strtoull(at + 7, NULL, 10) != id;
}

ist_status process_identify(uint64_t id, process_identity *out, plat_error *error)
{
    char stat[1024];
    char status_text[1024];
    pid_t number = (pid_t)id;
    ist_status status = IST_OK;

    *out = (process_identity){id, 0, (uid_t)-1};
    if (number <= 0 || (uint64_t)number != id)
        return error_refuse(error, IST_E_ARG, "process id", "%s", "");
    if (kill(number, 0) != 0 && errno == ESRCH)
        return error_from_errno(error, "kill"), IST_E_ARG;
    status = read_proc(id, "stat", stat, sizeof stat, error);
    if (status == IST_OK)
        status = read_proc(id, "status", status_text, sizeof status_text, error);
    if (status != IST_OK)
        return status;
    if (stat[0] == '\0' && kill(number, 0) != 0) /* ended just now, or is nobody's to ask about */
        return errno == ESRCH ? error_from_errno(error, "kill"), IST_E_ARG : error_from_errno(error, "kill");
    if (stat[0] == '\0')
        return IST_OK;
    out->start = strtoull(field_of(stat, 22), NULL, 10);
    out->user = effective_user(status_text);
    if (is_thread(status_text, id))
        return error_refuse(error, IST_E_ARG, "process id", "it is a thread's");
    return has_ended(stat) ? error_refuse(error, IST_E_ARG, "process id", "the process has ended") : IST_OK;
}

uint64_t process_space(void)
{
    struct stat facts;

    return stat("/proc/self/ns/pid", &facts) == 0 ? (uint64_t)facts.st_ino : 0;
}

bool process_lives(uint64_t id, uint64_t start)
{
    process_identity found;
    plat_error error;
    ist_status status = process_identify(id, &found, &error);

    return (status != IST_OK && status != IST_E_ARG) ||
           (status == IST_OK && (start == 0 || found.start == 0 || found.start == start));
}
