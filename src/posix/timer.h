/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What other files want of timers.
 */
#ifndef ISTHMUS_POSIX_TIMER_H
#define ISTHMUS_POSIX_TIMER_H

#include "posix/object.h"

/* Whether a timer is signalled. */
ist_status timer_query(plat_object *timer, uint32_t *signalled, plat_error *error);

#endif
