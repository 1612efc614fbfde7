/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tickets. Owns the list of the descriptions by which this process keeps the objects of its pending tickets.
 */
#include "posix/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix/claim.h"
#include "posix/error.h"
#include "posix/lock.h"
#include "posix/process.h"
#include "posix/sweep.h"

/* Version, target with its start time, its space, the object's id, access, the object's entry. */
#define TICKET_FORMAT "2 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIx64 " %" PRIu32 " %s"
#define TICKET_SCAN "2 %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNu32 " %231s"
#define TICKET_FIELDS 6
#define TICKET_TEXT_SIZE 400

/* Scope letter, number: all that an importer needs to find the ticket. */
#define TOKEN_FORMAT "ist1.%c.%016" PRIx64
#define TOKEN_LENGTH 23
#define TOKEN_LOCAL 'l'
#define TOKEN_GLOBAL 'g'

/* A ticket of this process that may still be pending. */
typedef struct pending {
    struct pending *next;
    scope where;
    uint64_t number;
    descriptor hold;
    char object[NAME_ENTRY_SIZE];
    claims *table; /* who holds the object holds this */
} pending;

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static pending *list;

static void entry_of(char out[NAME_ENTRY_SIZE], const scope *where, uint64_t number)
{
    (void)snprintf(out, NAME_ENTRY_SIZE, "%s%c.%016" PRIx64, where->prefix, NAME_CLASS_TICKET, number);
}

/* ---- the ticket itself ---- */

static ist_status write_ticket(const scope *where, const ticket *made, plat_error *error)
{
    char name[NAME_ENTRY_SIZE];
    char text[TICKET_TEXT_SIZE];

    entry_of(name, where, made->number);
    (void)snprintf(text, sizeof text, TICKET_FORMAT, made->target, made->target_start, made->space, made->object,
                   made->access, made->name);
    return symlinkat(text, where->directory, name) == 0 ? IST_OK : error_from_errno(error, "symlinkat");
}

