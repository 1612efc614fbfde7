/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots of the fake backend: handles to slots that hold nothing. They remember what was asked, note what the core
 * should have refused, and answer as the test says.
 */
#include <stdlib.h>

#include "fake/fake.h"
#include "fake/inside.h"

struct plat_mailslot {
    plat_object waitable;
    bool reader;
};

static plat_mailslot *newest;

void fake_mailslots_reset(void)
{
    newest = NULL;
}

plat_mailslot *fake_newest_mailslot(void)
{
    return newest;
}

static void give_handle(bool reader, plat_mailslot **out)
{
    plat_mailslot *slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        abort();
    slot->reader = reader;
    fake_owned.mailslots++;
    newest = slot;
    *out = slot;
}

ist_status plat_mailslot_create(const plat_channel_name *name, const plat_mailslot_request *request,
                                plat_mailslot **out, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_note_channel(name);
    fake_last.mailslot_request = *request;
    if (status == IST_OK)
        give_handle(true, out);
    return status;
}

ist_status plat_mailslot_open(const plat_channel_name *name, bool trust_everyone, plat_mailslot **out,
                              plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_note_channel(name);
    fake_last.trust_everyone = trust_everyone;
    if (status == IST_OK)
        give_handle(false, out);
    return status;
}

/* Remembers whose call it is. */
static void note(plat_mailslot *slot, bool allowed)
{
    fake_last.mailslot = slot;
    fake_owned.errors += !allowed;
}

ist_status plat_mailslot_write(plat_mailslot *slot, const void *data, size_t size, plat_error *error)
{
    note(slot, !slot->reader && size <= UINT32_MAX);
    fake_last.data = data;
    fake_last.data_size = size;
    return fake_attempt(error);
}

static void note_read(plat_mailslot *slot, void *buffer, size_t size, const size_t *got)
{
    note(slot, slot->reader && *got == 0);
    fake_last.buffer = buffer;
    fake_last.buffer_size = size;
}

ist_status plat_mailslot_read(plat_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                              plat_error *error)
{
    note_read(slot, buffer, size, got);
    fake_last.timeout_ns = timeout_ns;
    return fake_transfer(got, error);
}

ist_status plat_mailslot_peek(plat_mailslot *slot, void *buffer, size_t size, size_t *got, plat_error *error)
{
    note_read(slot, buffer, size, got);
    return fake_transfer(got, error);
}

ist_status plat_mailslot_info(plat_mailslot *slot, ist_mailslot_facts *out, plat_error *error)
{
    note(slot, slot->reader);
    out->message_max = FAKE_TOLD;
    out->next_bytes = FAKE_TOLD;
    out->waiting = FAKE_TOLD;
    out->capacity_bytes = FAKE_TOLD;
    return fake_attempt(error);
}

void plat_mailslot_cancel(plat_mailslot *slot)
{
    note(slot, slot->reader);
    fake_last.cancels++;
}

void *plat_mailslot_native(const plat_mailslot *slot)
{
    return (void *)(uintptr_t)slot; /* anything that is not NULL and can be told */
}

plat_object *plat_mailslot_waitable(plat_mailslot *slot)
{
    fake_owned.errors += !slot->reader;
    return &slot->waitable;
}

void plat_mailslot_close(plat_mailslot *slot)
{
    fake_owned.errors += fake_owned.mailslots == 0;
    fake_owned.mailslots--;
    free(slot);
}
