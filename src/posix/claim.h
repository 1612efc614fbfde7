/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Claims: how a wait for all takes several objects at one instant, whoever dies or stops meanwhile.
 *
 * All who hold an object that can be claimed hold the same *table*: an object of the registry, one for each scope,
 * owner and audience, whose id the object records. A wait for all makes an *attempt* in one of the table's slots. It
 * tags each object's state word with the slot, the item and the attempt's sequence number, so that no other swap
 * passes; then decides by one swap of the slot's decision word; then settles each object. Who meets a tag does not
 * wait: an attempt that is not decided he gives up for its claimant, and settles the object either way.
 * docs/concurrency.md has the proof, models/claim.pml the model.
 *
 *   byte  size  field     in a slot of 1,600 bytes, 64 of them to a table; written by
 *      0     8  owner     life id of the claimant, 0 if free: by compare-and-swap
 *      8     8  decision  sequence << 2 | decision: the claimant; from open to given up anybody, by compare-and-swap
 *     16     4  count     items listed: the claimant
 *     24  1536  items     before, after, the object's id: the claimant, each before it tags the object
 *
 * A tag, with the highest bit set: slot << 57 | item << 51 | sequence.
 */
#ifndef ISTHMUS_POSIX_CLAIM_H
#define ISTHMUS_POSIX_CLAIM_H

#include "posix/life.h"
#include "posix/registry.h"

#define CLAIM_TAG (UINT64_C(1) << 63)

static inline bool claim_is_tag(uint64_t state)
{
    return (state & CLAIM_TAG) != 0;
}

/* This process's hold on a table. */
typedef struct claims claims;

/* Makes or joins the table for objects that this user makes with this audience; never a stranger's. Inside the gate, as
   are all that follow up to claims_drop. */
ist_status claims_create(bool global, ist_audience audience, claims **out, plat_error *error);

/* Joins the table of an object that another handle has made. IST_E_NOT_FOUND: it is gone, and so is the object. */
ist_status claims_open(const registry_entry *object, uint64_t id, ist_access access, claims **out, plat_error *error);

uint64_t claims_id(const claims *table);

/* One more, and one less, who holds it in this process. */
void claims_keep(claims *table);
void claims_drop(claims *table);

/* In a forked child: no other thread's hand is in the list. */
void claims_reset_after_fork(void);

/* Makes a tagged state word untagged. IST_E_CORRUPT: it cannot be. */
ist_status claim_settle(claims *table, volatile uint64_t *state, uint64_t tag, plat_error *error);

/* The same if the word still has the tag. False: it has it still. */
bool claim_settle_left(claims *table, volatile uint64_t *state, uint64_t tag);

/* What a tagged state word stands for, without touching anything. */
bool claim_read(const claims *table, uint64_t tag, uint64_t *value);

/* An attempt in the making. */
typedef struct claim_attempt {
    claims *table;
    volatile struct claim_slot *slot;
    size_t index;
    uint64_t sequence;
    uint32_t count;
} claim_attempt;

/* IST_TIMEOUT: all slots are in use: try again. */
ist_status claim_begin(claims *table, lives *of, uint64_t owner, claim_attempt *out, plat_error *error);

/* Lists an object and tags it; false if its state is not `before` any more, which *before then tells. */
bool claim_add(claim_attempt *attempt, uint64_t object, volatile uint64_t *state, uint64_t *before, uint64_t after);

/* Decides: true if everything is taken. Either way each object is then settled with claim_finish(). */
bool claim_decide(claim_attempt *attempt, bool take);
void claim_finish(const claim_attempt *attempt, uint32_t item, volatile uint64_t *state);

/* Gives the slot back. */
void claim_end(claim_attempt *attempt);

#endif
