/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The file behind a mapping of a file.
 */
#ifndef ISTHMUS_POSIX_FILE_H
#define ISTHMUS_POSIX_FILE_H

#include "posix/descriptor.h"
#include "posix/registry.h"

/* Opens the file that a creator names and tells the size of the mapping (M9), extending it where that is asked for.
   absolute has SEGMENT_PATH_SIZE bytes and gets its real path. */
ist_status file_open(const plat_mapping_request *request, descriptor *out, char *absolute, uint64_t *size,
                     plat_error *error);

/* Opens the file that a joined entry's segment names: IST_E_BROKEN if it is not there or another. */
ist_status file_reopen(const registry_entry *entry, ist_access access, descriptor *out, plat_error *error);

#endif
