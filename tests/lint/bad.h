/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the check of the headers must refuse; included by nobody. Each function has the one mistake that it names.
 */
#ifndef ISTHMUS_TESTS_BAD_H
#define ISTHMUS_TESTS_BAD_H

IST_API void ist_bad_no_comment(void);

/**
 * Has no field on threads.
 * Shape:    none.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API void ist_bad_missing(void);

/**
 * Has its fields out of order.
 * Owns:     nothing.
 * Shape:    none.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API void ist_bad_order(void);

/**
 * Does not say since when.
 * Shape:    none.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread.
 * Platform: none that can be seen.
 * Source:   isthmus.
 */
IST_API void ist_bad_since(void);

/**
 * Shape:    none.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API void ist_bad_summary(void);

/**
 * Says nothing about who owns what.
 * Shape:    none.
 * Owns:
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API void ist_bad_empty(void);

#endif
