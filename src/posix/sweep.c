/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The sweep. It never takes anything that somebody might hold, and gives up silently on what it may not touch: it is
 * never the reason for which a call fails.
 */
#include "posix/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "posix/descriptor.h"
#include "posix/lock.h"
#include "posix/reap.h"
#include "posix/registry.h"
#include "posix/ticket.h"

/* Each call looks at one entry, so that all are seen within as many calls as there are. At two once entries have come
   after the snapshot: they must wait for the next one. */
#define STEP_SETTLED 1
#define STEP_CHANGED 2

/* ---- privates ---- */

/* A private has no tickets. */
static bool nothing_counts(void *context, uint64_t byte)
{
    (void)context;
    (void)byte;
    return false;
}

/* Whether a maker holds the private. One that is between two of its first calls does not: it will start over. What is
   not this user's is left alone. */
static bool has_maker(const scope *where, const char *name)
{
    struct stat facts;
    bool held = true;
    int fd = -1;
    int directory = descriptor_open(where->directory, name, O_RDONLY | O_DIRECTORY, 0);

    /* One whose maker was killed before it undid its umask cannot be looked into. */
    if (directory < 0 && errno == EACCES && fstatat(where->directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(facts.st_mode) && facts.st_uid == where->user && fchmodat(where->directory, name, 0700, 0) == 0)
        directory = descriptor_open(where->directory, name, O_RDONLY | O_DIRECTORY, 0);
    if (directory < 0)
        return true;
    if (fstat(directory, &facts) == 0 && facts.st_uid == where->user) {
        fd = descriptor_open(directory, "r", O_RDONLY, 0);
        held = fd >= 0 ? lock_is_held(fd, nothing_counts, NULL) : errno != ENOENT;
    }
    if (fd >= 0)
        descriptor_drop(fd);
    descriptor_drop(directory);
    return held;
}

/* The rename decides: a maker that is alive after all finds its private gone and starts over; one that has published
   in the meantime has taken the private away from us. */
static void sweep_private(const scope *where, const char *name)
{
    char discarded[NAME_ENTRY_SIZE];

    if (has_maker(where, name))
        return;
    name_unique(discarded, where->prefix, NAME_CLASS_DISCARDED);
    if (renameat(where->directory, name, where->directory, discarded) == 0)
        reap_discard(where, discarded);
}

/* ---- all ---- */

static void sweep_name(const scope *where, const char *name)
{
    if (strlen(name) <= strlen(where->prefix)) /* too long to be one of ours */
        return;
    switch (name[strlen(where->prefix)]) {
    case NAME_CLASS_NAMED:
    case NAME_CLASS_HASHED:
    case NAME_CLASS_UNNAMED:
    case NAME_CLASS_LIVES:
    case NAME_CLASS_CLAIMS:
        registry_reap_if_dead(where, name);
        break;
    case NAME_CLASS_PRIVATE:
        sweep_private(where, name);
        break;
    case NAME_CLASS_DISCARDED:
        reap_discard(where, name);
        break;
    case NAME_CLASS_TICKET:
        ticket_sweep(where, name);
        break;
    default:
        break;
    }
}

static void sweep_whole(const scope *where)
{
    char name[NAME_ENTRY_SIZE];
    scope_names names;
    plat_error error;

    if (scope_list(where, &names, &error) != IST_OK)
        return;
    while (scope_names_take(&names, name, sizeof name))
        sweep_name(where, name);
    plat_memory_give(names.text);
}

ist_status sweep_use(bool global, scope *out, plat_error *error)
{
    ist_status status = scope_use(global, out, error);
    scope other;
    plat_error ignored;

    if (status != IST_OK || !scope_is_new(out))
        return status;
    sweep_whole(out);
    if (scope_use(!global, &other, &ignored) == IST_OK && scope_is_new(&other))
        sweep_whole(&other);
    return status;
}

void sweep_step(const scope *where, uint64_t known)
{
    char name[NAME_ENTRY_SIZE];
    int most = where->settled ? STEP_SETTLED : STEP_CHANGED;

    ticket_prune();
    if (where->foreign <= known)
        return;
    for (int i = 0; i < most && scope_next_name(where, name, sizeof name); i++)
        sweep_name(where, name);
}
