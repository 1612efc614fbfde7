/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of named objects: prefix, length, UTF-8, and the words that Windows keeps for itself.
 */
#include "core/name.h"

#include <isthmus/name.h>

#include <string.h>

#include "core/detail.h"
#include "core/utf.h"

static bool take_prefix(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);
    bool found = strncmp(*text, prefix, length) == 0;

    if (found)
        *text += length;
    return found;
}

/* Windows links these words in its object directories to other directories. */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"Global", "Local", "Session", "Restricted", "AppContainerNamedObjects"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* Whether a name has its end within the allowed bytes, without reading further. */
static bool is_short_enough(const char *name)
{
    return memchr(name, '\0', IST_NAME_MAX + 1) != NULL;
}

ist_status name_parse(const char *name, plat_name *out)
{
    const char *text = name;
    bool global = false;

    if (!is_short_enough(name))
        return detail_refuse(IST_E_NAME, "at most 255 bytes");
    global = take_prefix(&text, "Global\\");
    if (!global)
        (void)take_prefix(&text, "Local\\");
    if (*text == '\0')
        return detail_refuse(IST_E_NAME, "not empty");
    if (strchr(text, '\\') != NULL)
        return detail_refuse(IST_E_NAME, "no backslash but in Local\\ and Global\\");
    if (!utf8_valid(text))
        return detail_refuse(IST_E_NAME, "UTF-8");
    if (is_reserved(text))
        return detail_refuse(IST_E_NAME, "not a reserved word");
    out->text = text;
    out->length = strlen(text);
    out->global = global;
    return IST_OK;
}

ist_status ist_name_check(const char *name)
{
    plat_name parsed;

    return name == NULL ? IST_OK : name_parse(name, &parsed);
}
