/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The thread's record of why its last failed call failed. Only failures write it, so that a clean-up call which
 * succeeds cannot hide the reason.
 */
#include "core/detail.h"

#include <string.h>

#include "core/atomic.h"

static IST_THREAD_LOCAL ist_detail last_failure = {IST_OK, IST_CODES_NONE, 0, "", {0}};

ist_status detail_of_failure(ist_status status, const plat_error *error)
{
    last_failure.status = status;
    last_failure.space = error->space;
    last_failure.code = error->code;
    last_failure.call = error->call != NULL ? error->call : "";
    memcpy(last_failure.note, error->note, sizeof last_failure.note);
    last_failure.note[sizeof last_failure.note - 1] = '\0';
    return status;
}

ist_status detail_refuse(ist_status status, const char *check)
{
    const plat_error none = {IST_CODES_NONE, 0, check, {0}};
    return detail_of_failure(status, &none);
}

void ist_error_detail(ist_detail *out)
{
    if (out != NULL)
        *out = last_failure;
}
