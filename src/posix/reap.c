/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How an object goes. The list of what the process holds is guarded by a mutex; an entry that is on it is released by
 * whoever takes it off.
 */
#include "posix/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic.h"
#include "posix/access.h"
#include "posix/error.h"
#include "posix/lock.h"
#include "posix/pipe.h"
#include "posix/ticket.h"

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static registry_entry *list;

/* ---- ask ---- */

static bool counts(void *context, uint64_t byte)
{
    return ticket_counts(context, byte);
}

bool reap_is_held(const registry_entry *entry)
{
    scope where = entry->where;

    return lock_is_held(entry->access.fd, counts, &where);
}

/* The version is read before the question: a join in between moves it, and the swap fails. */
reap_answer reap_ask(const registry_entry *entry)
{
    uint32_t life = atomic_load_u32(entry->life.word);

    if (life == 0)
        return REAP_DEAD;
    if (reap_is_held(entry))
        return REAP_HELD;
    return atomic_swap_u32(entry->life.word, &life, 0) || life == 0 ? REAP_DEAD : REAP_RACED;
}

bool reap_is_allowed(const registry_entry *entry)
{
    return entry->owner == entry->where.user || entry->where.user == 0;
}

/* ---- the sweep's ---- */

/* Opens the segment in an object's directory, for asking. IST_E_NOT_FOUND: the directory has none. */
static ist_status open_remains(registry_entry *entry, int directory, struct stat *facts, plat_error *error)
{
    int fd = descriptor_open(directory, "r", O_RDWR, 0);

    if (fd < 0)
        return error_from_errno(error, "openat");
    if (fstat(fd, facts) != 0 || !S_ISREG(facts->st_mode) || facts->st_uid != entry->where.user) {
        descriptor_drop(fd);
        return IST_E_ACCESS;
    }
    descriptor_own(&entry->access, fd, facts->st_dev, facts->st_ino);
    entry->owner = facts->st_uid;
    return IST_OK;
}

/* Opens the file with the life word in it: the segment itself, or the `w` beside it in the same directory. -1 with
   ENOENT where it is gone. */
static int open_life(const registry_entry *entry, int directory, bool apart, struct stat *facts)
{
    int fd = apart ? descriptor_open(directory, "w", O_RDWR, 0) : fcntl(entry->access.fd, F_DUPFD_CLOEXEC, 3);

    if (fd >= 0 && fstat(fd, facts) != 0) {
        descriptor_drop(fd);
        fd = -1;
    }
    return fd;
}

/* By its life word; where that is gone or too short to map, only the locks speak. */
static bool declare_dead(registry_entry *entry, int directory, mode_t mode)
{
    struct stat facts;
    plat_error error;
    bool apart = access_life_is_apart(mode);
    bool result = false;
    int fd = open_life(entry, directory, apart, &facts);

    if (fd < 0)
        return errno == ENOENT && !reap_is_held(entry);
    if (facts.st_size < SEGMENT_HEADER_SIZE)
        result = !reap_is_held(entry);
    else if (segment_life_map(fd, apart, &entry->life, &error) == IST_OK)
        result = reap_ask(entry) == REAP_DEAD;
    segment_life_unmap(&entry->life);
    descriptor_drop(fd);
    return result;
}

/* The usual answer in few calls. Through a path, which only in a scope of the user's own nobody can bend. */
static bool is_held_by_path(const scope *where, const char *name)
{
    char path[NAME_ENTRY_SIZE + 2];
    scope asked = *where;
    bool held = false;
    int fd = -1;

    if (where->global)
        return false;
    (void)snprintf(path, sizeof path, "%s/r", name);
    fd = descriptor_open(where->directory, path, O_RDONLY, 0);
    if (fd >= 0) {
        held = lock_is_held(fd, counts, &asked);
        descriptor_drop(fd);
    }
    return held;
}

/* All of one object is reached through one directory: by name it could be another one's by now. */
static void reap_if_dead(const scope *where, const char *name)
{
    registry_entry entry = {.where = *where, .hold = DESCRIPTOR_NONE, .access = DESCRIPTOR_NONE};
    struct stat facts = {0};
    plat_error error;
    ist_status status = IST_OK;
    int directory = reap_open_own(where, name);

    if (directory < 0)
        return;
    status = open_remains(&entry, directory, &facts, &error);
    if (status == IST_E_NOT_FOUND)
        reap_clear_remains(where, name);
    else if (status == IST_OK && !reap_is_held(&entry) && declare_dead(&entry, directory, facts.st_mode))
        (void)reap_remove(where, name, &entry.access, &error);
    descriptor_close(&entry.access);
    descriptor_drop(directory);
}

