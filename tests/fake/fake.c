/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The backend in memory. An object is a block of bytes with a count of handles; a name goes with the last handle.
 */
#include "fake/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/inside.h"

#define OBJECTS_MAX 64

/* Bytes that an object really has: sizes are what the core is told, the memory behind them is small. */
#define BACKING 65536

typedef struct fake_object {
    bool used;
    bool named;
    bool global;
    char name[IST_NAME_MAX + 1];
    uint64_t size;
    bool file;
    size_t handles;
    unsigned char *bytes;
} fake_object;

struct plat_mapping {
    fake_object *object;
    ist_access access;
};

fake_asked fake_last;
fake_ledger fake_owned;

static fake_object objects[OBJECTS_MAX];
static unsigned calls;
static unsigned plat_calls;
static unsigned fail_at;
static ist_status fail_with;
static bool failed;
static bool failed_memory;
static bool no_call;
static uint64_t pretended_size;
static int64_t clock_ns;
static int64_t clock_step_ns;

/* ---- the test's side ---- */

void fake_reset(void)
{
    for (size_t i = 0; i < OBJECTS_MAX; i++)
        free(objects[i].bytes);
    memset(objects, 0, sizeof objects);
    memset(&fake_owned, 0, sizeof fake_owned);
    memset(&fake_last, 0, sizeof fake_last);
    pretended_size = 0;
    no_call = false;
    clock_ns = 0;
    clock_step_ns = 0;
    fake_objects_reset();
    fake_pipes_reset();
    fake_mailslots_reset();
    fake_fail(0, IST_OK);
}

void fake_fail(unsigned nth, ist_status status)
{
    calls = 0;
    plat_calls = 0;
    fail_at = nth;
    fail_with = status;
    failed = false;
    failed_memory = false;
}

bool fake_failed(void)
{
    return failed;
}

bool fake_failed_memory(void)
{
    return failed_memory;
}

unsigned fake_calls(void)
{
    return calls;
}

unsigned fake_plat_calls(void)
{
    return plat_calls;
}

fake_ledger fake_ledger_now(void)
{
    return fake_owned;
}

void fake_pretend_size(uint64_t size)
{
    pretended_size = size;
}

void fake_pretend_clock(int64_t step_ns)
{
    clock_step_ns = step_ns;
}

void fake_pretend_no_call(void)
{
    no_call = true;
}

/* Counts a call; true when it is the one to fail. */
static bool is_to_fail(void)
{
    calls++;
    failed = failed || (fail_at != 0 && calls == fail_at);
    return calls == fail_at;
}

ist_status fake_attempt(plat_error *error)
{
    plat_calls++;
    if (!is_to_fail())
        return IST_OK;
    error->space = IST_CODES_ERRNO;
    error->code = FAKE_CODE;
    error->call = no_call ? NULL : FAKE_CALL;
    (void)snprintf(error->note, sizeof error->note, "%s", FAKE_NOTE);
    return fail_with;
}

ist_status fake_refuse(ist_status status, plat_error *error)
{
    *error = (plat_error){.call = "fake"};
    return status;
}

/* ---- memory and facts ---- */

void *plat_memory_take(size_t bytes)
{
    void *memory = NULL;
    if (is_to_fail())
        failed_memory = true;
    else
        memory = calloc(1, bytes);
    fake_owned.memory += memory != NULL;
    return memory;
}

void plat_memory_give(void *memory)
{
    if (memory != NULL) {
        fake_owned.errors += fake_owned.memory == 0;
        fake_owned.memory--;
        free(memory);
    }
}

void plat_traits(ist_traits *traits)
{
    traits->granularity = IST_GRANULARITY;
    traits->page_size = FAKE_PAGE;
    traits->backend = "fake";
    traits->has_fork = 0;
    traits->stop_exact = 1;
    traits->one_scope = 0;
    traits->token_holds = 1;
    traits->abandon_at_once = 1;
    traits->wait_all_mixed = 0;
    traits->recheck_ns = FAKE_RECHECK_NS;
    traits->timer_resolution_ns = FAKE_RESOLUTION_NS;
    traits->wait_tick_ns = FAKE_TICK_NS;
}

uint64_t plat_process_id(void)
{
    return FAKE_PROCESS;
}

int64_t plat_clock(void)
{
    clock_ns += clock_step_ns;
    return clock_ns;
}

/* ---- mappings ---- */

void fake_note_name(const plat_name *name)
{
    fake_last.named = name != NULL;
    fake_last.name[0] = '\0';
    if (name != NULL) {
        fake_last.global = name->global;
        fake_last.name_length = name->length;
        (void)snprintf(fake_last.name, sizeof fake_last.name, "%s", name->text);
    }
}

