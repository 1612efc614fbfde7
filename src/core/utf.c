/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Strict UTF-8 (RFC 3629).
 */
#include "core/utf.h"

/* How many bytes a sequence with this first byte has; 0 if none begins so. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

static bool is_code_point(uint32_t value, size_t length)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    return value >= least[length] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

uint32_t utf8_next(const char **text)
{
    static const unsigned char first_bits[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *byte = (const unsigned char *)*text;
    size_t length = sequence_length(byte[0]);
    uint32_t value = byte[0] & first_bits[length];

    /* A terminator is no continuation byte, so this never reads past it. */
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return UTF_MALFORMED;
        value = value << 6 | (byte[i] & 0x3Fu);
    }
    if (length == 0 || !is_code_point(value, length))
        return UTF_MALFORMED;
    *text += length;
    return value;
}

size_t utf8_put(uint32_t code_point, char out[4])
{
    static const unsigned char first_mark[5] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t length = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(unsigned char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(unsigned char)(first_mark[length] | code_point);
    return length;
}

bool utf8_valid(const char *text)
{
    while (*text != '\0')
        if (utf8_next(&text) == UTF_MALFORMED)
            return false;
    return true;
}
