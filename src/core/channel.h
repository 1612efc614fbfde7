/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What pipes and mailslots have in common.
 */
#ifndef ISTHMUS_CORE_CHANNEL_H
#define ISTHMUS_CORE_CHANNEL_H

#include "core/plat.h"

/* Bytes in the longest name of either sort. */
#define CHANNEL_NAME_MAX 247

/* Checks a name and takes off what may stand before it: `\\.\`, kind, `\`. IST_E_NAME. */
ist_status channel_name_parse(const char *name, const char *kind, plat_channel_name *out);

ist_status channel_check_timeout(int64_t timeout_ns);

#endif
