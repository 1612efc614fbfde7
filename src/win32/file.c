/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The file behind a mapping. Others may read, write, rename and remove it meanwhile, as they may on POSIX; the system
 * itself refuses to cut short what is mapped.
 */
#include "win32/file.h"

#include <string.h>
#include <wchar.h>

#include "win32/error.h"
#include "win32/name.h"

/* ---- paths ---- */

/* True for \\?\ and \\.\, which reach the system as they are. */
static bool path_is_verbatim(const WCHAR *path)
{
    return path[0] == L'\\' && path[1] == L'\\' && (path[2] == L'?' || path[2] == L'.') && path[3] == L'\\';
}

/* An absolute path in the form that has no limit: \\?\C:\x, and \\?\UNC\server\x for \\server\x. */
static WCHAR *path_verbatim(const WCHAR *full)
{
    bool share = full[0] == L'\\' && full[1] == L'\\';
    const WCHAR *prefix = share ? L"\\\\?\\UNC" : L"\\\\?\\";
    const WCHAR *rest = share ? full + 1 : full;
    size_t head = wcslen(prefix);
    size_t tail = wcslen(rest) + 1;
    WCHAR *path = plat_memory_take((head + tail) * sizeof(WCHAR));

    if (path != NULL) {
        memcpy(path, prefix, head * sizeof(WCHAR));
        memcpy(path + head, rest, tail * sizeof(WCHAR));
    }
    return path;
}

/* A long path made absolute and verbatim; NULL when there is no memory or it is no path at all. */
static WCHAR *path_lengthen(const WCHAR *path)
{
    DWORD room = GetFullPathNameW(path, 0, NULL, NULL);
    WCHAR *full = room > 0 ? plat_memory_take((size_t)room * sizeof(WCHAR)) : NULL;
    DWORD units = full != NULL ? GetFullPathNameW(path, room, full, NULL) : 0;
    WCHAR *verbatim = NULL;

    if (units > 0 && units < room && path_is_verbatim(full)) /* out of //?/C:/x */
        return full;
    if (units > 0 && units < room)
        verbatim = path_verbatim(full);
    plat_memory_give(full);
    return verbatim;
}

/* The system takes a path of MAX_PATH units or more only from programs whose manifest says so, or verbatim. */
static WCHAR *path_widen(const char *path)
{
    WCHAR *wide = win32_text_widen(path);
    WCHAR *verbatim = NULL;

    /* The limit is for the absolute path, whatever the working directory adds to it. */
    if (wide != NULL && !path_is_verbatim(wide) && GetFullPathNameW(wide, 0, NULL, NULL) > MAX_PATH) {
        verbatim = path_lengthen(wide);
        plat_memory_give(wide);
        wide = verbatim;
    }
    return wide;
}

/* ---- files ---- */

/* What turns out to be a pipe is told nothing about us: it cannot act as this user. */
static HANDLE file_open_wide(const WCHAR *path, ist_access access)
{
    DWORD rights = access == IST_WRITE ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ;

    return CreateFileW(path, rights, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       FILE_ATTRIBUTE_NORMAL | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
}

/* The native create answers "not enough memory" for a read-only mapping past the end, and knows no empty section. */
static ist_status file_check(HANDLE file, ist_access access, uint64_t size, plat_error *error)
{
    LARGE_INTEGER has = {{0, 0}};
    ist_status status = IST_OK;

    if (GetFileType(file) != FILE_TYPE_DISK)
        status = win32_error_refuse(error, IST_E_ARG, "path is a file's");
    else if (!GetFileSizeEx(file, &has))
        status = win32_error_take(error, "GetFileSizeEx", WIN32_STEP_FILE);
    else if (size == 0 && has.QuadPart == 0)
        status = win32_error_refuse(error, IST_E_SIZE, "the file is empty");
    else if (access == IST_READ && size > (uint64_t)has.QuadPart)
        status = win32_error_refuse(error, IST_E_ACCESS, "size is within a file for reading");
    return status;
}

ist_status win32_file_open(const char *path, ist_access access, uint64_t size, HANDLE *out, plat_error *error)
{
    WCHAR *wide = path_widen(path);
    HANDLE file = INVALID_HANDLE_VALUE;
    ist_status status = IST_OK;

    *out = NULL;
    if (wide == NULL)
        return win32_error_refuse(error, IST_E_MEMORY, "memory for a path");
    file = file_open_wide(wide, access);
    if (file == INVALID_HANDLE_VALUE)
        status = win32_error_take(error, "CreateFileW", WIN32_STEP_FILE);
    plat_memory_give(wide);
    if (status == IST_OK)
        status = file_check(file, access, size, error);
    if (status == IST_OK)
        *out = file;
    else if (file != INVALID_HANDLE_VALUE)
        (void)CloseHandle(file);
    return status;
}
