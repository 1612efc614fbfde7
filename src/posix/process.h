/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which process a number stands for: a pid comes back, its start time with it does not.
 */
#ifndef ISTHMUS_POSIX_PROCESS_H
#define ISTHMUS_POSIX_PROCESS_H

#include <sys/types.h>

#include "core/plat.h"

typedef struct process_identity {
    uint64_t id;
    uint64_t start; /* in the system's own unit; 0 where it does not tell */
    uid_t user;     /* effective user; (uid_t)-1 where the system does not tell */
} process_identity;

/* IST_OK; IST_E_ARG where there is no such process (an ended one whose parent has not asked yet is none); IST_E_ACCESS;
   IST_E_LIMIT, IST_E_MEMORY where it cannot be told. */
ist_status process_identify(uint64_t id, process_identity *out, plat_error *error);

/* The name space of process ids that this process lives in, 0 where there is but one. */
uint64_t process_space(void);

/* Whether it is still the same process and has not ended. A doubt is a yes. */
bool process_lives(uint64_t id, uint64_t start);

#endif
