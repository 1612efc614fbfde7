/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * To create under a name: to join what is there, or to make what is not (N5, N8, N9).
 */
#ifndef ISTHMUS_WIN32_REGISTRY_H
#define ISTHMUS_WIN32_REGISTRY_H

#include "core/plat.h"

/* Opens what has the name: IST_OK, or why not. */
typedef ist_status (*win32_registry_join)(void *context, plat_error *error);

/* Makes it: IST_OK, IST_EXISTED with nothing kept if somebody was faster, or why not. */
typedef ist_status (*win32_registry_make)(void *context, plat_error *error);

/* IST_OK: made; IST_EXISTED: joined; or why neither. */
ist_status win32_registry_create(win32_registry_join join, win32_registry_make make, void *context, plat_error *error);

#endif
