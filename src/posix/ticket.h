/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tickets: what stands between the export of an object and its import in another process. A ticket is a symbolic link
 * in the scope that nobody follows: it is made complete in one step, its text says for whom and for what, and whoever
 * unlinks it has used it. The exporter keeps the object by a lock on the byte whose offset is the ticket's number.
 */
#ifndef ISTHMUS_POSIX_TICKET_H
#define ISTHMUS_POSIX_TICKET_H

#include "posix/registry.h"

typedef struct ticket {
    uint64_t number;
    uint64_t target;       /* process id */
    uint64_t target_start; /* process_identity.start */
    uint64_t space;        /* in which the target's id is one: process_space() */
    uint64_t object;       /* segment_header.id */
    ist_access access;
    char name[NAME_ENTRY_SIZE]; /* of the object's directory */
} ticket;

struct claims;

/* Issues a ticket for an object that the entry holds and writes its token. It keeps the object's table, too, if there
   is one. */
ist_status ticket_issue(const registry_entry *entry, struct claims *table, uint64_t process_id, ist_access access,
                        char *token, plat_error *error);

/* Reads the ticket that a token stands for, checking that it is for this process and that its lock is still there. */
ist_status ticket_find(const char *token, scope *where, ticket *out, plat_error *error);

/* Uses the ticket up: IST_E_ARG if somebody did before. */
ist_status ticket_spend(const scope *where, const ticket *used, plat_error *error);

/* Whether a lock on byte `number` stands for a ticket that still counts. */
bool ticket_counts(const scope *where, uint64_t number);

/* Removes a ticket, given its entry's name, if its target has ended or its lock is gone. For the sweep. */
void ticket_sweep(const scope *where, const char *name);

/* Lets go of the locks of this process's tickets that no longer count. */
void ticket_prune(void);

/* Withdraws all tickets of this process, at its normal exit. */
void ticket_withdraw_all(void);

/* In a forked child: the tickets are the parent's. */
void ticket_reset_after_fork(void);

#endif
