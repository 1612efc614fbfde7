/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Attempts, and how others settle them. claim_table.c has the tables.
 */
#include "posix/claim.h"

#include "posix/claim_table.h"
#include "posix/error.h"
#include "posix/gate.h"
#include "posix/object.h"

#define SLOT_SHIFT 57
#define ITEM_SHIFT 51
#define SEQUENCE_MASK ((UINT64_C(1) << ITEM_SHIFT) - 1)

#define DECISION_BITS 2
#define IDLE UINT64_C(0)
#define OPEN UINT64_C(1)
#define DONE UINT64_C(2)
#define GIVEN_UP UINT64_C(3)

static uint64_t tag_of(size_t slot, uint32_t item, uint64_t sequence)
{
    return CLAIM_TAG | (uint64_t)slot << SLOT_SHIFT | (uint64_t)item << ITEM_SHIFT | sequence;
}

static uint64_t decision_word(uint64_t sequence, uint64_t decision)
{
    return sequence << DECISION_BITS | decision;
}

static volatile claim_slot *slot_of(const claims *table, uint64_t tag)
{
    return &table->slots[tag >> SLOT_SHIFT & (CLAIM_SLOTS - 1)];
}

/* ---- others' attempts ---- */

/* Gives up for its claimant what is not decided. Returns the decision word as it is then. */
static uint64_t give_up(volatile claim_slot *slot, uint64_t sequence)
{
    uint64_t word = decision_word(sequence, OPEN);

    return atomic_swap_u64(&slot->decision, &word, decision_word(sequence, GIVEN_UP))
               ? decision_word(sequence, GIVEN_UP)
               : word;
}

/* What a state word with this tag is to become. False if the attempt is over: then the tag is gone, or nobody of ours
   wrote it. The items were written before the tag was, and are not written again while it stands. */
static bool outcome(const claims *table, uint64_t tag, uint64_t decision, uint64_t *value)
{
    uint64_t sequence = tag & SEQUENCE_MASK;
    const volatile claim_item *item = &slot_of(table, tag)->items[tag >> ITEM_SHIFT & (IST_WAIT_MAX - 1)];

    if (decision == decision_word(sequence, DONE))
        *value = atomic_load_u64(&item->after);
    else if (decision == decision_word(sequence, GIVEN_UP) || decision == decision_word(sequence, OPEN))
        *value = atomic_load_u64(&item->before);
    else
        return false;
    return !claim_is_tag(*value);
}

bool claim_read(const claims *table, uint64_t tag, uint64_t *value)
{
    return outcome(table, tag, atomic_load_u64(&slot_of(table, tag)->decision), value);
}

ist_status claim_settle(claims *table, volatile uint64_t *state, uint64_t tag, plat_error *error)
{
    uint64_t seen = tag;
    uint64_t value = 0;

    if (table == NULL || !table->writable)
        return error_refuse(error, IST_E_CORRUPT, "state word", "%s", "claimed, and cannot be");
    if (outcome(table, tag, give_up(slot_of(table, tag), tag & SEQUENCE_MASK), &value))
        (void)atomic_swap_u64(state, &seen, value);
    else if (atomic_load_u64(state) == tag)
        return error_refuse(error, IST_E_CORRUPT, "state word", "%s", "claimed by nobody");
    return IST_OK;
}

/* ---- one's own ---- */

static bool take_slot(claims *table, size_t index, uint64_t from, uint64_t owner)
{
    return atomic_swap_u64(&table->slots[index].owner, &from, owner);
}

/* A tag that a claimant may have left. */
typedef struct remains {
    claims *table;
    uint64_t object;
    uint64_t tag;
} remains;

/* The outcome is worked out only after the tag was seen: while it stands, the slot is nobody else's. */
bool claim_settle_left(claims *table, volatile uint64_t *state, uint64_t tag)
{
    plat_error error;

    return atomic_load_u64(state) != tag || claim_settle(table, state, tag, &error) == IST_OK;
}

static bool settle_visited(void *context, registry_entry *entry)
{
    const remains *left = context;
    plat_object *object = object_of(entry);

    return object != NULL && object->words != NULL && entry->header.id == left->object && object->access == IST_WRITE &&
           claim_settle_left(left->table, &object->words->state, left->tag);
}