/* In a shared directory anybody can make one; *owner says who did. */
static bool read_ticket(const scope *where, const char *name, ticket *out, uid_t *owner)
{
    char text[TICKET_TEXT_SIZE];
    struct stat facts;
    ssize_t length = readlinkat(where->directory, name, text, sizeof text - 1);

    if (length <= 0 || fstatat(where->directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    text[length] = '\0';
    *owner = facts.st_uid;
    return sscanf(name + strlen(where->prefix), "t.%" SCNx64, &out->number) == 1 &&
           sscanf(text, TICKET_SCAN, &out->target, &out->target_start, &out->space, &out->object, &out->access,
                  out->name) == TICKET_FIELDS &&
           (out->access == IST_READ || out->access == IST_WRITE) && strchr(out->name, '/') == NULL;
}

/* Where ids mean something else they say nothing. */
static bool target_lives(const ticket *found)
{
    return found->space != process_space() || process_lives(found->target, found->target_start);
}

/* Whether the exporter still keeps the object: a ticket is written after its byte is locked, and the lock goes with
   the exporter however that ends. */
static bool is_kept(const scope *where, const ticket *found)
{
    bool kept = true;
    int fd = segment_open(where->directory, found->name);

    if (fd < 0)
        return errno != ENOENT;
    kept = lock_byte_is_held(fd, found->number);
    descriptor_drop(fd);
    return kept;
}

/* Whoever issued it: the lock that is asked about has been seen. */
bool ticket_counts(const scope *where, uint64_t number)
{
    char name[NAME_ENTRY_SIZE];
    scope current;
    ticket found;
    uid_t owner = 0;
    plat_error error;

    /* The directory may have been closed or removed since the asking handle was made. A doubt is a yes. */
    if (scope_again(where, &current, &error) != IST_OK)
        return true;
    entry_of(name, &current, number);
    return read_ticket(&current, name, &found, &owner) && target_lives(&found);
}

void ticket_sweep(const scope *where, const char *name)
{
    ticket found;
    uid_t owner = 0;

    if (read_ticket(where, name, &found, &owner) && owner == where->user &&
        !(target_lives(&found) && is_kept(where, &found)))
        (void)unlinkat(where->directory, name, 0);
}

/* ---- export ---- */

/* Locks the ticket's byte through a description of its own, which the process keeps. */
static ist_status keep(const registry_entry *entry, const scope *where, uint64_t number, pending **out,
                       plat_error *error)
{
    char path[NAME_ENTRY_SIZE + 2];
    struct stat facts;
    pending *kept = plat_memory_take(sizeof *kept);
    ist_status status = IST_OK;
    int fd = -1;

    if (kept == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for a ticket", "%s", "");
    (void)snprintf(path, sizeof path, "%s/r", entry->name);
    fd = descriptor_open(where->directory, path, O_RDONLY, 0);
    if (fd < 0)
        status = errno == ENOENT ? error_from_errno(error, "openat"), IST_E_BROKEN : error_from_errno(error, "openat");
    else if (fstat(fd, &facts) != 0 || facts.st_ino != entry->access.inode || facts.st_dev != entry->access.device)
        status = error_refuse(error, IST_E_BROKEN, "segment", "%s", "another file has its place");
    else
        status = lock_take(fd, number, error);
    if (status == IST_TIMEOUT)
        status = error_refuse(error, IST_E_OS, "flock", "%s", "an asker was in the way");
    if (status != IST_OK) {
        if (fd >= 0)
            descriptor_drop(fd);
        plat_memory_give(kept);
        return status;
    }
    descriptor_own(&kept->hold, fd, entry->access.device, entry->access.inode);
    kept->where = *where;
    kept->number = number;
    memcpy(kept->object, entry->name, sizeof kept->object);
    *out = kept;
    return IST_OK;
}

static ist_status fill_ticket(const registry_entry *entry, uint64_t process_id, ist_access access, ticket *out,
                              plat_error *error)
{
    process_identity target;
    ist_status status = process_identify(process_id, &target, error);

    if (status == IST_OK && target.user != (uid_t)-1 && target.user != entry->where.user)
        status = error_refuse(error, IST_E_ACCESS, "process", "it runs as uid %lu", (unsigned long)target.user);
    if (status == IST_OK) {
        *out = (ticket){name_number(), target.id, target.start, process_space(), entry->header.id, access, {0}};
        memcpy(out->name, entry->name, sizeof out->name);
    }
    return status;
}

ist_status ticket_issue(const registry_entry *entry, claims *table, uint64_t process_id, ist_access access, char *token,
                        plat_error *error)
{
    ticket made;
    scope where;
    pending *kept = NULL;
    ist_status status = IST_OK;

    if (!descriptor_is_ours(&entry->hold, NULL) || !descriptor_is_ours(&entry->access, NULL))
        return error_refuse(error, IST_E_BROKEN, "descriptor", "%s", "the program closed it");
    status = fill_ticket(entry, process_id, access, &made, error);
    ticket_prune();
    if (status == IST_OK)
        status = scope_again(&entry->where, &where, error);
    if (status == IST_OK)
        status = keep(entry, &where, made.number, &kept, error);
    if (kept == NULL)
        return status;
    status = write_ticket(&where, &made, error);
    if (status != IST_OK) {
        descriptor_close(&kept->hold);
        plat_memory_give(kept);
        return status;
    }
    kept->table = table;
    if (table != NULL)
        claims_keep(table);
    (void)pthread_mutex_lock(&list_mutex);
    kept->next = list;
    list = kept;
    (void)pthread_mutex_unlock(&list_mutex);
    (void)snprintf(token, IST_TOKEN_SIZE, TOKEN_FORMAT, entry->where.global ? TOKEN_GLOBAL : TOKEN_LOCAL, made.number);
    return IST_OK;
}

/* ---- import ---- */

static bool parse_token(const char *token, bool *global, uint64_t *number)
{
    char again[IST_TOKEN_SIZE];
    char letter = '\0';

    if (strlen(token) != TOKEN_LENGTH || sscanf(token, "ist1.%c.%" SCNx64, &letter, number) != 2 ||
        (letter != TOKEN_LOCAL && letter != TOKEN_GLOBAL))
        return false;
    *global = letter == TOKEN_GLOBAL;
    /* One number has one spelling. */
    (void)snprintf(again, sizeof again, TOKEN_FORMAT, letter, *number);
    return strcmp(again, token) == 0;
}

ist_status ticket_find(const char *token, scope *where, ticket *out, plat_error *error)
{
    char name[NAME_ENTRY_SIZE];
    process_identity self;
    bool global = false;
    uint64_t number = 0;
    uid_t owner = 0;
    ist_status status = IST_OK;

    if (!parse_token(token, &global, &number))
        return error_refuse(error, IST_E_ARG, "token", "%s", "");
    status = sweep_use(global, where, error);
    if (status == IST_OK)
        status = process_identify((uint64_t)getpid(), &self, error);
    if (status != IST_OK)
        return status;
    entry_of(name, where, number);
    if (!read_ticket(where, name, out, &owner) || owner != where->user || !is_kept(where, out))
        return error_refuse(error, IST_E_ARG, "token", "%s", "used before, or its exporter has ended");
    return out->target == self.id && out->target_start == self.start && out->space == process_space()
               ? IST_OK
               : error_refuse(error, IST_E_ARG, "token", "%s", "for another process");
}

ist_status ticket_spend(const scope *where, const ticket *used, plat_error *error)
{
    char name[NAME_ENTRY_SIZE];

    entry_of(name, where, used->number);
    if (unlinkat(where->directory, name, 0) == 0)
        return IST_OK;
    return errno == ENOENT ? error_refuse(error, IST_E_ARG, "token", "%s", "used before")
                           : error_from_errno(error, "unlinkat");
}

/* ---- the list ---- */

static void drop_pending(pending *kept)
{
    scope where;
    char name[NAME_ENTRY_SIZE];
    plat_error error;
    bool usable = scope_again(&kept->where, &where, &error) == IST_OK;

    if (usable) {
        entry_of(name, &where, kept->number);
        (void)unlinkat(where.directory, name, 0);
    }
    descriptor_close(&kept->hold);
    if (usable)
        registry_reap_if_dead(&where, kept->object);
    if (kept->table != NULL)
        claims_drop(kept->table);
    plat_memory_give(kept);
}

static bool is_over(const pending *kept)
{
    return !ticket_counts(&kept->where, kept->number);
}

/* In a list of usually none, so that looking costs nothing. */
static pending *take_over_ones(bool all)
{
    pending *taken = NULL;

    (void)pthread_mutex_lock(&list_mutex);
    for (pending **link = &list; *link != NULL;) {
        pending *kept = *link;

        if (all || is_over(kept)) {
            *link = kept->next;
            kept->next = taken;
            taken = kept;
        } else {
            link = &kept->next;
        }
    }
    (void)pthread_mutex_unlock(&list_mutex);
    return taken;
}

static void drop_all(pending *taken)
{
    while (taken != NULL) {
        pending *next = taken->next;

        drop_pending(taken);
        taken = next;
    }
}

void ticket_prune(void)
{
    drop_all(take_over_ones(false));
}

void ticket_withdraw_all(void)
{
    drop_all(take_over_ones(true));
}

/* The descriptions are shared with the parent: closing ours lets nothing of the parent's go. */
void ticket_reset_after_fork(void)
{
    (void)pthread_mutex_init(&list_mutex, NULL);
    while (list != NULL) {
        pending *next = list->next;

        descriptor_close(&list->hold);
        if (list->table != NULL)
            claims_drop(list->table);
        plat_memory_give(list);
        list = next;
    }
}
