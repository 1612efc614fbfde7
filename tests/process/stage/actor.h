/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An actor: a child that does one operation between marks, and tells what it saw through shared memory.
 *
 * What an object holds, as 64-bit words: the first is the generation that its creator stamps it with; then one for
 * each actor that holds it (and one more for newcomers); from the eighth on a pattern, so that old data shows.
 */
#ifndef ISTHMUS_TESTS_PROCESS_ACTOR_H
#define ISTHMUS_TESTS_PROCESS_ACTOR_H

#include "scene.h"

#define ACTOR_BYTES 4096u
#define ACTOR_PATTERN_FROM 8u

/* The marks at which an actor stands, in this order. */
enum actor_mark { ACTOR_JOINED, ACTOR_WARM, ACTOR_READY, ACTOR_DID, ACTOR_LOOKED, ACTOR_CLOSED };

/* What an actor tells. */
typedef struct actor_report {
    ist_status status;
    bool did;        /* the operation has returned */
    bool holds;      /* it has a handle now */
    bool saw_old;    /* the object it holds is of the old generation */
    uint64_t target; /* process for which H makes a token; 0 for none */
    char token[IST_TOKEN_SIZE];
} actor_report;

typedef struct actor {
    trace trace;
    scene_op op;
    unsigned slot; /* 1 H, 2 A, 3 B */
    actor_report *report;
} actor;

/* What the actors of a process agree upon. */
typedef struct actor_names {
    const char *name;
    const char *other; /* never created */
    ist_audience audience;
    uint64_t old_generation;
    uint64_t new_generation;
    const char *token; /* for those who import */
} actor_names;

/* Forks one; it stands at ACTOR_JOINED. */
void actor_start(actor *who, const actor_names *names);

/* Lets it run from mark to mark. */
bool actor_to_marks(actor *who, unsigned marks);

/* Creates the object that the scenes are about, or opens it. */
ist_status actor_create(ist_mapping **out, const actor_names *names);

/* What a slot holds when its actor has looked. */
uint64_t actor_slot_value(unsigned slot, const actor_names *names);

#endif
