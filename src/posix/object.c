/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Handles of mutexes, semaphores, events and timers.
 */
#include "posix/object.h"

#include <sys/mman.h>
#include <time.h>

#include "posix/error.h"
#include "posix/gate.h"
#include "posix/ticket.h"
#include "posix/words.h"

static segment_kind kind_of(plat_kind kind)
{
    return (segment_kind)(SEGMENT_MUTEX + (int)(kind - PLAT_MUTEX));
}

plat_object *object_of(registry_entry *entry)
{
    bool words = entry->header.kind >= SEGMENT_MUTEX && entry->header.kind <= SEGMENT_TIMER;

    return words ? (plat_object *)(void *)((char *)entry - offsetof(plat_object, entry)) : NULL;
}

static ist_status take(plat_object **out, plat_kind kind, ist_access access, plat_error *error)
{
    plat_object *object = plat_memory_take(sizeof *object);

    if (object == NULL) {
        (void)error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");
        return IST_E_MEMORY;
    }
    object->kind = kind;
    object->access = access;
    object->references = 1;
    object->entry.hold = DESCRIPTOR_NONE;
    object->entry.access = DESCRIPTOR_NONE;
    *out = object;
    return IST_OK;
}

static void drop_table(plat_object *object)
{
    if (object->claims != NULL)
        claims_drop(object->claims);
    object->claims = NULL;
}

static void clear(plat_object *object)
{
    if (object->page != NULL)
        (void)munmap(object->page, SEGMENT_HEADER_SIZE);
    object->page = NULL;
    segment_life_unmap(&object->entry.life);
    object->words = NULL;
    drop_table(object);
}

static void free_object(plat_object *object)
{
    clear(object);
    plat_memory_give(object);
}

void object_reference(plat_object *object)
{
    (void)atomic_add_u32(&object->references, 1);
}

void object_release(plat_object *object)
{
    if (atomic_add_u32(&object->references, UINT32_MAX) == 1) {
        int entered = gate_enter();

        if (object->channel != NULL)
            object->channel->free(object);
        else
            free_object(object);
        gate_leave(entered);
    }
}

/* Holds the object's table. IST_E_NOT_FOUND: whoever else holds the object is about to end, since it has let go of the
   table; or it has lost both. So nobody is left to whom the object is worth anything: its name becomes free. */
static ist_status hold_table(plat_object *object, uint64_t id, plat_error *error)
{
    ist_status status = IST_OK;

    if (object->claims != NULL && claims_id(object->claims) == id)
        return IST_OK;
    drop_table(object);
    if (id != 0)
        status = claims_open(&object->entry, id, object->access, &object->claims, error);
    if (status == IST_E_NOT_FOUND)
        registry_condemn(&object->entry);
    return status;
}

/* Several who join what a dying process lets go of, its table first, could keep it from each other for ever. */
static void step_aside(int tries)
{
    struct timespec rest = {0, (long)(name_number() % 100000)};

    if (tries > 3)
        (void)nanosleep(&rest, NULL);
}

static ist_status settle(plat_object *object, plat_error *error)
{
    uint64_t table = 0;
    ist_status status = words_map(object, error);

    if (status == IST_OK)
        status = words_read(object, &table, error);
    if (status == IST_OK)
        status = hold_table(object, table, error);
    if (status == IST_OK && (object->lives = lives_of(&object->entry.where)) == NULL)
        status = error_refuse(error, IST_E_MEMORY, "memory for lives", "%s", "");
    object->place = life_place(&object->entry.where);
    object->writer_lives = object->access == IST_WRITE ? object->lives : NULL;
    return status;
}

bool object_settle_absent(const scope *where, uid_t owner, uint64_t id, claims *table, uint64_t tag)
{
    const registry_want want = {SEGMENT_ANY, IST_WRITE, true, id, false};
    plat_error error;
    plat_object object = {.access = IST_WRITE};
    ist_status status = registry_open_by_id(&object.entry, where, owner, &want, &error);

    if (status == IST_E_NOT_FOUND)
        return true;
    if (status == IST_OK && object_of(&object.entry) != NULL)
        status = words_map(&object, &error);
    if (status == IST_OK && object.words != NULL && !claim_settle_left(table, &object.words->state, tag))
        status = IST_E_CORRUPT;
    registry_leave(&object.entry);
    clear(&object);
    return status == IST_OK;
}

/* Ends what began as a join; out by the same door as everybody if it fails. */
static ist_status settle_or_leave(ist_status status, plat_object *object, plat_error *error)
{
    ist_status settled = status;

    if (status >= 0)
        settled = settle(object, error);
    if (status >= 0 && settled < 0) {
        registry_leave(&object->entry);
        clear(object);
    }
    return settled < 0 ? settled : status;
}

/* Objects that went between their join and that of their table, in a row, before it is taken for damage. */
#define MOST_TRIES 100

static ist_status gave_up(plat_error *error)
{
    return error_refuse(error, IST_E_CORRUPT, "claims", "%s", "the object's table is not there");
}

static ist_status open_named(const plat_name *name, const registry_want *want, plat_object *object, plat_error *error)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        ist_status joined = registry_open(&object->entry, name, want, error);
        ist_status status = settle_or_leave(joined, object, error);

        if (joined < 0 || status != IST_E_NOT_FOUND)
            return status;
        step_aside(i);
    }
    return gave_up(error);
}

