/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The queue of a mailslot: any number of writers, one reader. Nobody waits for anybody: who is stopped or killed in the
 * middle keeps his cells, and nothing else.
 *
 * A message is a chain of cells. A cell is taken by a swap of its owner from 0 to the writer's life id, and freed by a
 * swap back. Positions count up from 0; each has a slot in a ring, which comes round to it again and again. A message
 * is there from the one swap of its position's slot from (round, nothing) to (round, first cell), and gone from the
 * reader's store of (round + 1, nothing). As many slots as cells at least: there is always one for who has a cell.
 *
 *   byte  size  field        in the segment's words; all written by the maker, before publishing
 *      0     4  layout       MAIL_LAYOUT
 *      4     4  message_max  bytes, or 0
 *      8     4  capacity     bytes, as asked for
 *     12     4  cells        how many
 *     16     8  reader       life id of the thread that made it, or 0
 *     24  2024  reserved     0
 *
 *   byte  size  field        in the segment's data; zeroed is an empty queue; written by
 *      0     8  tail         writers, by compare-and-swap: the position that is next, or the one before
 *     64     8  head         the reader: how many it has taken, for writers who find no room; it does not read it
 *    128     4  wake         bit 0: somebody may be asleep; the rest counts: see posix/wait.c
 *    256   8*n  slots        23 bits of a cell's index and 1, or 0; above them 41 bits of a round. n is a power of two
 *     then 32*m cells        owner (8), next (4) and first (4) cell of the message, its size (4; of the first), 0 (12)
 *     then 256*m bytes       what is in the cells
 */
#ifndef ISTHMUS_POSIX_MAIL_H
#define ISTHMUS_POSIX_MAIL_H

#include "posix/registry.h"

#define MAIL_LAYOUT UINT32_C(1)
#define MAIL_CELL_BYTES 256u
#define MAIL_CELLS_MAX (IST_MAILSLOT_CAPACITY_MAX / MAIL_CELL_BYTES)
#define MAIL_SLOTS_MIN 64u
#define MAIL_ENTRY_BITS 23

typedef struct mail_words {
    uint32_t layout;
    uint32_t message_max;
    uint32_t capacity;
    uint32_t cells;
    uint64_t reader;
    uint8_t reserved[2024];
} mail_words;

typedef struct mail_tops {
    uint64_t tail;
    uint64_t reserved[7];
    uint64_t head;
    uint64_t reserved_too[7];
    uint32_t wake;
    uint32_t reserved_last[31];
} mail_tops;

typedef struct mail_cell {
    uint64_t owner;
    uint32_t next; /* index and 1; 0 is the end */
    uint32_t first;
    uint32_t size;
    uint32_t reserved[3];
} mail_cell;

_Static_assert(sizeof(mail_words) == SEGMENT_WORDS_SIZE, "the table above");
_Static_assert(offsetof(mail_words, reader) == 16, "the table above");
_Static_assert(sizeof(mail_tops) == 256, "the table above");
_Static_assert(offsetof(mail_tops, head) == 64, "the table above");
_Static_assert(offsetof(mail_tops, wake) == 128, "the table above");
_Static_assert(sizeof(mail_cell) == 32, "the table above");
_Static_assert(MAIL_CELLS_MAX < UINT32_C(1) << MAIL_ENTRY_BITS, "an entry holds every cell");

/* What the reader knows of itself: how many it has taken, and then whether something damaged was among them, and of the
   message that it drops whose the cells are and which is to be freed next (index and 1; 0 none). */
#define MAIL_PLACE_DAMAGED 1
#define MAIL_PLACE_OWNER 2
#define MAIL_PLACE_ENTRY 3
#define MAIL_PLACE_WORDS 4

/* A mapped queue: a checked copy of what it is, and where its parts are. */
typedef struct mail {
    volatile mail_tops *tops;
    volatile uint64_t *slots;
    volatile mail_cell *cells;
    unsigned char *bytes;
    uint32_t cell_count;
    uint32_t slot_mask;
    unsigned slot_bits;
    uint32_t message_max; /* 0: any that fits */
    uint32_t capacity;
    size_t size;              /* of the mapping */
    volatile uint64_t *place; /* the reader's own, where no writer reaches: MAIL_PLACE_WORDS */
} mail;

/* How many cells a capacity is. A message of n bytes takes n / 256 of them, rounded up, and one if it is empty: at most
   (n + 256) / 256, so that messages fit whose sizes, with 256 more for each, come to the capacity. */
uint32_t mail_cells_for(uint32_t capacity);

/* Bytes of data for so many cells. */
uint64_t mail_data_size(uint32_t cells);

/* Maps the queue of an object that was made or looked at, and checks it. */
ist_status mail_map(mail *out, const registry_entry *entry, uint64_t *reader, plat_error *error);
void mail_unmap(mail *of);

/* Bytes of the largest message. */
static inline uint32_t mail_limit(const mail *of)
{
    return of->message_max != 0 ? of->message_max : of->cell_count * MAIL_CELL_BYTES;
}

static inline uint32_t mail_cells_of(size_t size)
{
    return size == 0 ? 1 : (uint32_t)((size + MAIL_CELL_BYTES - 1) / MAIL_CELL_BYTES);
}

/* What the slot of a position holds with an entry: a cell's index and 1, or 0. */
static inline uint64_t mail_slot_with(const mail *of, uint64_t position, uint32_t entry)
{
    return position >> of->slot_bits << MAIL_ENTRY_BITS | entry;
}

static inline volatile uint64_t *mail_slot_of(const mail *of, uint64_t position)
{
    return &of->slots[position & of->slot_mask];
}

static inline uint32_t mail_entry_of(uint64_t slot)
{
    return (uint32_t)slot & ((UINT32_C(1) << MAIL_ENTRY_BITS) - 1);
}

/* ---- writers: mail_write.c, mail_reclaim.c ---- */

struct lives;

/* Who writes. */
typedef struct mail_writer {
    struct lives *lives;
    const registry_entry *entry;
    volatile uint32_t hint; /* where to look for a free cell first */
} mail_writer;

/* size is at most mail_limit(). Wakes nobody. */
ist_status mail_write(const mail *to, mail_writer *who, const void *data, size_t size, plat_error *error);

/* Frees cells that writers took who have ended, and that no message has. False if there were none. */
bool mail_reclaim(const mail *of, const mail_writer *who, uint64_t me);

/* ---- the reader: mail_read.c ---- */

/* A message's first cell, or what a look found else. */
#define MAIL_NONE UINT32_MAX
#define MAIL_DAMAGED (UINT32_MAX - 1)

/* What is next; needs no turn. *position, unless it is NULL, is where. */
uint32_t mail_look(const mail *of, uint64_t *position);

/* The rest by one thread at a time. IST_TIMEOUT: there is none. IST_E_SIZE: *got is its size, and it stays.
   IST_E_CORRUPT: what was damaged is gone. */
ist_status mail_read(const mail *of, void *buffer, size_t size, bool stays, size_t *got, plat_error *error);
ist_status mail_count(const mail *of, uint64_t *waiting, uint64_t *next_bytes, plat_error *error);

#endif
