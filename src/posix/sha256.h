/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * SHA-256 (FIPS 180-4), for names too long for a directory entry. Here so that the library links to nothing.
 */
#ifndef ISTHMUS_POSIX_SHA256_H
#define ISTHMUS_POSIX_SHA256_H

#include <stddef.h>

/* 64 hexadecimal digits and a terminator. */
#define SHA256_HEX_SIZE 65

void sha256_hex(const char *text, size_t length, char out[SHA256_HEX_SIZE]);

#endif
