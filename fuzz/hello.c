/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a client says of itself when it connects to a pipe, as any bytes (A3).
 */
#include <stdlib.h>
#include <string.h>

#include "posix/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool fact)
{
    if (!fact)
        abort();
}

/* What is let through is what a connection may be made of. */
static void check_said(const hello *said)
{
    check((said->access & ~(unsigned)(IST_READ | IST_WRITE)) == 0 && said->access != 0);
    check(said->shape.inbound_bytes <= IST_PIPE_BUFFER_MAX);
    check(said->shape.outbound_bytes <= IST_PIPE_BUFFER_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    hello said;
    ist_status status = IST_OK;

    memset(&said, 0, sizeof said);
    status = hello_parse(bytes, size, &said);
    check(status == IST_OK || status == IST_E_CORRUPT || status == IST_E_LAYOUT);
    if (status == IST_OK)
        check_said(&said);
    return 0;
}
