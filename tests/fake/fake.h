/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A backend in memory for the core's unit tests: it keeps a ledger of what the core owns, remembers what the core asked
 * for, and fails the nth call with a status of the test's choice. One process, one thread.
 */
#ifndef ISTHMUS_TESTS_FAKE_H
#define ISTHMUS_TESTS_FAKE_H

#include "core/plat.h"

/* Not the usual 4,096, so that nobody gets by with a constant. */
#define FAKE_PAGE 16384
#define FAKE_PROCESS 4711
#define FAKE_RECHECK_NS 71
#define FAKE_RESOLUTION_NS 72
#define FAKE_TICK_NS 73

/* What an armed failure leaves in the error. */
#define FAKE_CODE 815
#define FAKE_CALL "fake_call"
#define FAKE_NOTE "because the test says so"

/* What the core owns just now. */
typedef struct fake_ledger {
    size_t memory;
    size_t mappings;
    size_t views;
    size_t objects;
    size_t errors; /* what was given back twice or never given */
} fake_ledger;

/* What the core asked for last. */
typedef struct fake_asked {
    bool named;
    bool global;
    char name[IST_NAME_MAX + 1];
    size_t name_length;
    plat_mapping_request request;
    char path[64];
    ist_access access;
    bool trust_everyone;
    uint64_t process_id;
    char token[IST_TOKEN_SIZE];
    uint64_t offset;
    size_t length;
    plat_object_request object_request;
    plat_kind kind;
    plat_object *object; /* whose release, set, reset, cancel, export or query it was */
    uint32_t count;
    bool absolute;
    int64_t due_ns;
    uint32_t period_ms;
    void *native;
    plat_wait_request wait; /* its items are those below */
    plat_object *items[IST_WAIT_MAX];
} fake_asked;

extern fake_asked fake_last;

/* Forgets every object, failure and count. */
void fake_reset(void);

/* The nth call from here on (1 is the next) that can fail answers `status`; 0 disarms. Memory that cannot be had is
   NULL whatever the status. */
void fake_fail(unsigned nth, ist_status status);

/* Whether the armed failure has come to pass, and whether it was memory that could not be had. */
bool fake_failed(void);
bool fake_failed_memory(void);

/* Calls since the last reset or arming: all that can fail, and of them those that are not for memory. */
unsigned fake_calls(void);
unsigned fake_plat_calls(void);

fake_ledger fake_ledger_now(void);

/* What the next create reports instead of the truth: the size of the object. 0 is the truth. */
void fake_pretend_size(uint64_t size);

/* What waits answer from here on, unless they fail: a status of 0 or more, and the index. */
void fake_pretend_wait(ist_status status, size_t index);

/* Whether a wait for one object is a quick one from here on. */
void fake_pretend_quick(bool quick);

/* What queries answer from here on. */
void fake_pretend_state(const plat_object_state *state);

/* The half that the backend has of the handle that was made last. */
plat_object *fake_newest(void);

/* What a release of a semaphore reports as the count from before, and what a wait that takes nothing leaves behind as
   index: a careless backend scribbles whatever comes of it. */
#define FAKE_PREVIOUS 12
#define FAKE_SCRIBBLED 99

/* What the next failure leaves as `call`: NULL, as a careless backend might. */
void fake_pretend_no_call(void);

#endif
