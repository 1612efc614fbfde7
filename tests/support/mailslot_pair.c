/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Slots of this process, and numbered messages.
 */
#include "mailslot_peer.h"

void mailslot_make(mailslot_pair *pair, uint32_t message_max, uint32_t capacity_bytes)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    options.message_max = message_max;
    options.capacity_bytes = capacity_bytes;
    unique_name(pair->name, "", "slot");
    CHECK_OK(ist_mailslot_create(&pair->reader, pair->name, &options));
    CHECK_OK(ist_mailslot_open(&pair->writer, pair->name, IST_WRITE));
}

void mailslot_close(mailslot_pair *pair)
{
    ist_mailslot_close(pair->writer);
    ist_mailslot_close(pair->reader);
    pair->writer = NULL;
    pair->reader = NULL;
}

void mailslot_read_at(const char *file, int line, ist_mailslot *slot, const char *text)
{
    char buffer[1024];
    size_t got = 0;
    check_status_at(file, line, "ist_mailslot_read", IST_OK, ist_mailslot_read(slot, buffer, sizeof buffer, 0, &got));
    if (got != strlen(text) || memcmp(buffer, text, got) != 0)
        check_fail_at(file, line, "the message should be \"%s\" and is \"%.*s\"", text, (int)got, buffer);
}

void mailslot_empty_at(const char *file, int line, ist_mailslot *slot)
{
    char buffer[64];
    size_t got = 9;
    check_status_at(file, line, "ist_mailslot_read of nothing", IST_TIMEOUT,
                    ist_mailslot_read(slot, buffer, sizeof buffer, 0, &got));
    if (got != 0)
        check_fail_at(file, line, "nothing was read, and %llu bytes were told", (unsigned long long)got);
}

void mailslot_check_gone(const char *name)
{
    ist_mailslot *slot = NULL;
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE));
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    MAILSLOT_EMPTY(slot);
    ist_mailslot_close(slot);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE));
}

ist_mailslot_facts mailslot_facts_of(ist_mailslot *slot)
{
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    CHECK_OK(ist_mailslot_info(slot, &facts));
    return facts;
}

/* ---- numbered messages ---- */

/* The two numbers, and bytes that follow from them. */
static size_t fill(unsigned char message[MAILSLOT_NUMBERED_MAX], uint32_t writer, uint32_t number)
{
    size_t size = 8 + (writer * 31u + number * 17u) % (MAILSLOT_NUMBERED_MAX - 8u + 1u);
    memcpy(message, &writer, 4);
    memcpy(message + 4, &number, 4);
    for (size_t i = 8; i < size; i++)
        message[i] = (unsigned char)(writer * 7u + number * 13u + i);
    return size;
}

ist_status mailslot_write_numbered(ist_mailslot *slot, uint32_t writer, uint32_t number)
{
    unsigned char message[MAILSLOT_NUMBERED_MAX];
    size_t size = fill(message, writer, number);
    return ist_mailslot_write(slot, message, size);
}

ist_status mailslot_read_numbered(ist_mailslot *slot, int64_t timeout_ns, uint32_t *writer, uint32_t *number)
{
    unsigned char message[MAILSLOT_NUMBERED_MAX];
    unsigned char wanted[MAILSLOT_NUMBERED_MAX];
    size_t got = 0;
    ist_status status = ist_mailslot_read(slot, message, sizeof message, timeout_ns, &got);
    if (status != IST_OK)
        return status;
    if (got < 8)
        return IST_E_CORRUPT;
    memcpy(writer, message, 4);
    memcpy(number, message + 4, 4);
    return got == fill(wanted, *writer, *number) && memcmp(message, wanted, got) == 0 ? IST_OK : IST_E_CORRUPT;
}
