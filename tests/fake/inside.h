/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the files of the fake backend share.
 */
#ifndef ISTHMUS_TESTS_FAKE_INSIDE_H
#define ISTHMUS_TESTS_FAKE_INSIDE_H

#include "fake/fake.h"

extern fake_ledger fake_owned;

struct plat_object {
    struct fake_thing *thing; /* NULL: the waitable of a pipe or mailslot */
    void *native;
};

/* Counts a call of the contract; IST_OK, or the failure that was asked for. */
ist_status fake_attempt(plat_error *error);

/* A failure of the fake's own. */
ist_status fake_refuse(ist_status status, plat_error *error);

void fake_note_name(const plat_name *name);
void fake_note_channel(const plat_channel_name *name);

/* The answer of a transfer, unless it fails: the status that was pretended, and the bytes in *count if it is not NULL.
   The failure leaves *count as it is. */
ist_status fake_transfer(size_t *count, plat_error *error);

/* Forgets every mutex, semaphore, event and timer, and what they were to pretend. */
void fake_objects_reset(void);

/* The same for pipes and mailslots. */
void fake_pipes_reset(void);
void fake_mailslots_reset(void);

#endif
