/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of named objects, as SEMANTICS N1 and N2 have them.
 */
#ifndef ISTHMUS_CORE_NAME_H
#define ISTHMUS_CORE_NAME_H

#include "core/plat.h"

/* Checks a name that is not NULL and splits off its prefix. *out points into name. */
ist_status name_parse(const char *name, plat_name *out);

#endif
