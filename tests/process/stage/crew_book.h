/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What crew.c and crew_keep.c share.
 */
#ifndef ISTHMUS_TESTS_PROCESS_CREW_BOOK_H
#define ISTHMUS_TESTS_PROCESS_CREW_BOOK_H

#include <isthmus/isthmus.h>

#include "crew.h"
#include "stage.h"

#define SHARES 3u
#define COINS_MAX 5u
#define MS INT64_C(1000000)

/* What can be given and taken. */
typedef enum good { COINS, BELL, ALARM, GOODS } good;

typedef struct account {
    uint64_t given;
    uint64_t taken;
    uint64_t perhaps_given; /* by those who were killed while they were about to */
    uint64_t perhaps_taken;
    uint64_t vanished; /* what the dead have taken as far as the keeper knows */
} account;

typedef struct ledger {
    account accounts[GOODS];
    uint64_t owner; /* place + 1 and generation of who has the guard; only the guard keeps it right */
    uint64_t operations;
    uint64_t together;
    uint64_t alone;
    uint64_t mended;
    uint32_t keepers_ready;
    uint32_t over;
    uint32_t keepers_left;
    struct {
        uint32_t generation;
        uint32_t doomed; /* the newest generation that may be dead */
        uint32_t giving[GOODS];
        uint32_t taking[GOODS];
    } places[CREW_MOST + CREW_KEEPERS];
} ledger;

typedef struct tools {
    ist_mutex *guard;
    ist_semaphore *shares;
    ist_event *baton;
    ist_event *lamp;
    ist_semaphore *coins;
    ist_event *bell;
    ist_timer *alarm;
    ist_timer *clock; /* set by anybody, at any time */
} tools;

extern ledger *book;
extern tools mine;
extern char crew_names[8][STAGE_NAME_SIZE];

static inline void add(uint64_t *count)
{
    __atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
}

static inline uint64_t read_count(const uint64_t *count)
{
    return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

static inline void put(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t get(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

uint32_t count_of(const ist_semaphore *semaphore);
bool is_set(const ist_event *event);
bool is_signalled(const ist_timer *timer);

/* Takes the guard alone, and mends if its owner has died. */
void take_guard(unsigned place, uint64_t random);

void check_shares(uint32_t least, uint32_t most, bool has_baton, bool has_lamp, const char *who);

#endif
