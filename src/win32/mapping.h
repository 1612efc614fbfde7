/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A mapping handle's inside, for views.
 */
#ifndef ISTHMUS_WIN32_MAPPING_H
#define ISTHMUS_WIN32_MAPPING_H

#include "core/plat.h"
#include "win32/native.h"

/* Invariants: section is open; file is open for writing if this handle made a writable section of a file, else NULL.
   Nothing changes after creation, so threads share it as it is. */
struct plat_mapping {
    HANDLE section;
    HANDLE file;  /* what a flush needs beside the view; a section opened by name does not tell its file */
    DWORD rights; /* what the section's handle grants, of those that matter here */
    bool over_file;
};

#endif
