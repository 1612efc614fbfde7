/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes, semaphores, events, timers and waits of the fake backend. An object is a name and a kind with a count of
 * handles: what a call does to it is for the real backends. These remember what was asked, and answer as the test says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/inside.h"

#define OBJECTS_MAX 128

typedef struct fake_thing {
    bool used;
    bool named;
    bool global;
    char name[IST_NAME_MAX + 1];
    plat_kind kind;
    size_t handles;
} fake_thing;

static fake_thing things[OBJECTS_MAX];
static plat_object *newest;
static plat_object_state pretended_state;
static ist_status pretended_wait;
static size_t pretended_index;
static bool pretended_quick;

void fake_objects_reset(void)
{
    memset(things, 0, sizeof things);
    memset(&pretended_state, 0, sizeof pretended_state);
    newest = NULL;
    fake_pretend_wait(IST_OK, 0);
    fake_pretend_quick(false);
}

void fake_pretend_wait(ist_status status, size_t index)
{
    pretended_wait = status;
    pretended_index = index;
}

void fake_pretend_quick(bool quick)
{
    pretended_quick = quick;
}

void fake_pretend_state(const plat_object_state *state)
{
    pretended_state = *state;
}

plat_object *fake_newest(void)
{
    return newest;
}

/* ---- handles ---- */

static fake_thing *find(const plat_name *name)
{
    for (size_t i = 0; name != NULL && i < OBJECTS_MAX; i++) {
        fake_thing *thing = &things[i];
        if (thing->used && thing->named && thing->global == name->global && strcmp(thing->name, name->text) == 0)
            return thing;
    }
    return NULL;
}

static fake_thing *make(const plat_name *name, plat_kind kind)
{
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        fake_thing *thing = &things[i];
        if (thing->used)
            continue;
        thing->used = true;
        thing->named = name != NULL;
        thing->global = name != NULL && name->global;
        (void)snprintf(thing->name, sizeof thing->name, "%s", name != NULL ? name->text : "");
        thing->kind = kind;
        return thing;
    }
    abort();
}

static void give_handle(fake_thing *thing, plat_object **out)
{
    plat_object *object = calloc(1, sizeof *object);
    if (object == NULL)
        abort();
    object->thing = thing;
    object->native = thing;
    thing->handles++;
    fake_owned.objects++;
    newest = object;
    *out = object;
}

ist_status plat_object_create(const plat_name *name, const plat_object_request *request, plat_object **out,
                              plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_thing *thing = find(name);
    fake_note_name(name);
    fake_last.object_request = *request;
    if (status == IST_OK && thing != NULL && thing->kind != request->kind)
        status = fake_refuse(IST_E_KIND, error);
    if (status != IST_OK)
        return status;
    status = thing != NULL ? IST_EXISTED : IST_OK;
    give_handle(thing != NULL ? thing : make(name, request->kind), out);
    return status;
}

ist_status plat_object_open(const plat_name *name, plat_kind kind, ist_access access, bool trust_everyone,
                            plat_object **out, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_thing *thing = find(name);
    fake_note_name(name);
    fake_last.kind = kind;
    fake_last.access = access;
    fake_last.trust_everyone = trust_everyone;
    if (status == IST_OK && thing == NULL)
        status = fake_refuse(IST_E_NOT_FOUND, error);
    if (status == IST_OK && thing->kind != kind)
        status = fake_refuse(IST_E_KIND, error);
    if (status == IST_OK)
        give_handle(thing, out);
    return status;
}

ist_status plat_object_export(plat_object *object, uint64_t process_id, ist_access access, char *token,
                              plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_last.object = object;
    fake_last.process_id = process_id;
    fake_last.access = access;
    /* A careless backend scribbles first and fails then. */
    (void)snprintf(token, IST_TOKEN_SIZE, "object.%u", (unsigned)(object->thing - things));
    return status;
}

