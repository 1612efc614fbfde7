/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The calls: joins and makes until one succeeds. A try is in join.c and publish.c, how an object goes in reap.c.
 */
#include "posix/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/atomic.h"
#include "posix/error.h"
#include "posix/join.h"
#include "posix/publish.h"
#include "posix/reap.h"
#include "posix/sweep.h"
#include "posix/ticket.h"

/* Races lost in a row before a call gives up. */
#define MOST_TRIES 10000

/* Times that a directory without a segment may be in the way before it is taken for garbage of somebody else's. */
#define MOST_STUCK 20

#define LOOKS_FOR_A_STEP 16

static ist_status gave_up(plat_error *error)
{
    errno = EAGAIN;
    return error_from_errno(error, "10,000 lost races");
}

static ist_status begin(registry_entry *entry, const plat_name *name, plat_error *error)
{
    ist_status status = sweep_use(name != NULL && name->global, &entry->where, error);

    entry->hold = DESCRIPTOR_NONE;
    entry->access = DESCRIPTOR_NONE;
    if (status == IST_OK && name != NULL) {
        (void)snprintf(entry->full_name, sizeof entry->full_name, "%s\\%s", name->global ? "Global" : "Local",
                       name->text);
        name_entry(entry->name, entry->where.prefix, name);
    } else if (status == IST_OK) {
        name_unique(entry->name, entry->where.prefix, NAME_CLASS_UNNAMED);
    }
    return status;
}

/* The directory may have been removed while the call ran; a try after that goes on in a new one. */
static ist_status renew(registry_entry *entry, plat_error *error)
{
    return sweep_use(entry->where.global, &entry->where, error);
}

static ist_status open_loop(visit *here, step (*once)(visit *here))
{
    ist_status status = IST_OK;
    step next = STEP_AGAIN;

    for (int i = 0; i < MOST_TRIES && next == STEP_AGAIN; i++)
        next = once(here);
    if (next == STEP_NONE) {
        errno = ENOENT; /* also where something is there and nobody holds it */
        status = error_from_errno(here->error, "openat");
    } else if (next == STEP_AGAIN)
        status = gave_up(here->error);
    else if (next == STEP_FAILED)
        status = here->status;
    return status;
}

/* Of the entries that this process did not make, how many need no look: the one that it has just joined, if that is
   the only one. */
static uint64_t known_foreign(const registry_entry *entry, ist_status status)
{
    return entry->where.foreign == 1 && status >= 0 && !entry->made && !reap_made_here(entry) ? 1 : 0;
}

ist_status registry_open(registry_entry *entry, const plat_name *name, const registry_want *want, plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};
    ist_status status = begin(entry, name, error);

    if (status == IST_OK) {
        status = open_loop(&here, join);
        sweep_step(&entry->where, known_foreign(entry, status));
    }
    return status;
}

/* Who connects to a pipe comes often and opens nothing: the first of a process takes a step, and then each so many. */
static bool is_for_a_step(segment_kind kind)
{
    static volatile uint32_t looks;

    return kind != SEGMENT_PIPE || atomic_add_u32(&looks, 1) % LOOKS_FOR_A_STEP == 0;
}

ist_status registry_look(registry_entry *entry, const plat_name *name, const registry_want *want, int *directory,
                         plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};
    ist_status status = begin(entry, name, error);

    if (status == IST_OK) {
        status = open_loop(&here, join_only_look);
        if (is_for_a_step(want->kind))
            sweep_step(&entry->where, known_foreign(entry, status));
    }
    *directory = status == IST_OK ? here.directory : -1;
    return status;
}

void registry_unlook(registry_entry *entry)
{
    descriptor_close(&entry->access);
    segment_life_unmap(&entry->life);
}

ist_status registry_open_known(registry_entry *entry, const scope *where, const char *name, const registry_want *want,
                               plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};

    entry->where = *where;
    entry->hold = DESCRIPTOR_NONE;
    entry->access = DESCRIPTOR_NONE;
    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    return open_loop(&here, join);
}

