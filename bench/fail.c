/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a benchmark says when a call fails.
 */
#include "fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool fail_say(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, why);
    return false;
}

bool fail_system(const char *call)
{
    return fail_say(call, strerror(errno));
}

bool fail_library(const char *call, ist_status status)
{
    ist_detail detail;
    char why[256];

    ist_error_detail(&detail);
    (void)snprintf(why, sizeof why, "%s (%s, code %" PRIu32 ", %s)", ist_status_name(status), detail.call, detail.code,
                   detail.note);
    return fail_say(call, why);
}
