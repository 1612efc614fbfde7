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
#include <unistd.h>

#include "posix/descriptor.h"
#include "posix/error.h"

/* Field 22 of /proc/<pid>/stat, counted from 1; the command in field 2 may contain anything, so count from its end. */
static uint64_t start_time(const char *stat, bool *ended)
{
    const char *at = strrchr(stat, ')');

    if (at == NULL || at[1] == '\0')
        return 0;
    *ended = at[2] == 'Z' || at[2] == 'X';
    for (int field = 2; field < 22 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* Reads the beginning of /proc/<pid>/<what> as a string; false if there is none to read. */
static bool read_proc(uint64_t id, const char *what, char *text, size_t size)
{
    char path[48];
    ssize_t length = 0;
    int fd = -1;

    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/%s", id, what);
    fd = descriptor_open(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return false;
    length = read(fd, text, size - 1);
    descriptor_drop(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* The second number behind "Uid:". The owner of the files in /proc would not do: after a change of user that is root.
 */
static uid_t effective_user(const char *status)
{
    const char *at = strstr(status, "\nUid:\t");

    at = at != NULL ? strchr(at + 6, '\t') : NULL;
    return at != NULL ? (uid_t)strtoul(at, NULL, 10) : (uid_t)-1;
}

ist_status process_identify(uint64_t id, process_identity *out, plat_error *error)
{
    char text[1024];
    bool ended = false;
    pid_t number = (pid_t)id;

    *out = (process_identity){id, 0, (uid_t)-1};
    if (number <= 0 || (uint64_t)number != id)
        return error_refuse(error, IST_E_ARG, "process id", "%s", "");
    if (kill(number, 0) != 0 && errno == ESRCH)
        return error_from_errno(error, "kill"), IST_E_ARG;
    if (!read_proc(id, "stat", text, sizeof text))
        return kill(number, 0) == 0 ? IST_OK : error_from_errno(error, "kill");
    out->start = start_time(text, &ended);
    if (read_proc(id, "status", text, sizeof text))
        out->user = effective_user(text);
    return ended ? error_refuse(error, IST_E_ARG, "process id", "the process has ended") : IST_OK;
}

bool process_lives(uint64_t id, uint64_t start)
{
    process_identity found;
    plat_error error;
    ist_status status = process_identify(id, &found, &error);

    return status == IST_E_ACCESS || (status == IST_OK && (start == 0 || found.start == 0 || found.start == start));
}