/* Where no table can be had: what is wrong with the name comes first (N9), and what is there needs none of ours. */
static ist_status open_instead(const plat_name *name, const registry_want *want, plat_object *object,
                               ist_status failure, plat_error *error)
{
    plat_error kept = *error;
    ist_status status = name != NULL ? open_named(name, want, object, error) : IST_E_NOT_FOUND;

    if (status == IST_E_NOT_FOUND) {
        *error = kept;
        return failure;
    }
    return status == IST_OK ? IST_EXISTED : status;
}

static ist_status create_once(const plat_name *name, const plat_object_request *request, const registry_want *want,
                              uint64_t me, plat_object *object, bool *joined, plat_error *error)
{
    object_words words;
    registry_plan plan = {.audience = request->audience, .content = {NULL, &words}};
    bool global = name != NULL && name->global;
    ist_status status = IST_OK;

    *joined = false;
    if (words_are_taken(request->kind, request->manual_reset))
        status = claims_create(global, request->audience, &object->claims, error);
    if (status != IST_OK)
        return open_instead(name, want, object, status, error);
    words_fill(request, global, me, object->claims, &words);
    status = registry_create(&object->entry, name, want, &plan, error);
    *joined = status >= 0;
    return settle_or_leave(status, object, error);
}

static ist_status create_looped(const plat_name *name, const plat_object_request *request, const registry_want *want,
                                uint64_t me, plat_object *object, plat_error *error)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        bool joined = false;
        ist_status status = create_once(name, request, want, me, object, &joined, error);

        if (status >= 0)
            return status;
        clear(object);
        if (!joined || status != IST_E_NOT_FOUND)
            return status;
        step_aside(i);
    }
    return gave_up(error);
}

/* The thread's life in the scope that the object is going to be in. */
static ist_status own_life(const plat_name *name, uint64_t *me, plat_error *error)
{
    scope where;
    lives *of = NULL;
    int entered = gate_enter();
    ist_status status = scope_use(name != NULL && name->global, &where, error);

    if (status == IST_OK)
        of = lives_of(&where);
    gate_leave(entered);
    if (status != IST_OK)
        return status;
    return of != NULL ? life_own(of, me, error) : error_refuse(error, IST_E_MEMORY, "memory for lives", "%s", "");
}

ist_status plat_object_create(const plat_name *name, const plat_object_request *request, plat_object **out,
                              plat_error *error)
{
    const registry_want want = {kind_of(request->kind), IST_WRITE, request->trust_everyone, 0, true};
    plat_object *object = NULL;
    uint64_t me = 0;
    int entered = 0;
    ist_status status = take(&object, request->kind, IST_WRITE, error);

    if (status != IST_OK)
        return status;
    if (request->kind == PLAT_MUTEX && request->initially)
        status = own_life(name, &me, error);
    entered = gate_enter();
    status = status == IST_OK ? create_looped(name, request, &want, me, object, error)
                              : open_instead(name, &want, object, status, error);
    gate_leave(entered);
    if (status < 0)
        plat_memory_give(object);
    else
        *out = object;
    return status;
}

ist_status plat_object_open(const plat_name *name, plat_kind kind, ist_access access, bool trust_everyone,
                            plat_object **out, plat_error *error)
{
    const registry_want want = {kind_of(kind), access, trust_everyone, 0, false};
    plat_object *object = NULL;
    int entered = 0;
    ist_status status = take(&object, kind, access, error);

    if (status != IST_OK)
        return status;
    entered = gate_enter();
    status = open_named(name, &want, object, error);
    if (status < 0)
        free_object(object);
    else
        *out = object;
    gate_leave(entered);
    return status;
}

ist_status plat_object_export(plat_object *object, uint64_t process_id, ist_access access, char *token,
                              plat_error *error)
{
    ist_status status = access == IST_WRITE ? object_check_writable(object, error) : IST_OK;
    int entered = gate_enter();

    if (status == IST_OK)
        status = ticket_issue(&object->entry, object->claims, process_id, access, token, error);
    gate_leave(entered);
    return status;
}

ist_status plat_object_import(const char *token, plat_kind kind, plat_object **out, plat_error *error)
{
    plat_object *object = NULL;
    int entered = 0;
    ist_status status = take(&object, kind, IST_READ, error);

    if (status != IST_OK)
        return status;
    entered = gate_enter();
    status = registry_import(&object->entry, token, kind_of(kind), &object->access, error);
    if (status < 0) {
        registry_leave(&object->entry);
    } else {
        status = settle_or_leave(status, object, error);
        if (status == IST_E_NOT_FOUND) /* its exporter ended meanwhile, and nobody else holds it */
            status = IST_E_ARG;
    }
    if (status < 0)
        free_object(object);
    else
        *out = object;
    gate_leave(entered);
    return status;
}

void plat_object_close(plat_object *object)
{
    int entered = gate_enter();

    registry_leave(&object->entry);
    gate_leave(entered);
    object_release(object);
}

void *plat_object_native(const plat_object *object)
{
    (void)object;
    return NULL;
}

ist_status plat_object_wrap(void *native, plat_object **out, plat_error *error)
{
    (void)native;
    (void)out;
    return error_refuse(error, IST_E_UNSUPPORTED, "handle", "%s", "this system has none");
}
