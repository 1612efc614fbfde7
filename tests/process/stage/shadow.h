/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the objects in the caller's Local\ scope say to others, byte by byte: to notice when it changes. For a process
 * that does not use the library.
 */
#ifndef ISTHMUS_TESTS_PROCESS_SHADOW_H
#define ISTHMUS_TESTS_PROCESS_SHADOW_H

#include <stdbool.h>
#include <stddef.h>

#define SHADOW_FILES 24

typedef struct shadow {
    size_t count;
    struct {
        unsigned char *now;
        unsigned char *before;
        size_t size;
    } files[SHADOW_FILES];
} shadow;

/* Takes a copy of everything that is there. */
void shadow_begin(shadow *out);

/* Whether anything has changed since the last look. */
bool shadow_changed(shadow *seen);

void shadow_end(shadow *seen);

#endif