ist_status plat_object_import(const char *token, plat_kind kind, plat_object **out, plat_error *error)
{
    ist_status status = fake_attempt(error);
    const char *digits = strchr(token, '.');
    unsigned long index = digits != NULL ? strtoul(digits + 1, NULL, 10) : OBJECTS_MAX;
    (void)snprintf(fake_last.token, sizeof fake_last.token, "%s", token);
    fake_last.kind = kind;
    if (status == IST_OK && (index >= OBJECTS_MAX || !things[index].used))
        status = fake_refuse(IST_E_ARG, error);
    if (status == IST_OK && things[index].kind != kind)
        status = fake_refuse(IST_E_KIND, error);
    if (status == IST_OK)
        give_handle(&things[index], out);
    return status;
}

void plat_object_close(plat_object *object)
{
    fake_thing *thing = object->thing;
    fake_owned.errors += fake_owned.objects == 0;
    fake_owned.objects--;
    free(object);
    if (--thing->handles == 0)
        memset(thing, 0, sizeof *thing);
}

void *plat_object_native(const plat_object *object)
{
    return object->native;
}

ist_status plat_object_wrap(void *native, plat_object **out, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_last.native = native;
    if (status == IST_OK) {
        give_handle(make(NULL, PLAT_FOREIGN), out);
        (*out)->native = native;
    }
    return status;
}

/* ---- what is done with them ---- */

/* Remembers whose call it is. */
static ist_status attempt_on(plat_object *object, plat_error *error)
{
    fake_last.object = object;
    return fake_attempt(error);
}

ist_status plat_object_query(plat_object *object, plat_object_state *out, plat_error *error)
{
    *out = pretended_state;
    return attempt_on(object, error);
}

ist_status plat_mutex_acquire(plat_object *mutex, int64_t timeout_ns, plat_otherwise *otherwise)
{
    return otherwise(mutex, timeout_ns);
}

ist_status plat_mutex_release_quickly(plat_object *mutex, plat_otherwise *otherwise)
{
    return otherwise(mutex, 0);
}

ist_status plat_mutex_release(plat_object *mutex, plat_error *error)
{
    fake_owned.errors += mutex->thing->kind != PLAT_MUTEX;
    return attempt_on(mutex, error);
}

ist_status plat_semaphore_release(plat_object *semaphore, uint32_t count, uint32_t *previous, plat_error *error)
{
    fake_owned.errors += semaphore->thing->kind != PLAT_SEMAPHORE;
    fake_last.count = count;
    *previous = FAKE_PREVIOUS;
    return attempt_on(semaphore, error);
}

ist_status plat_event_set(plat_object *event, plat_error *error)
{
    fake_owned.errors += event->thing->kind != PLAT_EVENT;
    return attempt_on(event, error);
}

ist_status plat_event_reset(plat_object *event, plat_error *error)
{
    fake_owned.errors += event->thing->kind != PLAT_EVENT;
    return attempt_on(event, error);
}

ist_status plat_timer_set(plat_object *timer, bool absolute, int64_t due_ns, uint32_t period_ms, plat_error *error)
{
    fake_owned.errors += timer->thing->kind != PLAT_TIMER;
    fake_last.absolute = absolute;
    fake_last.due_ns = due_ns;
    fake_last.period_ms = period_ms;
    return attempt_on(timer, error);
}

ist_status plat_timer_cancel(plat_object *timer, plat_error *error)
{
    fake_owned.errors += timer->thing->kind != PLAT_TIMER;
    return attempt_on(timer, error);
}

bool plat_wait_quickly(plat_object *object)
{
    fake_last.object = object;
    return pretended_quick;
}

ist_status plat_wait(const plat_wait_request *request, size_t *index, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_last.wait = *request;
    fake_last.wait.items = fake_last.items;
    for (size_t n = 0; n < request->count; n++)
        fake_last.items[n] = request->items[n];
    *index = FAKE_SCRIBBLED;
    if (status != IST_OK)
        return status;
    if ((pretended_wait == IST_OK || pretended_wait == IST_ABANDONED) && !request->all)
        *index = pretended_index;
    return pretended_wait;
}

/* ---- seams ---- */

bool plat_seam_utc(const volatile int64_t *offset_ns)
{
    (void)offset_ns;
    return false;
}

bool plat_seam_recheck(int64_t interval_ns)
{
    (void)interval_ns;
    return false;
}
