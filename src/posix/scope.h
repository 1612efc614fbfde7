/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A scope: the directory in which the names of `Local\` or of `Global\` live, one of each for every effective user
 * that the process has had.
 */
#ifndef ISTHMUS_POSIX_SCOPE_H
#define ISTHMUS_POSIX_SCOPE_H

#include <sys/types.h>

#include "core/plat.h"

/* A scope as one call uses it: the number stays valid for the call, whatever happens to the directory meanwhile. */
typedef struct scope {
    int directory;
    const char *prefix; /* of every entry of ours in it */
    uid_t user;         /* whose it is, and effective user of the process when it began to use it */
    bool global;
    struct scope_state *state; /* the process's own, for the sweep */
    uint64_t foreign;          /* entries that this process did not make; UINT64_MAX where that is not known */
    uint64_t turn;             /* how often another directory took the place of one that was removed */
    bool settled;              /* nothing was made or removed since the snapshot for the sweep was taken */
} scope;

/* The rest of a snapshot of a scope's entries that a sweep has still to look at. */
typedef struct scope_names {
    char *text; /* terminated names, one behind the other */
    size_t size;
    size_t at;
} scope_names;

/* Finds, opens or makes the effective user's scope. */
ist_status scope_use(bool global, scope *out, plat_error *error);

/* The scope of an earlier call once more, whoever the effective user is by now. out may be old. */
ist_status scope_again(const scope *old, scope *out, plat_error *error);

/* Where the entries of `Global\` stand. */
const char *scope_global_path(void);

/* True once for each scope: nothing of it has been swept yet. */
bool scope_is_new(const scope *where);

/* Counts an object that this process made: one more, or one less when the handle that made it goes. */
void scope_count_own(const scope *where, bool more);

/* The count is not to be had any more: descriptors were closed behind our back. */
void scope_lose_count(const scope *where);

/* Takes the next name of the snapshot, taking a new snapshot when it is used up; false if there is nothing. */
bool scope_next_name(const scope *where, char *out, size_t size);

/* Reads all entries of ours. The caller frees text with plat_memory_give. */
ist_status scope_list(const scope *where, scope_names *out, plat_error *error);

/* Takes the next name of a list; false at its end. */
bool scope_names_take(scope_names *names, char *out, size_t size);

/* In a forked child: no other thread's hand is in the table. */
void scope_reset_after_fork(void);

#endif