/* Of objects that this process does not hold. Where the scope's directory has been replaced they cannot be found. */
static bool settle_absent(const remains *left)
{
    scope where;
    plat_error error;
    const registry_entry *table = &left->table->entry;

    return scope_again(&table->where, &where, &error) == IST_OK && where.turn == table->where.turn &&
           object_settle_absent(&where, table->owner, left->object, left->table, left->tag);
}

/* Settles what a claimant left that has ended. False if that cannot be done. */
static bool settle_remains(claims *table, size_t index)
{
    volatile claim_slot *slot = &table->slots[index];
    uint64_t decision = atomic_load_u64(&slot->decision);
    uint64_t sequence = decision >> DECISION_BITS;
    uint32_t count = atomic_load_u32(&slot->count);

    if (decision == decision_word(sequence, IDLE))
        return true;
    for (uint32_t item = 0; item < count && item < IST_WAIT_MAX; item++) {
        remains left = {table, atomic_load_u64(&slot->items[item].object), tag_of(index, item, sequence)};

        if (!registry_visit(settle_visited, &left) && !settle_absent(&left))
            return false;
    }
    return true;
}

static bool take_over_slot(claims *table, lives *of, size_t index, uint64_t owner)
{
    int entered = gate_enter();
    uint64_t last = atomic_load_u64(&table->slots[index].owner);
    bool taken = last != 0 && !claim_is_tag(last) && life_has_ended(of, last, &table->entry, NULL) &&
                 settle_remains(table, index) && take_slot(table, index, last, owner);

    gate_leave(entered);
    return taken;
}

ist_status claim_begin(claims *table, lives *of, uint64_t owner, claim_attempt *out, plat_error *error)
{
    bool found = false;
    size_t index = 0;

    if (!table->writable)
        return error_refuse(error, IST_E_ACCESS, "claims", "%s", "for reading");
    for (size_t n = 0; n < CLAIM_SLOTS && !found; n++) {
        index = (size_t)(owner / (1u << 8) + n) % CLAIM_SLOTS;
        found = take_slot(table, index, 0, owner);
    }
    for (size_t n = 0; n < CLAIM_SLOTS && !found; n++) {
        index = n;
        found = take_over_slot(table, of, index, owner);
    }
    if (!found)
        return IST_TIMEOUT;
    *out = (claim_attempt){table, &table->slots[index], index, 0, 0};
    out->sequence = ((atomic_load_u64(&out->slot->decision) >> DECISION_BITS) + 1) & SEQUENCE_MASK;
    atomic_store_u32(&out->slot->count, 0);
    atomic_store_u64(&out->slot->decision, decision_word(out->sequence, OPEN));
    return IST_OK;
}

bool claim_add(claim_attempt *attempt, uint64_t object, volatile uint64_t *state, uint64_t *before, uint64_t after)
{
    volatile claim_item *item = &attempt->slot->items[attempt->count];

    atomic_store_u64(&item->before, *before);
    atomic_store_u64(&item->after, after);
    atomic_store_u64(&item->object, object);
    atomic_store_u32(&attempt->slot->count, attempt->count + 1);
    if (!atomic_swap_u64(state, before, tag_of(attempt->index, attempt->count, attempt->sequence)))
        return false;
    attempt->count++;
    return true;
}

bool claim_decide(claim_attempt *attempt, bool take)
{
    uint64_t word = decision_word(attempt->sequence, OPEN);

    return atomic_swap_u64(&attempt->slot->decision, &word, decision_word(attempt->sequence, take ? DONE : GIVEN_UP)) &&
           take;
}

void claim_finish(const claim_attempt *attempt, uint32_t item, volatile uint64_t *state)
{
    uint64_t tag = tag_of(attempt->index, item, attempt->sequence);
    uint64_t value = 0;

    if (outcome(attempt->table, tag, atomic_load_u64(&attempt->slot->decision), &value))
        (void)atomic_swap_u64(state, &tag, value);
}

void claim_end(claim_attempt *attempt)
{
    atomic_store_u64(&attempt->slot->decision, decision_word(attempt->sequence, IDLE));
    atomic_store_u64(&attempt->slot->owner, 0);
}
