/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The consumer, in C++.
 */
#include "consumer.c"
