/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Forked processes, none of which outlives the one that forked it.
 */
#include "peers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"

static void become_peer(pid_t parent, peers_role *role, void *context)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (!role(context)) {
        (void)kill(parent, SIGTERM);
        exit(1);
    }
    exit(0);
}

bool peers_start(peers *all, peers_role *role, void *context)
{
    pid_t parent = getpid();
    pid_t process = -1;

    if (all->count == PEERS_MOST)
        return fail_say("peers", "too many");
    (void)fflush(NULL); /* or each peer would print it again */
    process = fork();
    if (process == 0)
        become_peer(parent, role, context);
    if (process < 0)
        return fail_system("fork");
    all->each[all->count++] = process;
    return true;
}

bool peers_join(peers *all)
{
    bool done = true;

    while (all->count > 0) {
        int result = 0;

        if (waitpid(all->each[--all->count], &result, 0) < 0 || !WIFEXITED(result) || WEXITSTATUS(result) != 0)
            done = fail_say("a peer", "failed");
    }
    return done;
}
