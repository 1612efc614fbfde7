/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots: what a call asks for is checked here.
 */
#include <isthmus/mailslot.h>

#include <isthmus/win32.h>

#include "core/channel.h"
#include "core/detail.h"
#include "core/object.h"
#include "core/options.h"

struct ist_mailslot {
    ist_waitable waitable; /* the reader's */
    plat_mailslot *plat;
    bool reader;
};

static const plat_error no_error = {IST_CODES_NONE, 0, NULL, {0}};

static ist_status take(ist_mailslot **out, bool reader)
{
    *out = plat_memory_take(sizeof **out);
    if (*out == NULL)
        return detail_refuse(IST_E_MEMORY, "memory for a handle");
    (*out)->reader = reader;
    return IST_OK;
}

static ist_status settle(ist_status status, const plat_error *error, ist_mailslot *slot, ist_mailslot **out)
{
    if (status < 0) {
        plat_memory_give(slot);
        return detail_from_backend(status, error);
    }
    if (slot->reader)
        slot->waitable = (ist_waitable){plat_mailslot_waitable(slot->plat), PLAT_CHANNEL};
    *out = slot;
    return status;
}

static ist_status read_request(const ist_mailslot_options *options, plat_mailslot_request *request)
{
    ist_mailslot_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK && ours.flags != 0)
        status = detail_refuse(IST_E_ARG, "flags");
    if (status == IST_OK && ours.capacity_bytes > IST_MAILSLOT_CAPACITY_MAX)
        status = detail_refuse(IST_E_ARG, "capacity_bytes");
    if (status == IST_OK)
        status = options_check_common(ours.audience, ours.trust);
    if (status == IST_OK && (ours.audience == IST_AUDIENCE_GROUP_READ || ours.audience == IST_AUDIENCE_EVERYONE_READ))
        status = detail_refuse(IST_E_ARG, "an audience that writes");
    if (status == IST_OK) {
        request->message_max = ours.message_max;
        request->capacity_bytes = ours.capacity_bytes != 0 ? ours.capacity_bytes : IST_MAILSLOT_CAPACITY;
        request->audience = ours.audience;
    }
    if (status == IST_OK && request->message_max > request->capacity_bytes)
        status = detail_refuse(IST_E_ARG, "message_max: more than the capacity");
    return status;
}

ist_status ist_mailslot_create(ist_mailslot **out, const char *name, const ist_mailslot_options *options)
{
    plat_error error = no_error;
    plat_channel_name parsed;
    plat_mailslot_request request;
    ist_mailslot *slot = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (name == NULL)
        return detail_refuse(IST_E_ARG, "name");
    status = read_request(options, &request);
    if (status == IST_OK)
        status = channel_name_parse(name, "mailslot", &parsed);
    if (status == IST_OK)
        status = take(&slot, true);
    if (status != IST_OK)
        return status;
    return settle(plat_mailslot_create(&parsed, &request, &slot->plat, &error), &error, slot, out);
}

ist_status ist_mailslot_open(ist_mailslot **out, const char *name, ist_access access)
{
    plat_error error = no_error;
    plat_channel_name parsed;
    ist_access rights = 0;
    bool trust_everyone = false;
    ist_mailslot *slot = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (name == NULL)
        return detail_refuse(IST_E_ARG, "name");
    status = options_split_access(access, &rights, &trust_everyone);
    if (status == IST_OK && rights != IST_WRITE)
        status = detail_refuse(IST_E_ARG, "access");
    if (status == IST_OK)
        status = channel_name_parse(name, "mailslot", &parsed);
    if (status == IST_OK)
        status = take(&slot, false);
    if (status != IST_OK)
        return status;
    return settle(plat_mailslot_open(&parsed, trust_everyone, &slot->plat, &error), &error, slot, out);
}

ist_status ist_mailslot_write(ist_mailslot *slot, const void *data, size_t size)
{
    plat_error error = no_error;

    if (slot == NULL || slot->reader)
        return detail_refuse(IST_E_ARG, "a writer's handle");
    if (data == NULL && size != 0)
        return detail_refuse(IST_E_ARG, "data");
    if (size > UINT32_MAX)
        return detail_refuse(IST_E_SIZE, "size");
    return detail_from_backend(plat_mailslot_write(slot->plat, data, size, &error), &error);
}

static ist_status check_reader(const ist_mailslot *slot, const void *buffer, size_t size, size_t *got)
{
    if (got == NULL)
        return detail_refuse(IST_E_ARG, "got");
    *got = 0;
    if (slot == NULL || !slot->reader)
        return detail_refuse(IST_E_ARG, "the reader's handle");
    return buffer != NULL || size == 0 ? IST_OK : detail_refuse(IST_E_ARG, "buffer");
}

ist_status ist_mailslot_read(ist_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got)
{
    plat_error error = no_error;
    ist_status status = check_reader(slot, buffer, size, got);

    if (status == IST_OK)
        status = channel_check_timeout(timeout_ns);
    if (status != IST_OK)
        return status;
    return detail_from_backend(plat_mailslot_read(slot->plat, buffer, size, timeout_ns, got, &error), &error);
}

ist_status ist_mailslot_peek(ist_mailslot *slot, void *buffer, size_t size, size_t *got)
{
    plat_error error = no_error;
    ist_status status = check_reader(slot, buffer, size, got);

    if (status != IST_OK)
        return status;
    return detail_from_backend(plat_mailslot_peek(slot->plat, buffer, size, got, &error), &error);
}

ist_status ist_mailslot_info(ist_mailslot *slot, ist_mailslot_facts *out)
{
    plat_error error = no_error;
    ist_mailslot_facts ours = IST_MAILSLOT_FACTS_INIT;
    ist_status status = IST_OK;

    if (slot == NULL || !slot->reader)
        return detail_refuse(IST_E_ARG, "the reader's handle");
    status = object_check_answer(out);
    if (status == IST_OK)
        status = detail_from_backend(plat_mailslot_info(slot->plat, &ours, &error), &error);
    if (status == IST_OK)
        object_answer(out, &ours, sizeof ours);
    return status;
}

ist_status ist_mailslot_cancel(ist_mailslot *slot)
{
    if (slot == NULL || !slot->reader)
        return detail_refuse(IST_E_ARG, "the reader's handle");
    plat_mailslot_cancel(slot->plat);
    return IST_OK;
}

const ist_waitable *ist_mailslot_waitable(const ist_mailslot *slot)
{
    return slot != NULL && slot->reader ? &slot->waitable : NULL;
}

void *ist_win32_mailslot_handle(const ist_mailslot *slot)
{
    return slot != NULL ? plat_mailslot_native(slot->plat) : NULL;
}

void ist_mailslot_close(ist_mailslot *slot)
{
    if (slot != NULL) {
        plat_mailslot_close(slot->plat);
        plat_memory_give(slot);
    }
}
