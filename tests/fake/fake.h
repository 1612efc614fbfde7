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
    size_t pipes; /* ends */
    size_t mailslots;
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
    plat_pipe *pipe; /* whose call it was */
    plat_pipe_request pipe_request;
    plat_mailslot *mailslot; /* whose call it was */
    plat_mailslot_request mailslot_request;
    int64_t timeout_ns;
    const void *data; /* what was to be written */
    size_t data_size;
    void *buffer; /* where what is read was to go */
    size_t buffer_size;
    size_t cancels;
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

/* What a transfer of a pipe or mailslot answers from here on, unless it is to fail: a status, and how much was read,
   written or copied. So do an accept, a connect and a flush. */
void fake_pretend_transfer(ist_status status, size_t bytes);

/* What a client's or an inherited end is from here on; its access is what was asked for, or everything. */
void fake_pretend_sort(ist_pipe_type type, ist_pipe_direction direction);

/* By how much the clock has gone on each time that it is looked at, from here on. */
void fake_pretend_clock(int64_t step_ns);

/* The halves that the backend has of the end and of the mailslot that were made last; of a pair, the second. */
plat_pipe *fake_newest_pipe(void);
plat_mailslot *fake_newest_mailslot(void);

/* What every field of an answer about a pipe or a mailslot is. */
#define FAKE_TOLD 21

/* What the next failure leaves as `call`: NULL, as a careless backend might. */
void fake_pretend_no_call(void);

#endif
