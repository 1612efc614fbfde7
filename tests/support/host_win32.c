/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What tests need of Windows.
 */
#if !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0602
#endif
#define WIN32_LEAN_AND_MEAN

#include <windows.h>

#include "host.h"

#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_UNITS 1024

typedef struct host_thread {
    void (*body)(void *context, size_t index);
    void *context;
    size_t index;
    HANDLE thread;
} host_thread;

typedef const char *(*version_function)(void);

static unsigned __stdcall run_thread(void *argument)
{
    host_thread *self = argument;
    self->body(self->context, self->index);
    return 0;
}

void host_threads(size_t count, void (*body)(void *context, size_t index), void *context)
{
    host_thread threads[HOST_THREADS_MAX];
    for (size_t i = 0; i < count; i++) {
        threads[i].body = body;
        threads[i].context = context;
        threads[i].index = i;
        threads[i].thread = (HANDLE)_beginthreadex(NULL, 0, run_thread, &threads[i], 0, NULL);
        if (threads[i].thread == NULL) {
            abort();
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void)WaitForSingleObject(threads[i].thread, INFINITE);
        (void)CloseHandle(threads[i].thread);
    }
}

unsigned host_address_bits(void)
{
    return (unsigned)sizeof(size_t) * 8;
}

const char *host_emulator(void)
{
    static char text[64];
    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    FARPROC address = module == NULL ? NULL : GetProcAddress(module, "wine_get_version");
    version_function version = NULL;
    if (address == NULL) {
        return NULL;
    }
    memcpy(&version, &address, sizeof version);
    (void)snprintf(text, sizeof text, "Wine %s", version());
    return text;
}

static const wchar_t *to_wide(const char *path, wchar_t wide[PATH_UNITS])
{
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_UNITS) == 0) {
        wide[0] = L'\0';
    }
    return wide;
}

static HANDLE open_file(const char *path, DWORD access, DWORD how)
{
    wchar_t wide[PATH_UNITS];
    return CreateFileW(to_wide(path, wide), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, how,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

bool host_file_write(const char *path, const void *bytes, size_t size)
{
    HANDLE file = open_file(path, GENERIC_WRITE, CREATE_ALWAYS);
    DWORD done = 0;
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    BOOL written = size == 0 || WriteFile(file, bytes, (DWORD)size, &done, NULL);
    (void)CloseHandle(file);
    return written && done == size;
}

bool host_file_read(const char *path, uint64_t offset, void *bytes, size_t size)
{
    HANDLE file = open_file(path, GENERIC_READ, OPEN_EXISTING);
    LARGE_INTEGER place;
    DWORD done = 0;
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    place.QuadPart = (LONGLONG)offset;
    BOOL got = SetFilePointerEx(file, place, NULL, FILE_BEGIN) && ReadFile(file, bytes, (DWORD)size, &done, NULL);
    (void)CloseHandle(file);
    return got && done == size;
}

uint64_t host_file_size(const char *path)
{
    HANDLE file = open_file(path, GENERIC_READ, OPEN_EXISTING);
    LARGE_INTEGER size;
    if (file == INVALID_HANDLE_VALUE) {
        return UINT64_MAX;
    }
    BOOL got = GetFileSizeEx(file, &size);
    (void)CloseHandle(file);
    return got ? (uint64_t)size.QuadPart : UINT64_MAX;
}

bool host_file_remove(const char *path)
{
    wchar_t wide[PATH_UNITS];
    (void)SetFileAttributesW(to_wide(path, wide), FILE_ATTRIBUTE_NORMAL);
    return DeleteFileW(wide) != 0;
}

bool host_file_rename(const char *from, const char *to)
{
    wchar_t wide_from[PATH_UNITS];
    wchar_t wide_to[PATH_UNITS];
    return MoveFileW(to_wide(from, wide_from), to_wide(to, wide_to)) != 0;
}

bool host_file_protect(const char *path, bool read_only)
{
    wchar_t wide[PATH_UNITS];
    return SetFileAttributesW(to_wide(path, wide), read_only ? FILE_ATTRIBUTE_READONLY : FILE_ATTRIBUTE_NORMAL) != 0;
}

bool host_file_writable(const char *path)
{
    HANDLE file = open_file(path, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING);
    bool writable = file != INVALID_HANDLE_VALUE;
    if (writable)
        (void)CloseHandle(file);
    return writable;
}

bool host_folder_make(const char *path)
{
    wchar_t wide[PATH_UNITS];
    return CreateDirectoryW(to_wide(path, wide), NULL) != 0;
}

bool host_folder_remove(const char *path)
{
    wchar_t wide[PATH_UNITS];
    return RemoveDirectoryW(to_wide(path, wide)) != 0;
}
