/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The blocks that posix/life.c makes and posix/life_ask.c reads. posix/life.h has the layout.
 */
#ifndef ISTHMUS_POSIX_LIFE_BLOCK_H
#define ISTHMUS_POSIX_LIFE_BLOCK_H

#include <pthread.h>

#include "posix/life.h"
#include "posix/registry.h"

#define LIFE_SLOT_BITS 6
#define LIFE_USE_BITS 8
#define LIFE_SLOTS ((size_t)1 << LIFE_SLOT_BITS)
#define LIFE_USE_MAX ((1u << LIFE_USE_BITS) - 1)
#define LIFE_MUTEX_SIZE 96

/* The kernel's bits in a lock word: FUTEX_OWNER_DIED, FUTEX_WAITERS. */
#define LIFE_ENDED UINT32_C(0x40000000)
#define LIFE_WAITERS UINT32_C(0x80000000)

typedef struct life_slot {
    uint64_t id;
    uint32_t watch_offset;
    uint32_t process;
    uint32_t thread;
    uint32_t mark; /* takes the lock word's place where the kernel marks none */
    uint64_t space;
    uint32_t mutex[LIFE_MUTEX_SIZE / sizeof(uint32_t)];
} life_slot;

_Static_assert(sizeof(life_slot) == 128, "the table in life.h");
_Static_assert(offsetof(life_slot, space) == 24, "the table in life.h");
_Static_assert(offsetof(life_slot, mutex) == 32, "the table in life.h");
_Static_assert(sizeof(pthread_mutex_t) <= LIFE_MUTEX_SIZE, "room for the C library's mutex");

/* What a process knows of a slot of its own, whatever a peer has written there since. */
typedef struct life_user {
    const void *thread;      /* whose: its life_known there; NULL where nobody has been */
    uint32_t number;         /* as the kernel counts threads */
    uint32_t uses;           /* so many ids have been given out */
    uint64_t id;             /* the last of them */
    volatile uint32_t *word; /* that tells of its end */
} life_user;

/* One that this process made, or has mapped to look. */
typedef struct life_block {
    struct life_block *next;
    uint64_t number;
    volatile life_slot *slots;
    bool own;
    bool ended; /* its process has */
    /* own */
    registry_entry entry;
    void *guard;
    life_user users[(size_t)1 << LIFE_SLOT_BITS];
    /* looked at */
    uid_t owner;
    unsigned watches;
    int64_t asked; /* when the system was last asked for its process */
} life_block;

/* Guards all of this process's lives and blocks. Taken inside the gate where blocks come or go. */
extern pthread_mutex_t life_mutex;

/* Of this process. */
extern lives *life_list;

/* This process's process_space(), once it has a life; 0 where that cannot be told. */
extern uint64_t life_space;

/* Makes a slot the calling thread's and returns the id. Under life_mutex, as are all of a block's slots. */
uint64_t life_slot_begin(life_block *block, size_t index);

/* Whether nobody uses the slot, or the thread that did has ended; whether all of its ids have been used; whether it is
   the calling thread's. */
bool life_slot_is_idle(const life_block *block, size_t index);
bool life_slot_is_spent(const life_block *block, size_t index);
bool life_slot_is_mine(const life_block *block, size_t index);

/* Bytes of a block's data. */
uint64_t life_block_size(void);

/* Writes the entry of a block, without the scope's prefix. */
void life_block_name(char out[32], uint64_t number);

/* Maps the data of a block. */
ist_status life_block_map(life_block *block, int fd, uint32_t data_offset, bool writable, plat_error *error);

/* Where an id says to look: the number of its block, and the slot in it. */
static inline uint64_t life_number_of(uint64_t id)
{
    return id >> (LIFE_SLOT_BITS + LIFE_USE_BITS);
}

static inline size_t life_index_of(uint64_t id)
{
    return (size_t)(id >> LIFE_USE_BITS & (LIFE_SLOTS - 1));
}

/* The word to watch; NULL where the offset is none. */
static inline volatile uint32_t *life_slot_word(const volatile life_slot *slot, uint32_t offset)
{
    return offset % sizeof(uint32_t) == 0 && offset >= offsetof(life_slot, mark) &&
                   offset <= sizeof *slot - sizeof(uint32_t)
               ? (volatile uint32_t *)(uintptr_t)((uintptr_t)slot + offset)
               : NULL;
}

#endif
