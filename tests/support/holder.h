/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The role that gives every conformance test its second process: it does what the lines say and answers in names of
 * statuses. NAME is a peer_word; numbers are decimal; there are eight slots, each with a mapping and a view.
 *
 *   slot N                         ok
 *   create NAME SIZE [OPTION...]   STATUS     options: sparse read trust audience=N path=WORD
 *   open NAME ACCESS               STATUS     access: read write readwrite; a leading + trusts everyone
 *   size                           BYTES
 *   view ACCESS OFFSET LENGTH      STATUS BYTES     access: read write copy
 *   poke OFFSET BYTE               ok
 *   peek OFFSET                    BYTE
 *   blank                          blank, or "BYTE at OFFSET": is the whole view zero?
 *   commit OFFSET LENGTH           STATUS
 *   flush                          STATUS
 *   unmap                          ok
 *   close                          ok
 *   export PID ACCESS              STATUS TOKEN
 *   import WORD                    STATUS
 *   detail                         STATUS of the last failure
 *   text                           the UTF-16 text at the view's beginning, or the STATUS of reading it
 *   pid                            the process id
 *   churn NAME ROUNDS CELL         ok: creates, writes the byte at CELL of, and closes NAME so many times, and each
 *                                  object that it made itself had 0 there
 *   heir                           (nothing; the role "heir" then answers "here", and each "ping" with "pong")
 *   exit                           (nothing; exits with 0 and closes nothing)
 *   vanish                         (nothing; ends without any clean-up)
 */
#ifndef ISTHMUS_TESTS_HOLDER_H
#define ISTHMUS_TESTS_HOLDER_H

#include "peer.h"

#define HOLDER_ROLE "holder"

extern const peer_role holder_roles[];
extern const size_t holder_role_count;

#endif