void registry_reap_if_dead(const scope *where, const char *name)
{
    if (!is_held_by_path(where, name))
        reap_if_dead(where, name);
}

/* ---- the list ---- */

void reap_enlist(registry_entry *entry, bool made)
{
    entry->made = made;
    (void)pthread_mutex_lock(&list_mutex);
    entry->previous = NULL;
    entry->next = list;
    if (list != NULL)
        list->previous = entry;
    list = entry;
    entry->listed = true;
    (void)pthread_mutex_unlock(&list_mutex);
    if (made)
        scope_count_own(&entry->where, true);
}

/* Beyond this many a yes costs less than the answer. */
#define MOST_COMPARED 64

bool reap_made_here(const registry_entry *entry)
{
    const registry_entry *other = NULL;
    bool made = false;
    int compared = 0;

    (void)pthread_mutex_lock(&list_mutex);
    for (other = list; other != NULL && !made && compared < MOST_COMPARED; other = other->next, compared++)
        made = other->made && other->access.inode == entry->access.inode;
    made = made || other != NULL;
    (void)pthread_mutex_unlock(&list_mutex);
    return made;
}

static void delist(registry_entry *entry)
{
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        list = entry->next;
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    entry->previous = NULL;
    entry->next = NULL;
    entry->listed = false;
}

/* ---- close ---- */

/* After the hold has gone: asks, and removes what nobody holds. The scope's directory may have been removed or closed
   by the program since. */
static void leave(registry_entry *entry)
{
    plat_error error;

    if (reap_is_allowed(entry) && reap_ask(entry) == REAP_DEAD &&
        scope_again(&entry->where, &entry->where, &error) == IST_OK)
        (void)reap_remove(&entry->where, entry->name, &entry->access, &error);
}

/* A handle whose descriptors the program has closed can still be asked for by name. Tells whether it has the access
   description still. */
static bool release(registry_entry *entry)
{
    bool lost = !descriptor_is_ours(&entry->access, NULL);
    scope where;
    plat_error error;

    if (lost)
        scope_lose_count(&entry->where);
    if (entry->made)
        scope_count_own(&entry->where, false);
    descriptor_close(&entry->hold);
    if (!lost)
        leave(entry);
    else if (scope_again(&entry->where, &where, &error) == IST_OK)
        registry_reap_if_dead(&where, entry->name);
    return !lost;
}

void registry_leave(registry_entry *entry)
{
    bool listed = false;

    (void)pthread_mutex_lock(&list_mutex);
    listed = entry->listed;
    if (listed)
        delist(entry);
    (void)pthread_mutex_unlock(&list_mutex);
    if (listed && release(entry))
        descriptor_drop(entry->access.fd);
    else if (!listed)
        descriptor_close(&entry->access);
    entry->access = DESCRIPTOR_NONE;
}

void registry_close(registry_entry *entry)
{
    registry_leave(entry);
    segment_life_unmap(&entry->life);
}

void registry_forget(registry_entry *entry)
{
    (void)pthread_mutex_lock(&list_mutex);
    if (entry->listed) {
        delist(entry);
        if (entry->made)
            scope_count_own(&entry->where, false);
    }
    (void)pthread_mutex_unlock(&list_mutex);
    descriptor_close(&entry->hold);
    descriptor_close(&entry->access);
    segment_life_unmap(&entry->life);
}

bool registry_visit(registry_visitor *visitor, void *context)
{
    bool found = false;

    (void)pthread_mutex_lock(&list_mutex);
    for (registry_entry *entry = list; entry != NULL && !found; entry = entry->next)
        found = visitor(context, entry);
    (void)pthread_mutex_unlock(&list_mutex);
    return found;
}

/* Takes the first of the list, or the first but tables, which are needed as long as anything else is held. */
static registry_entry *take_first(bool tables)
{
    registry_entry *entry = list;

    while (entry != NULL && !tables && entry->header.kind == SEGMENT_CLAIMS)
        entry = entry->next;
    if (entry != NULL)
        delist(entry);
    return entry;
}

void registry_close_all(void)
{
    registry_entry *entry = NULL;

    (void)pthread_mutex_lock(&list_mutex);
    while ((entry = take_first(false)) != NULL || (entry = take_first(true)) != NULL) {
        (void)release(entry);
        if (entry->header.kind == SEGMENT_PIPE)
            pipe_exit(entry);
    }
    (void)pthread_mutex_unlock(&list_mutex);
}

void registry_condemn(registry_entry *entry)
{
    uint32_t life = atomic_load_u32(entry->life.word);

    while (life != 0 && !atomic_swap_u32(entry->life.word, &life, 0))
        continue;
}

void registry_reset_after_fork(void)
{
    (void)pthread_mutex_init(&list_mutex, NULL);
}
