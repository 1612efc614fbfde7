/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The version of the headers, and of the library that is linked.
 */
#ifndef ISTHMUS_VERSION_H
#define ISTHMUS_VERSION_H

#include <stdint.h>

#include <isthmus/export.h>

IST_BEGIN_DECLS

#define IST_VERSION_MAJOR 0
#define IST_VERSION_MINOR 3
#define IST_VERSION_PATCH 0

/* One number that grows with every release: major * 10000 + minor * 100 + patch. */
#define IST_VERSION (IST_VERSION_MAJOR * 10000 + IST_VERSION_MINOR * 100 + IST_VERSION_PATCH)

/**
 * Tells the version of the library that the program runs with, in the form of IST_VERSION.
 * Shape:    compare with IST_VERSION to learn whether headers and library belong together.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API uint32_t ist_version(void);

/**
 * Tells the same version as text, for example "0.2.0".
 * Shape:    never NULL.
 * Owns:     the library's; valid as long as the library is loaded.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API const char *ist_version_text(void);

IST_END_DECLS

#endif
