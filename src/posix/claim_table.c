/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tables. A process holds each only once, however many objects it has; the last of them lets it go.
 */
#include "posix/claim_table.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/error.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static claims *list;

static uint64_t table_size(void)
{
    return segment_whole_pages(sizeof(claim_slot) * CLAIM_SLOTS);
}

/* For the objects of one user and one audience, which may be a group. */
static void name_of(char out[64], uid_t owner, gid_t group, ist_audience audience)
{
    bool is_group = audience == IST_AUDIENCE_GROUP_READ || audience == IST_AUDIENCE_GROUP_WRITE;

    (void)snprintf(out, 64, "%c.%lu.%lu.%u", NAME_CLASS_CLAIMS, (unsigned long)owner,
                   is_group ? (unsigned long)group : 0, (unsigned)audience);
}

static ist_status map(claims *table, ist_access access, plat_error *error)
{
    const segment_header *header = &table->entry.header;
    int rights = access == IST_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
    void *at = NULL;

    if (header->size != table_size())
        return error_refuse(error, IST_E_CORRUPT, "claims", "%s", "of another size");
    at = mmap(NULL, (size_t)table_size(), rights, MAP_SHARED, table->entry.access.fd, (off_t)header->data_offset);
    if (at == MAP_FAILED)
        return error_from_errno(error, "mmap");
    table->slots = at;
    table->writable = access == IST_WRITE;
    return IST_OK;
}

/* Lists a table that has been made or joined, or lets it go. */
static ist_status settle(ist_status status, claims *made, ist_access access, claims **out, plat_error *error)
{
    if (status >= 0) {
        ist_status mapped = map(made, access, error);

        status = mapped == IST_OK ? IST_OK : mapped;
    }
    if (status < 0) {
        registry_close(&made->entry);
        plat_memory_give(made);
        return status;
    }
    made->references = 1;
    made->next = list;
    list = made;
    *out = made;
    return IST_OK;
}

/* The program may have closed its descriptors, and somebody removed the directory with it: then who comes does not find
   it any more. It still serves the objects that it is of. */
static bool is_there(const claims *table, const scope *where)
{
    struct stat facts;

    return table->entry.where.state == where->state && table->entry.where.turn == where->turn &&
           descriptor_is_ours(&table->entry.hold, NULL) && descriptor_is_ours(&table->entry.access, &facts) &&
           facts.st_nlink != 0;
}

static claims *find(const char *entry_name, uint64_t id, const scope *where, bool writable)
{
    claims *table = list;

    while (table != NULL && (!is_there(table, where) || table->writable != writable ||
                             (id != 0 ? table->entry.header.id != id : strcmp(table->entry.name, entry_name) != 0)))
        table = table->next;
    if (table != NULL)
        table->references++;
    return table;
}

static ist_status create_locked(bool global, ist_audience audience, claims **out, plat_error *error)
{
    const registry_want want = {SEGMENT_CLAIMS, IST_WRITE, false, 0, true};
    const registry_plan plan = {.size = table_size(), .audience = audience};
    char name[64];
    char entry_name[NAME_ENTRY_SIZE];
    scope where;
    claims *made = NULL;
    ist_status status = scope_use(global, &where, error);

    if (status != IST_OK)
        return status;
    name_of(name, where.user, getegid(), global ? audience : IST_AUDIENCE_OWNER);
    (void)snprintf(entry_name, sizeof entry_name, "%s%s", where.prefix, name);
    *out = find(entry_name, 0, &where, true);
    if (*out != NULL)
        return IST_OK;
    made = plat_memory_take(sizeof *made);
    if (made == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for claims", "%s", "");
    status = registry_create_own(&made->entry, global, name, true, &want, &plan, error);
    return settle(status, made, IST_WRITE, out, error);
}

ist_status claims_create(bool global, ist_audience audience, claims **out, plat_error *error)
{
    ist_status status = IST_OK;

    (void)pthread_mutex_lock(&mutex);
    status = create_locked(global, audience, out, error);
    (void)pthread_mutex_unlock(&mutex);
    return status;
}

static ist_status open_locked(const registry_entry *object, uint64_t id, ist_access access, claims **out,
                              plat_error *error)
{
    const registry_want want = {SEGMENT_CLAIMS, access, true, id, false};
    char name[64];
    char entry_name[NAME_ENTRY_SIZE];
    struct stat facts;
    scope where;
    claims *made = NULL;
    ist_status status = IST_OK;

    status = scope_again(&object->where, &where, error);
    if (status != IST_OK)
        return status;
    *out = find("", id, &where, access == IST_WRITE);
    if (*out != NULL)
        return IST_OK;
    if (fstat(object->access.fd, &facts) != 0)
        return error_from_errno(error, "fstat");
    made = plat_memory_take(sizeof *made);
    if (made == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for claims", "%s", "");
    name_of(name, object->owner, facts.st_gid, (ist_audience)object->header.audience);
    (void)snprintf(entry_name, sizeof entry_name, "%s%s", where.prefix, name);
    status = registry_open_known(&made->entry, &where, entry_name, &want, error);
    return settle(status, made, access, out, error);
}

ist_status claims_open(const registry_entry *object, uint64_t id, ist_access access, claims **out, plat_error *error)
{
    ist_status status = IST_OK;

    (void)pthread_mutex_lock(&mutex);
    status = open_locked(object, id, access, out, error);
    (void)pthread_mutex_unlock(&mutex);
    return status;
}

uint64_t claims_id(const claims *table)
{
    return table->entry.header.id;
}

static void delist(claims *table)
{
    claims **link = &list;

    while (*link != table)
        link = &(*link)->next;
    *link = table->next;
}

void claims_keep(claims *table)
{
    (void)pthread_mutex_lock(&mutex);
    table->references++;
    (void)pthread_mutex_unlock(&mutex);
}

void claims_drop(claims *table)
{
    (void)pthread_mutex_lock(&mutex);
    if (--table->references == 0) {
        delist(table);
        registry_close(&table->entry);
        (void)munmap((void *)(uintptr_t)table->slots, (size_t)table_size());
        plat_memory_give(table);
    }
    (void)pthread_mutex_unlock(&mutex);
}

void claims_reset_after_fork(void)
{
    (void)pthread_mutex_init(&mutex, NULL);
}
