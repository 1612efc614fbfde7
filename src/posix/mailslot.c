/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots: an object of the registry that only its reader holds, with the queue (posix/mail.h) in its data. Writers
 * look at it, map it, and watch the reader's life. mailslot_read.c is what the reader's handle does,
 * mailslot_write.c what a writer's does.
 */
#include "posix/mailslot.h"

#include <string.h>
#include <sys/mman.h>

#include "posix/error.h"
#include "posix/gate.h"
#include "posix/name.h"

static ist_status take(plat_mailslot **out, ist_access access, plat_error *error)
{
    plat_mailslot *slot = plat_memory_take(sizeof *slot);

    if (slot == NULL) {
        (void)error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");
        return IST_E_MEMORY;
    }
    slot->object.kind = PLAT_CHANNEL;
    slot->object.access = access;
    slot->object.references = 1;
    slot->object.entry.hold = DESCRIPTOR_NONE;
    slot->object.entry.access = DESCRIPTOR_NONE;
    *out = slot;
    return IST_OK;
}

void mailslot_free(plat_mailslot *slot)
{
    mail_unmap(&slot->queue);
    if (slot->queue.place != NULL)
        (void)munmap((void *)(uintptr_t)slot->queue.place, MAIL_PLACE_WORDS * sizeof *slot->queue.place);
    plat_memory_give(slot);
}

/* ---- create ---- */

/* 0 where it can have none: writers ask the system now and then, instead. */
static uint64_t reader_life(void)
{
    scope where;
    plat_error ignored;
    lives *of = NULL;
    uint64_t me = 0;
    int entered = gate_enter();

    if (scope_use(true, &where, &ignored) == IST_OK)
        of = lives_of(&where);
    gate_leave(entered);
    return of != NULL && life_own(of, &me, &ignored) == IST_OK ? me : 0;
}

static ist_status make(plat_mailslot *slot, const plat_name *name, const mail_words *words, ist_audience audience,
                       plat_error *error)
{
    const registry_want want = {SEGMENT_MAILSLOT, IST_WRITE, false, 0, true};
    const registry_plan plan = {
        .size = mail_data_size(words->cells), .audience = audience, .content = {.words = words}};
    ist_status status = registry_create(&slot->object.entry, name, &want, &plan, error);

    if (status == IST_EXISTED)
        status = error_refuse(error, IST_E_EXISTS, "name", "%s", "");
    return status;
}

/* A forked child goes on where its parent is. */
static ist_status take_place(mail *queue, plat_error *error)
{
    void *at =
        mmap(NULL, MAIL_PLACE_WORDS * sizeof *queue->place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return error_from_errno(error, "mmap");
    queue->place = at;
    return IST_OK;
}

static ist_status create(plat_mailslot *slot, const plat_name *name, const mail_words *words, ist_audience audience,
                         plat_error *error)
{
    uint64_t reader = 0;
    ist_status status = take_place(&slot->queue, error);

    if (status == IST_OK)
        status = make(slot, name, words, audience, error);
    if (status == IST_OK)
        status = mail_map(&slot->queue, &slot->object.entry, &reader, error);
    if (status != IST_OK)
        registry_close(&slot->object.entry);
    return status;
}

ist_status plat_mailslot_create(const plat_channel_name *name, const plat_mailslot_request *request,
                                plat_mailslot **out, plat_error *error)
{
    char text[NAME_CHANNEL_SIZE];
    plat_name full;
    mail_words words;
    plat_mailslot *slot = NULL;
    int entered = 0;
    ist_status status = take(&slot, IST_WRITE, error);

    if (status != IST_OK)
        return status;
    memset(&words, 0, sizeof words);
    words.layout = MAIL_LAYOUT;
    words.message_max = request->message_max;
    words.capacity = request->capacity_bytes;
    words.cells = mail_cells_for(request->capacity_bytes);
    words.reader = reader_life();
    name_of_channel(&full, text, "slot", name);
    entered = gate_enter();
    status = create(slot, &full, &words, request->audience, error);
    slot->object.channel = &mailslot_face;
    if (status != IST_OK)
        mailslot_free(slot);
    else
        *out = slot;
    gate_leave(entered);
    return status;
}

/* ---- open ---- */

static void watch_reader(plat_mailslot *slot, uint64_t reader)
{
    const registry_entry *entry = &slot->object.entry;

    if (reader != 0 && life_has_ended(slot->writer.lives, reader, entry, &slot->watch))
        slot->watch_over = 1;
}

/* Writers begin at different cells. */
static void begin_writer(plat_mailslot *slot)
{
    slot->writer.entry = &slot->object.entry;
    slot->writer.hint = (uint32_t)(name_number() % slot->queue.cell_count);
}

static ist_status open_slot(plat_mailslot *slot, const plat_name *name, bool trust_everyone, plat_error *error)
{
    const registry_want want = {SEGMENT_MAILSLOT, IST_WRITE, trust_everyone, 0, false};
    registry_entry *entry = &slot->object.entry;
    uint64_t reader = 0;
    int directory = -1;
    ist_status status = registry_look(entry, name, &want, &directory, error);

    if (status != IST_OK)
        return status;
    descriptor_drop(directory);
    status = mail_map(&slot->queue, entry, &reader, error);
    if (status == IST_OK && (slot->writer.lives = lives_of(&entry->where)) == NULL)
        status = error_refuse(error, IST_E_MEMORY, "memory for lives", "%s", "");
    if (status == IST_OK) {
        begin_writer(slot);
        watch_reader(slot, reader);
    } else {
        registry_unlook(entry);
    }
    return status;
}

ist_status plat_mailslot_open(const plat_channel_name *name, bool trust_everyone, plat_mailslot **out,
                              plat_error *error)
{
    char text[NAME_CHANNEL_SIZE];
    plat_name full;
    plat_mailslot *slot = NULL;
    int entered = 0;
    ist_status status = take(&slot, IST_WRITE, error);

    if (status != IST_OK)
        return status;
    name_of_channel(&full, text, "slot", name);
    entered = gate_enter();
    status = open_slot(slot, &full, trust_everyone, error);
    if (status != IST_OK)
        mailslot_free(slot);
    else
        *out = slot;
    gate_leave(entered);
    return status;
}

/* ---- the rest ---- */

void *plat_mailslot_native(const plat_mailslot *slot)
{
    (void)slot;
    return NULL;
}

plat_object *plat_mailslot_waitable(plat_mailslot *slot)
{
    return &slot->object;
}

void plat_mailslot_close(plat_mailslot *slot)
{
    bool reader = slot->object.channel != NULL;
    int entered = gate_enter();

    if (reader) {
        registry_close(&slot->object.entry);
    } else {
        life_unwatch(&slot->watch);
        registry_unlook(&slot->object.entry);
        mailslot_free(slot);
    }
    gate_leave(entered);
    if (reader)
        object_release(&slot->object);
}
