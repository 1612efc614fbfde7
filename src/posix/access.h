/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * From an audience to the modes of what an object consists of.
 */
#ifndef ISTHMUS_POSIX_ACCESS_H
#define ISTHMUS_POSIX_ACCESS_H

#include <sys/types.h>

#include "core/plat.h"

typedef struct access_modes {
    mode_t directory;
    mode_t segment;
    mode_t life; /* of the file that holds the life word apart, 0 where the segment holds it */
} access_modes;

/* The modes of an object with this audience. A reading audience may swap the life word and nothing else. */
access_modes access_modes_of(ist_audience audience);

/* Whether a segment of this mode has its life word apart: told before its header can be believed. */
bool access_life_is_apart(mode_t segment);

#endif
