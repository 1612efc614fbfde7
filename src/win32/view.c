/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Views. A view is the kernel's own and needs nothing of the handle's; only a writable view of a file keeps a handle
 * of that file, in `backing`, because a flush to the disk wants it. A section that was opened by name or came by token
 * does not tell its file: a flush of its views hands the pages to the file system and leaves it to that when they
 * reach the disk. They are in the file, for everybody and after any crash but the machine's.
 */
#include "win32/error.h"
#include "win32/mapping.h"

static DWORD view_protection(ist_access access)
{
    DWORD protection = FILE_MAP_READ;

    if (access == IST_WRITE)
        protection = FILE_MAP_READ | FILE_MAP_WRITE;
    else if (access == IST_COPY)
        protection = FILE_MAP_COPY;
    return protection;
}

/* Gives the view its own handle of the file, so that it may outlive the mapping's (M8). */
static ist_status backing_take(const plat_mapping *mapping, ist_access access, HANDLE *out, plat_error *error)
{
    HANDLE self = GetCurrentProcess();
    ist_status status = IST_OK;

    *out = NULL;
    if (mapping->file != NULL && access == IST_WRITE &&
        !DuplicateHandle(self, mapping->file, self, out, 0, FALSE, DUPLICATE_SAME_ACCESS))
        status = win32_error_take(error, "DuplicateHandle", WIN32_STEP_HANDLE);
    return status;
}

static void backing_give(HANDLE file)
{
    if (file != NULL)
        (void)CloseHandle(file);
}

/* A native PAGE_READONLY section may have given us a handle for writing; its views then fail as too large ones do. */
static bool can_write(HANDLE section)
{
    void *probe = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 1);

    if (probe != NULL)
        (void)UnmapViewOfFile(probe);
    return probe != NULL || GetLastError() != ERROR_INVALID_PARAMETER;
}

ist_status plat_view_map(plat_mapping *mapping, ist_access access, uint64_t offset, size_t length, plat_view *out,
                         plat_error *error)
{
    HANDLE file = NULL;
    ist_status status = backing_take(mapping, access, &file, error);

    if (status != IST_OK)
        return status;
    out->data = MapViewOfFile(mapping->section, view_protection(access), (DWORD)(offset >> 32),
                              (DWORD)(offset & UINT32_MAX), length);
    if (out->data == NULL) {
        status = win32_error_take(error, "MapViewOfFile", WIN32_STEP_VIEW);
        if (access == IST_WRITE && error->code == ERROR_INVALID_PARAMETER && !can_write(mapping->section))
            status = win32_error_refuse(error, IST_E_ACCESS, "the section is for writing");
        backing_give(file);
    } else {
        out->size = length;
        out->access = access;
        out->file = mapping->over_file;
        out->backing = (intptr_t)file;
    }
    return status;
}

/* Commits the part of [at, end) that the region around `at` covers, and tells where that region ends. What is
   committed already is not asked for: memory would not mind, but a file's view refuses. */
static ist_status commit_region(BYTE *at, BYTE *end, BYTE **next, plat_error *error)
{
    MEMORY_BASIC_INFORMATION region;
    ist_status status = IST_OK;

    if (VirtualQuery(at, &region, sizeof region) == 0)
        return win32_error_take(error, "VirtualQuery", WIN32_STEP_COMMIT);
    *next = (BYTE *)region.BaseAddress + region.RegionSize;
    if (*next > end)
        *next = end;
    if (region.State == MEM_RESERVE && VirtualAlloc(at, (size_t)(*next - at), MEM_COMMIT, PAGE_READWRITE) == NULL)
        status = win32_error_take(error, "VirtualAlloc", WIN32_STEP_COMMIT);
    return status;
}

ist_status plat_view_commit(const plat_view *view, size_t offset, size_t length, plat_error *error)
{
    BYTE *at = (BYTE *)view->data + offset;
    BYTE *end = at + length;
    ist_status status = IST_OK;

    while (status == IST_OK && at < end)
        status = commit_region(at, end, &at, error);
    return status;
}

/* The system refuses for an instant while it writes the same pages itself. */
#define FLUSH_TRIES 300
#define FLUSH_TRIES_AT_ONCE 20

static bool flush_pages(const plat_view *view)
{
    bool done = FlushViewOfFile(view->data, view->size) != 0;
    int tries = 0;

    while (!done && GetLastError() == ERROR_LOCK_VIOLATION && tries++ < FLUSH_TRIES) {
        Sleep(tries < FLUSH_TRIES_AT_ONCE ? 0 : 1);
        done = FlushViewOfFile(view->data, view->size) != 0;
    }
    return done;
}

ist_status plat_view_flush(const plat_view *view, plat_error *error)
{
    HANDLE file = (HANDLE)view->backing;
    ist_status status = IST_OK;

    if (!flush_pages(view))
        status = win32_error_take(error, "FlushViewOfFile", WIN32_STEP_HANDLE);
    else if (file != NULL && !FlushFileBuffers(file))
        status = win32_error_take(error, "FlushFileBuffers", WIN32_STEP_HANDLE);
    return status;
}

void plat_view_unmap(plat_view *view)
{
    (void)UnmapViewOfFile(view->data);
    backing_give((HANDLE)view->backing);
}