static fake_object *find(const plat_name *name)
{
    for (size_t i = 0; name != NULL && i < OBJECTS_MAX; i++) {
        fake_object *object = &objects[i];
        if (object->used && object->named && object->global == name->global && strcmp(object->name, name->text) == 0)
            return object;
    }
    return NULL;
}

static fake_object *make(const plat_name *name, const plat_mapping_request *request)
{
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        fake_object *object = &objects[i];
        if (object->used)
            continue;
        object->used = true;
        object->named = name != NULL;
        object->global = name != NULL && name->global;
        (void)snprintf(object->name, sizeof object->name, "%s", name != NULL ? name->text : "");
        object->size = pretended_size != 0 ? pretended_size : request->size;
        object->file = request->path != NULL;
        object->bytes = calloc(1, BACKING);
        return object;
    }
    abort();
}

static void give_handle(fake_object *object, ist_access access, plat_mapping **out, plat_mapping_facts *facts)
{
    plat_mapping *mapping = malloc(sizeof *mapping);
    if (mapping == NULL)
        abort();
    mapping->object = object;
    mapping->access = access;
    object->handles++;
    fake_owned.mappings++;
    facts->size = object->size;
    facts->access = access;
    *out = mapping;
}

ist_status plat_mapping_create(const plat_name *name, const plat_mapping_request *request, plat_mapping **out,
                               plat_mapping_facts *facts, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_object *object = find(name);
    fake_note_name(name);
    fake_last.request = *request;
    (void)snprintf(fake_last.path, sizeof fake_last.path, "%s", request->path != NULL ? request->path : "");
    if (status != IST_OK)
        return status;
    status = object != NULL ? IST_EXISTED : IST_OK;
    give_handle(object != NULL ? object : make(name, request), request->access, out, facts);
    return status;
}

ist_status plat_mapping_open(const plat_name *name, ist_access access, bool trust_everyone, plat_mapping **out,
                             plat_mapping_facts *facts, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_object *object = find(name);
    fake_note_name(name);
    fake_last.access = access;
    fake_last.trust_everyone = trust_everyone;
    if (status == IST_OK && object == NULL)
        status = fake_refuse(IST_E_NOT_FOUND, error);
    if (status == IST_OK)
        give_handle(object, access, out, facts);
    return status;
}

ist_status plat_mapping_export(plat_mapping *mapping, uint64_t process_id, ist_access access, char *token,
                               plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_last.process_id = process_id;
    fake_last.access = access;
    /* A careless backend scribbles first and fails then. */
    (void)snprintf(token, IST_TOKEN_SIZE, "%u.%u", (unsigned)(mapping->object - objects), (unsigned)access);
    return status;
}

ist_status plat_mapping_import(const char *token, plat_mapping **out, plat_mapping_facts *facts, plat_error *error)
{
    ist_status status = fake_attempt(error);
    char *end = NULL;
    unsigned long index = strtoul(token, &end, 10);
    (void)snprintf(fake_last.token, sizeof fake_last.token, "%s", token);
    if (status == IST_OK && (end == token || *end != '.' || index >= OBJECTS_MAX || !objects[index].used))
        status = fake_refuse(IST_E_ARG, error);
    if (status == IST_OK)
        give_handle(&objects[index], (ist_access)strtoul(end + 1, NULL, 10), out, facts);
    return status;
}

void plat_mapping_close(plat_mapping *mapping)
{
    fake_object *object = mapping->object;
    fake_owned.errors += fake_owned.mappings == 0;
    fake_owned.mappings--;
    free(mapping);
    if (--object->handles == 0)
        object->named = false; /* the name is free; the bytes stay for views (L2) */
}

void *plat_mapping_native(const plat_mapping *mapping)
{
    return mapping->object->bytes;
}

/* ---- views ---- */

ist_status plat_view_map(plat_mapping *mapping, ist_access access, uint64_t offset, size_t length, plat_view *out,
                         plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_last.access = access;
    fake_last.offset = offset;
    fake_last.length = length;
    if (status == IST_OK) {
        out->data = mapping->object->bytes;
        out->size = length;
        out->access = access;
        out->file = mapping->object->file;
        out->backing = (intptr_t)(mapping->object - objects);
        fake_owned.views++;
    }
    return status;
}

ist_status plat_view_commit(const plat_view *view, size_t offset, size_t length, plat_error *error)
{
    fake_last.offset = offset;
    fake_last.length = length;
    fake_last.access = view->access;
    return fake_attempt(error);
}

ist_status plat_view_flush(const plat_view *view, plat_error *error)
{
    fake_last.access = view->access;
    return fake_attempt(error);
}

void plat_view_unmap(plat_view *view)
{
    fake_owned.errors += fake_owned.views == 0 || view->data == NULL;
    fake_owned.views--;
}