static bool is_object_of(const scope *where, uid_t owner, const char *name)
{
    char letter = name[strlen(where->prefix)];
    struct stat facts;

    return (letter == NAME_CLASS_NAMED || letter == NAME_CLASS_HASHED || letter == NAME_CLASS_UNNAMED) &&
           fstatat(where->directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && facts.st_uid == owner;
}

/* What cannot be one of ours is not the one that is wanted. */
static bool is_another(ist_status status)
{
    return status == IST_E_NOT_FOUND || status == IST_E_CORRUPT || status == IST_E_LAYOUT;
}

ist_status registry_open_by_id(registry_entry *entry, const scope *where, uid_t owner, const registry_want *want,
                               plat_error *error)
{
    char name[NAME_ENTRY_SIZE];
    scope_names names;
    ist_status status = scope_list(where, &names, error);

    entry->hold = DESCRIPTOR_NONE;
    entry->access = DESCRIPTOR_NONE;
    if (status != IST_OK)
        return status;
    status = IST_E_NOT_FOUND;
    while (is_another(status) && scope_names_take(&names, name, sizeof name))
        if (is_object_of(where, owner, name))
            status = registry_open_known(entry, where, name, want, error);
    plat_memory_give(names.text);
    return is_another(status) ? IST_E_NOT_FOUND : status;
}

/* After there was no room: somebody may have published meanwhile, and what we had taken may have been in the way. */
static bool joins_after_all(visit *here)
{
    plat_error kept = *here->error;
    ist_status status = here->status;
    bool joined = join(here) == STEP_DONE;

    if (!joined) {
        *here->error = kept;
        here->status = status;
    }
    return joined;
}

static ist_status create_loop(visit *here, const registry_plan *plan)
{
    bool named = here->entry->full_name[0] != '\0';
    int stuck = 0;
    ist_status status = IST_OK;

    for (int i = 0; i < MOST_TRIES; i++) {
        step next = named ? join(here) : STEP_NONE;

        if (next == STEP_DONE)
            return IST_EXISTED;
        if (next == STEP_NONE) {
            next = publish(here, plan);
            if (next == STEP_DONE)
                return IST_OK;
            if (next == STEP_AGAIN) {
                reap_clear_remains(&here->entry->where, here->entry->name);
                if (++stuck % MOST_STUCK == 0 && reap_is_obstructed(&here->entry->where, here->entry->name))
                    return error_refuse(here->error, IST_E_CORRUPT, "directory of the name", "%s",
                                        "holds something that is not ours");
            }
        }
        if (next == STEP_FAILED)
            return here->status == IST_E_SPACE && named && joins_after_all(here) ? IST_EXISTED : here->status;
        status = renew(here->entry, here->error);
        if (status != IST_OK)
            return status;
    }
    return gave_up(here->error);
}

ist_status registry_create(registry_entry *entry, const plat_name *name, const registry_want *want,
                           const registry_plan *plan, plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};
    ist_status status = begin(entry, name, error);

    if (status == IST_OK) {
        status = create_loop(&here, plan);
        sweep_step(&entry->where, known_foreign(entry, status));
    }
    return status;
}

ist_status registry_create_own(registry_entry *entry, bool global, const char *name, bool shared,
                               const registry_want *want, const registry_plan *plan, plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};
    ist_status status = sweep_use(global, &entry->where, error);

    entry->hold = DESCRIPTOR_NONE;
    entry->access = DESCRIPTOR_NONE;
    if (status != IST_OK)
        return status;
    (void)snprintf(entry->name, sizeof entry->name, "%s%s", entry->where.prefix, name);
    if (shared) /* no name of a program's has this spelling: they begin with their prefix */
        (void)snprintf(entry->full_name, sizeof entry->full_name, "%s", name);
    return create_loop(&here, plan);
}

/* Joins first and uses the ticket up then: the lock of the exporter counts until ours does. */
ist_status registry_import(registry_entry *entry, const char *token, segment_kind kind, ist_access *access,
                           plat_error *error)
{
    scope where;
    ticket found;
    registry_want want = {kind, IST_READ, true, 0, false};
    ist_status status = ticket_find(token, &where, &found, error);

    if (status != IST_OK)
        return status;
    want.access = found.access;
    want.id = found.object;
    *access = found.access;
    status = registry_open_known(entry, &where, found.name, &want, error);
    if (status == IST_E_NOT_FOUND) /* or the ticket's lock would hold it */
        return error_refuse(error, IST_E_ARG, "token", "%s", "its exporter has ended");
    return status == IST_OK ? ticket_spend(&where, &found, error) : status;
}
