/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The thread's record of why its last failed call failed.
 */
#ifndef ISTHMUS_CORE_DETAIL_H
#define ISTHMUS_CORE_DETAIL_H

#include "core/plat.h"

/* Records what a backend said when it failed, and returns status. */
ist_status detail_of_failure(ist_status status, const plat_error *error);

/* The same if status is below 0. */
static inline ist_status detail_from_backend(ist_status status, const plat_error *error)
{
    return status < 0 ? detail_of_failure(status, error) : status;
}

/* Records that the core itself refused; `check` is a literal that names what did not hold. Returns status. */
ist_status detail_refuse(ist_status status, const char *check);

#endif
