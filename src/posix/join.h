/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Look and join: one try of a call to get at an object that somebody holds.
 */
#ifndef ISTHMUS_POSIX_JOIN_H
#define ISTHMUS_POSIX_JOIN_H

#include "posix/registry.h"

/* What one try came to. */
typedef enum step {
    STEP_DONE,   /* the entry is joined or published */
    STEP_NONE,   /* there is no such object */
    STEP_AGAIN,  /* the world has moved */
    STEP_FAILED, /* visit.status says why */
} step;

/* One call's way through the registry. */
typedef struct visit {
    registry_entry *entry;
    const registry_want *want;
    bool denied;     /* the caller may read the segment but asks to write */
    unsigned barred; /* times that the name's place was another user's */
    int directory;
    struct stat directory_facts;
    struct stat facts; /* of the segment */
    ist_status header_status;
    plat_error header_error;
    ist_status status;
    plat_error *error;
} visit;

/* Tries once to join the object of the entry's name. STEP_DONE: the entry is on the process's list. */
step join(visit *here);

/* The same without joining: STEP_DONE leaves visit.directory open, and the entry on no list. */
step join_only_look(visit *here);

/* Ends a try with a status that visit.error tells about. */
step visit_failed(visit *here, ist_status status);

/* Lets go of what a try that came to nothing has opened. */
void visit_clear(visit *here);

#endif
