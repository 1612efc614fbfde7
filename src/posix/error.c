/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * From errno to a status.
 */
#include "posix/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static ist_status status_of(int code)
{
    switch (code) {
    case EMFILE:
    case ENFILE:
    case ETOOMANYREFS: /* descriptors under way */
        return IST_E_LIMIT;
    case ENOMEM:
        return IST_E_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return IST_E_SPACE;
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENOTDIR: /* something else stands where a directory should: as a symbolic link does */
    case EROFS:
        return IST_E_ACCESS;
    case ENOENT:
        return IST_E_NOT_FOUND;
    default:
        return IST_E_OS;
    }
}

ist_status error_from_errno(plat_error *error, const char *call)
{
    error->space = IST_CODES_ERRNO;
    error->code = (uint32_t)errno;
    error->call = call;
    error->note[0] = '\0';
    return status_of(errno);
}

ist_status error_refuse(plat_error *error, ist_status status, const char *check, const char *note, ...)
{
    va_list arguments;

    error->space = IST_CODES_NONE;
    error->code = 0;
    error->call = check;
    va_start(arguments, note);
    (void)vsnprintf(error->note, sizeof error->note, note, arguments);
    va_end(arguments);
    return status;
}
