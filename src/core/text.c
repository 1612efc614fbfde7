/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * UTF-16 strings in shared memory. Each unit of a foreign string is read exactly once.
 */
#include <isthmus/text.h>

#include "core/detail.h"
#include "core/utf.h"

/* Writes a code point as one or two units where there is room for both; returns how many it takes. */
static size_t utf16_put(uint32_t code_point, ist_char16 *out, size_t capacity, size_t at)
{
    size_t length = code_point >= 0x10000 ? 2 : 1;

    if (out == NULL || at > capacity || capacity - at < length)
        return length;
    if (length == 1) {
        out[at] = (ist_char16)code_point;
    } else {
        out[at] = (ist_char16)(0xD800 + ((code_point - 0x10000) >> 10));
        out[at + 1] = (ist_char16)(0xDC00 + (code_point & 0x3FF));
    }
    return length;
}

/* Encodes all of a well-formed text and its terminator as far as there is room; returns the units it takes. */
static size_t utf16_encode(ist_char16 *out, size_t capacity, const char *text)
{
    size_t units = 0;

    while (*text != '\0')
        units += utf16_put(utf8_next(&text), out, capacity, units);
    return units + utf16_put(0, out, capacity, units);
}

ist_status ist_utf16_write(ist_char16 *out, size_t capacity, const char *text, size_t *units)
{
    size_t needed = 0;

    if (out == NULL || text == NULL || !utf8_valid(text))
        return detail_refuse(IST_E_ARG, "out and UTF-8 text");
    needed = utf16_encode(NULL, 0, text);
    if (units != NULL)
        *units = needed;
    if (needed > capacity)
        return detail_refuse(IST_E_SIZE, "capacity");
    (void)utf16_encode(out, capacity, text);
    return IST_OK;
}

/* Decodes the code point at *at, or says UTF_MALFORMED for an unpaired surrogate or the end of the bounds. */
static uint32_t utf16_next(const volatile ist_char16 *text, size_t units, size_t *at)
{
    uint32_t high = 0;
    uint32_t low = 0;

    if (*at >= units)
        return UTF_MALFORMED;
    high = text[(*at)++];
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || *at >= units)
        return UTF_MALFORMED;
    low = text[(*at)++];
    return low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00) : UTF_MALFORMED;
}

ist_status ist_utf16_read(char *out, size_t capacity, const volatile ist_char16 *text, size_t units, size_t *bytes)
{
    size_t needed = 0;
    size_t at = 0;
    uint32_t code_point = 0;

    if (text == NULL || (out == NULL && capacity != 0))
        return detail_refuse(IST_E_ARG, "text and out");
    if (capacity != 0)
        out[0] = '\0';
    do {
        char piece[4];
        size_t length = 0;

        code_point = utf16_next(text, units, &at);
        if (code_point == UTF_MALFORMED) {
            if (capacity != 0)
                out[0] = '\0';
            return detail_refuse(IST_E_CORRUPT, "terminated UTF-16");
        }
        length = utf8_put(code_point, piece);
        for (size_t i = 0; i < length && needed + i < capacity; i++)
            out[needed + i] = piece[i];
        needed += length;
    } while (code_point != 0);
    if (bytes != NULL)
        *bytes = needed;
    if (needed <= capacity)
        return IST_OK;
    if (capacity != 0)
        out[0] = '\0';
    return detail_refuse(IST_E_SIZE, "capacity");
}
