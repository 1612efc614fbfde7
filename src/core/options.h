/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Option structs across versions: each begins with its size, zero means default.
 */
#ifndef ISTHMUS_CORE_OPTIONS_H
#define ISTHMUS_CORE_OPTIONS_H

#include <stdbool.h>

#include <isthmus/mapping.h>

/* Copies an option struct of the caller's version into one of ours, which is zeroed first. A smaller struct lacks the
   newer fields: they stay 0. A larger one is fine while what we do not know is 0. `first` is the size in the first
   version. IST_E_ARG otherwise. NULL is all defaults. */
ist_status options_copy(void *ours, size_t known, size_t first, const void *theirs);

/* Checks what all kinds have in common. */
ist_status options_check_common(ist_audience audience, ist_trust trust);

/* Splits the access of an open into rights and trust. */
ist_status options_split_access(ist_access access, ist_access *rights, bool *trust_everyone);

#endif
