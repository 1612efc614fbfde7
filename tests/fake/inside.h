/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the files of the fake backend share.
 */
#ifndef ISTHMUS_TESTS_FAKE_INSIDE_H
#define ISTHMUS_TESTS_FAKE_INSIDE_H

#include "fake/fake.h"

extern fake_ledger fake_owned;

/* Counts a call of the contract; IST_OK, or the failure that was asked for. */
ist_status fake_attempt(plat_error *error);

/* A failure of the fake's own. */
ist_status fake_refuse(ist_status status, plat_error *error);

void fake_note_name(const plat_name *name);

/* Forgets every mutex, semaphore, event and timer, and what they were to pretend. */
void fake_objects_reset(void);

#endif
