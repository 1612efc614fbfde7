/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Everything portable in one include. <isthmus/win32.h> is apart.
 */
#ifndef ISTHMUS_ISTHMUS_H
#define ISTHMUS_ISTHMUS_H

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/mapping.h>
#include <isthmus/name.h>
#include <isthmus/status.h>
#include <isthmus/text.h>
#include <isthmus/traits.h>
#include <isthmus/version.h>

#endif
