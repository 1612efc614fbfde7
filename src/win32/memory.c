/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Memory of this process for the library's own records, from the process heap: no C library's heap has to agree with
 * another's.
 */
#include "core/plat.h"
#include "win32/native.h"

void *plat_memory_take(size_t bytes)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, bytes);
}

void plat_memory_give(void *memory)
{
    if (memory != NULL)
        HeapFree(GetProcessHeap(), 0, memory);
}
