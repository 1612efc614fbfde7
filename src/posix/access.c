/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * From an audience to modes.
 */
#include "posix/access.h"

access_modes access_modes_of(ist_audience audience)
{
    static const access_modes modes[] = {
        [IST_AUDIENCE_OWNER] = {0700, 0600, 0},          [IST_AUDIENCE_GROUP_READ] = {0750, 0640, 0660},
        [IST_AUDIENCE_GROUP_WRITE] = {0750, 0660, 0},    [IST_AUDIENCE_EVERYONE_READ] = {0755, 0644, 0666},
        [IST_AUDIENCE_EVERYONE_WRITE] = {0755, 0666, 0},
    };

    return modes[audience];
}

bool access_life_is_apart(mode_t segment)
{
    mode_t mode = segment & 0777;

    return mode == 0640 || mode == 0644;
}
