/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names and texts of the statuses, from the one list in <isthmus/status.h>.
 */
#include <isthmus/status.h>

const char *ist_status_name(ist_status status)
{
    switch (status) {
#define STATUS_NAME(name, value, text)                                                                                 \
    case name:                                                                                                         \
        return #name;
        IST_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "IST_UNKNOWN";
}

const char *ist_status_text(ist_status status)
{
    switch (status) {
#define STATUS_TEXT(name, value, text)                                                                                 \
    case name:                                                                                                         \
        return text;
        IST_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "this value is not a status of isthmus";
}
