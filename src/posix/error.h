/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * From errno to a status, with the system's own code kept beside it.
 */
#ifndef ISTHMUS_POSIX_ERROR_H
#define ISTHMUS_POSIX_ERROR_H

#include "core/plat.h"

/* Records errno as it is now and the call's name, and returns the status that belongs to it. */
ist_status error_from_errno(plat_error *error, const char *call);

/* Records a refusal of our own: what was checked, and a printf-style note (may be ""). Returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
ist_status
error_refuse(plat_error *error, ist_status status, const char *check, const char *note, ...);

#endif
