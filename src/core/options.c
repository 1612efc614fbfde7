/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Option structs across versions.
 */
#include "core/options.h"

#include <string.h>

#include "core/detail.h"

/* No struct of ours will ever be larger: a size beyond is a struct that was never initialised. */
#define LARGEST 4096

static bool is_zero(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

ist_status options_copy(void *ours, size_t known, size_t first, const void *theirs)
{
    uint32_t size = 0;

    memset(ours, 0, known);
    if (theirs == NULL)
        return IST_OK;
    memcpy(&size, theirs, sizeof size);
    if (size < first || size > LARGEST)
        return detail_refuse(IST_E_ARG, "struct_size");
    if (size > known && !is_zero((const unsigned char *)theirs + known, size - known))
        return detail_refuse(IST_E_ARG, "an option of a newer version");
    memcpy(ours, theirs, size < known ? size : known);
    return IST_OK;
}

ist_status options_check_common(ist_audience audience, ist_trust trust)
{
    /* The enumeration may be signed or not: compare as a number. */
    if ((uint32_t)audience > IST_AUDIENCE_EVERYONE_WRITE)
        return detail_refuse(IST_E_ARG, "audience");
    return trust == IST_TRUST_OWNER || trust == IST_TRUST_EVERYONE ? IST_OK : detail_refuse(IST_E_ARG, "trust");
}

ist_status options_split_access(ist_access access, ist_access *rights, bool *trust_everyone)
{
    *trust_everyone = (access & IST_TRUST_EVERYONE) != 0;
    *rights = access & ~IST_TRUST_EVERYONE;
    return *rights == IST_READ || *rights == IST_WRITE ? IST_OK : detail_refuse(IST_E_ARG, "access");
}
