/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Memory of this process.
 */
#include "core/plat.h"

#include <stdlib.h>

void *plat_memory_take(size_t bytes)
{
    return calloc(1, bytes);
}

void plat_memory_give(void *memory)
{
    free(memory);
}
