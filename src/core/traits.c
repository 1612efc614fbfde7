/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What this library and this system are: version, traits, page size, process id.
 */
#include <isthmus/traits.h>

#include <string.h>

#include <isthmus/version.h>

#include "core/plat.h"

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

uint32_t ist_version(void)
{
    return IST_VERSION;
}

const char *ist_version_text(void)
{
    return DOTTED(IST_VERSION_MAJOR, IST_VERSION_MINOR, IST_VERSION_PATCH);
}

void ist_traits_get(ist_traits *traits)
{
    ist_traits all = IST_TRAITS_INIT;
    size_t known = 0;

    if (traits == NULL)
        return;
    plat_traits(&all);
    known = traits->struct_size < sizeof all ? traits->struct_size : sizeof all;
    all.struct_size = traits->struct_size;
    memcpy(traits, &all, known);
}

uint64_t ist_page_size(void)
{
    ist_traits all = IST_TRAITS_INIT;

    plat_traits(&all);
    return all.page_size;
}

uint64_t ist_process_id(void)
{
    return plat_process_id();
}
