/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The one message that goes through the socket of a connection: what a client says of itself, and the memory with it.
 *
 *   byte  size  field
 *      0     4  magic
 *      4     4  layout         version of this table
 *      8     4  access         IST_READ, IST_WRITE or both
 *     12     4  messages       1 or 0: what the client took the pipe for, and so
 *     16     4  inbound_bytes  on
 *     20     4  outbound_bytes
 *     24     8  life_id        of the thread that connected, 0 where it has none
 */
#ifndef ISTHMUS_POSIX_HELLO_H
#define ISTHMUS_POSIX_HELLO_H

#include "posix/connection.h"

#define HELLO_MAGIC UINT32_C(0x49535448)
#define HELLO_LAYOUT UINT32_C(1)

typedef struct hello_message {
    uint32_t magic;
    uint32_t layout;
    uint32_t access;
    uint32_t messages;
    uint32_t inbound_bytes;
    uint32_t outbound_bytes;
    uint64_t life_id;
} hello_message;

_Static_assert(sizeof(hello_message) == 32, "the table above");
_Static_assert(offsetof(hello_message, life_id) == 24, "the table above");

/* What it says, checked as far as it can be without knowing the pipe. */
typedef struct hello {
    ist_access access;
    connection_shape shape;
    uint64_t life_id;
} hello;

/* Of any bytes: IST_OK, IST_E_CORRUPT or IST_E_LAYOUT. */
ist_status hello_parse(const void *bytes, size_t size, hello *out);

/* Sends it. IST_E_BROKEN: the server has gone already. */
ist_status hello_send(int socket, const hello *what, int memory, plat_error *error);

/* Receives it if it is there; *memory is the caller's then. IST_TIMEOUT: it may still come. IST_E_NOT_FOUND: nothing
   came, and nothing will. IST_E_BROKEN: what came is none. IST_E_LIMIT: the process has no descriptor for the memory,
   and it stays for another try. */
ist_status hello_receive(int socket, hello *out, int *memory, plat_error *error);

#endif
