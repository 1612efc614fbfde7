/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Publish: an object is made whole in a private directory, and appears under its name in one step.
 */
#ifndef ISTHMUS_POSIX_PUBLISH_H
#define ISTHMUS_POSIX_PUBLISH_H

#include "posix/join.h"

/* Tries once to make the object. STEP_AGAIN: something has the name's place, or a sweep took the private. */
step publish(visit *here, const registry_plan *plan);

#endif
