/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A mapping handle: its place in the registry, and the file that its views are mapped from.
 */
#ifndef ISTHMUS_POSIX_MAPPING_H
#define ISTHMUS_POSIX_MAPPING_H

#include "posix/registry.h"

struct plat_mapping {
    registry_entry entry;
    descriptor file; /* of a mapping of a file; else the entry's access description serves */
};

#endif
