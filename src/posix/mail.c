/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A queue is measured, mapped and checked.
 */
#include "posix/mail.h"

#include <sys/mman.h>

#include "posix/error.h"

uint32_t mail_cells_for(uint32_t capacity)
{
    return capacity / MAIL_CELL_BYTES + (capacity % MAIL_CELL_BYTES != 0 ? 1 : 0);
}

static unsigned slot_bits_for(uint32_t cells)
{
    unsigned bits = 0;

    while (UINT32_C(1) << bits < cells || UINT32_C(1) << bits < MAIL_SLOTS_MIN)
        bits++;
    return bits;
}

static uint64_t cells_offset(unsigned slot_bits)
{
    return sizeof(mail_tops) + ((uint64_t)sizeof(uint64_t) << slot_bits);
}

/* At a multiple of 64, so that a small message lies in as few lines as it can. */
static uint64_t bytes_offset(unsigned slot_bits, uint32_t cells)
{
    return (cells_offset(slot_bits) + (uint64_t)cells * sizeof(mail_cell) + 63) / 64 * 64;
}

uint64_t mail_data_size(uint32_t cells)
{
    return segment_whole_pages(bytes_offset(slot_bits_for(cells), cells) + (uint64_t)cells * MAIL_CELL_BYTES);
}

static ist_status copy_words(mail *out, const registry_entry *entry, uint64_t *reader, plat_error *error)
{
    const volatile mail_words *words =
        (const volatile mail_words *)(void *)((char *)entry->life.page + SEGMENT_WORDS_OFFSET);
    uint32_t layout = words->layout;

    out->message_max = words->message_max;
    out->capacity = words->capacity;
    out->cell_count = words->cells;
    *reader = words->reader;
    if (layout != MAIL_LAYOUT)
        return error_refuse(error, IST_E_LAYOUT, "mailslot", "layout %lu", (unsigned long)layout);
    if (out->capacity == 0 || out->capacity > IST_MAILSLOT_CAPACITY_MAX || out->message_max > out->capacity ||
        out->cell_count != mail_cells_for(out->capacity) || entry->header.size != mail_data_size(out->cell_count))
        return error_refuse(error, IST_E_CORRUPT, "words", "%s", "");
    return IST_OK;
}

ist_status mail_map(mail *out, const registry_entry *entry, uint64_t *reader, plat_error *error)
{
    unsigned char *at = NULL;
    ist_status status = copy_words(out, entry, reader, error);

    if (status != IST_OK)
        return status;
    if (entry->header.size > SIZE_MAX)
        return error_refuse(error, IST_E_MEMORY, "size", "%s", "");
    at = mmap(NULL, (size_t)entry->header.size, PROT_READ | PROT_WRITE, MAP_SHARED, entry->access.fd,
              (off_t)entry->header.data_offset);
    if (at == MAP_FAILED)
        return error_from_errno(error, "mmap");
    out->size = (size_t)entry->header.size;
    out->slot_bits = slot_bits_for(out->cell_count);
    out->slot_mask = (UINT32_C(1) << out->slot_bits) - 1;
    out->tops = (volatile mail_tops *)(void *)at;
    out->slots = (volatile uint64_t *)(void *)(at + sizeof(mail_tops));
    out->cells = (volatile mail_cell *)(void *)(at + cells_offset(out->slot_bits));
    out->bytes = at + bytes_offset(out->slot_bits, out->cell_count);
    return IST_OK;
}

void mail_unmap(mail *of)
{
    if (of->tops != NULL)
        (void)munmap((void *)(uintptr_t)of->tops, of->size);
    of->tops = NULL;
}
