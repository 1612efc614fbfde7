/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
 */
#ifndef ISTHMUS_CORE_UTF_H
#define ISTHMUS_CORE_UTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF_MALFORMED UINT32_MAX

/* Decodes the code point at *text, which a terminator ends, and moves *text past it. UTF_MALFORMED leaves *text. */
uint32_t utf8_next(const char **text);

/* Writes a code point as 1 to 4 bytes, no terminator; returns how many. */
size_t utf8_put(uint32_t code_point, char out[4]);

/* True if all of a terminated text is well-formed. */
bool utf8_valid(const char *text);

#endif
