/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Other processes that hold objects.
 */
#include "holders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"

#define NAME_SIZE 256
#define HELD_BY_ONE 2500 /* objects: a handle takes two descriptors, and 20,000 are a common limit */

void holders_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool holders_hold(const char *prefix, int count)
{
    ist_mapping **all = calloc((size_t)count, sizeof(*all));
    char name[NAME_SIZE];
    char byte = 'h';
    bool done = all != NULL;

    for (int i = 0; done && i < count; i++) {
        ist_status status = IST_OK;

        (void)snprintf(name, sizeof name, "%s%d", prefix, i);
        status = ist_mapping_create(&all[i], name, HOLDERS_OBJECT_SIZE, NULL);
        done = status == IST_OK || fail_library("ist_mapping_create", status);
    }
    if (done)
        done = write(STDOUT_FILENO, &byte, 1) == 1 && read(STDIN_FILENO, &byte, 1) == 0;
    for (int i = 0; all != NULL && i < count; i++)
        ist_mapping_close(all[i]);
    free(all);
    return done;
}

static void become_holder(const char *program, const char *prefix, int count, int input, int output)
{
    char number[16];

    (void)snprintf(number, sizeof number, "%d", count);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0)
        (void)execl(program, program, "-H", prefix, "-c", number, (char *)NULL);
    _exit(127);
}

bool holders_start(holders *all, const char *prefix, int count)
{
    int input[2];
    int output[2];
    char byte = 0;
    holder one = {-1, -1};

    if (all->count == HOLDERS_MOST)
        return fail_say("holders", "too many");
    if (pipe(input) != 0)
        return fail_system("pipe");
    if (pipe(output) != 0)
        return fail_system("pipe");
    (void)fcntl(input[1], F_SETFD, FD_CLOEXEC);
    (void)fcntl(output[0], F_SETFD, FD_CLOEXEC);
    one = (holder){fork(), input[1]};
    if (one.process == 0)
        become_holder(all->program, prefix, count, input[0], output[1]);
    (void)close(input[0]);
    (void)close(output[1]);
    if (one.process < 0)
        return fail_system("fork");
    all->each[all->count++] = one;
    if (read(output[0], &byte, 1) != 1)
        return fail_say("a holder", "ended too early");
    return close(output[0]) == 0;
}

bool holders_start_many(holders *all, const char *prefix, int count)
{
    char part[NAME_SIZE];

    for (int i = 0; count > 0; i++, count -= HELD_BY_ONE) {
        (void)snprintf(part, sizeof part, "%s-%d-", prefix, i);
        if (!holders_start(all, part, count < HELD_BY_ONE ? count : HELD_BY_ONE))
            return false;
    }
    return true;
}

bool holders_stop(holders *all)
{
    bool done = true;

    while (all->count > 0) {
        holder one = all->each[--all->count];
        int result = 0;

        (void)close(one.until);
        if (waitpid(one.process, &result, 0) != one.process || !WIFEXITED(result) || WEXITSTATUS(result) != 0)
            done = fail_say("a holder", "failed");
    }
    return done;
}
