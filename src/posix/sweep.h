/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The sweep: what the dead left behind is removed by the living, a little at every call.
 */
#ifndef ISTHMUS_POSIX_SWEEP_H
#define ISTHMUS_POSIX_SWEEP_H

#include "posix/scope.h"

/* Uses a scope; the process's first call sweeps both scopes whole (L3). */
ist_status sweep_use(bool global, scope *out, plat_error *error);

/* Looks at a few entries more. Does nothing when all `foreign` entries but `known` are this process's. */
void sweep_step(const scope *where, uint64_t known);

#endif
