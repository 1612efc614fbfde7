/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The file of a test, and mappings over it.
 */
#include "file.h"

#include "host.h"

char file_path[NAME_SIZE];

void file_make(size_t size)
{
    static unsigned char bytes[300000];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i % 251);
    unique_name(file_path, "isthmus-", "file.tmp");
    assert_true(host_file_write(file_path, bytes, size));
}

void file_remove(void)
{
    assert_true(host_file_remove(file_path));
}

ist_status file_map(ist_mapping **out, const char *name, uint64_t size, ist_access access)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = file_path;
    options.access = access;
    return ist_mapping_create(out, name, size, &options);
}
