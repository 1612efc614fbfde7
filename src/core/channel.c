/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of pipes and mailslots.
 */
#include "core/channel.h"

#include <string.h>

#include "core/detail.h"
#include "core/utf.h"

/* Takes a text off the beginning, whatever its case; false if it does not stand there. */
static bool take(const char **text, const char *prefix)
{
    size_t n = 0;

    while (prefix[n] != '\0' && plat_channel_small((*text)[n]) == prefix[n])
        n++;
    if (prefix[n] != '\0')
        return false;
    *text += n;
    return true;
}

/* The bytes up to the terminator, without reading further than a name may be long. */
static size_t length_of(const char *text)
{
    const char *end = memchr(text, '\0', CHANNEL_NAME_MAX + 1);

    return end != NULL ? (size_t)(end - text) : CHANNEL_NAME_MAX + 1;
}

ist_status channel_name_parse(const char *name, const char *kind, plat_channel_name *out)
{
    const char *text = name;
    size_t length = 0;

    if (take(&text, "\\\\.\\") && !(take(&text, kind) && take(&text, "\\")))
        return detail_refuse(IST_E_NAME, "another kind's prefix");
    length = length_of(text);
    if (length == 0 || length > CHANNEL_NAME_MAX)
        return detail_refuse(IST_E_NAME, "1 to 247 bytes");
    if (strpbrk(text, "\\/") != NULL)
        return detail_refuse(IST_E_NAME, "no slash and no backslash");
    if (text[length - 1] == '.' || text[length - 1] == ' ')
        return detail_refuse(IST_E_NAME, "no dot and no space at the end");
    if (!utf8_valid(text))
        return detail_refuse(IST_E_NAME, "UTF-8");
    out->text = text;
    out->length = length;
    return IST_OK;
}

ist_status channel_check_timeout(int64_t timeout_ns)
{
    return timeout_ns >= 0 || timeout_ns == IST_FOREVER ? IST_OK : detail_refuse(IST_E_ARG, "timeout_ns");
}
