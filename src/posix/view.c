/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Views. They are mapped from a description that carries no lock, so they hold no name. A view of a sparse mapping
 * that is for writing keeps a description of its own, to take backing with after the handle has gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "posix/error.h"
#include "posix/mapping.h"

/* What plat_view.backing points at; 0 where there is nothing to take. */
typedef struct view_backing {
    descriptor file;
    uint64_t offset; /* of the view in the file */
} view_backing;

static ist_status keep_backing(const descriptor *file, uint64_t offset, plat_view *out, plat_error *error)
{
    view_backing *kept = plat_memory_take(sizeof *kept);
    int fd = -1;

    if (kept == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for a view", "%s", "");
    fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        plat_memory_give(kept);
        return error_from_errno(error, "F_DUPFD_CLOEXEC");
    }
    descriptor_own(&kept->file, fd, file->device, file->inode);
    kept->offset = offset;
    out->backing = (intptr_t)kept;
    return IST_OK;
}

static void drop_backing(plat_view *view)
{
    view_backing *kept = (view_backing *)view->backing;

    if (kept != NULL) {
        descriptor_close(&kept->file);
        plat_memory_give(kept);
    }
    view->backing = 0;
}

static ist_status map(const descriptor *file, uint64_t offset, plat_view *view, plat_error *error)
{
    int protection = view->access == IST_READ ? PROT_READ : PROT_READ | PROT_WRITE;

    view->data = mmap(NULL, view->size, protection, view->access == IST_COPY ? MAP_PRIVATE : MAP_SHARED, file->fd,
                      (off_t)offset);
    if (view->data != MAP_FAILED)
        return IST_OK;
    /* Too large for the address space is EINVAL or EOVERFLOW on some; too much for what may be locked is EAGAIN. */
    return errno == EINVAL || errno == EOVERFLOW || errno == EAGAIN ? error_from_errno(error, "mmap"),
           IST_E_MEMORY                                             : error_from_errno(error, "mmap");
}

ist_status plat_view_map(plat_mapping *mapping, ist_access access, uint64_t offset, size_t length, plat_view *out,
                         plat_error *error)
{
    bool is_file = (mapping->entry.header.flags & SEGMENT_FILE) != 0;
    bool is_sparse = (mapping->entry.header.flags & SEGMENT_SPARSE) != 0;
    const descriptor *file = is_file ? &mapping->file : &mapping->entry.access;
    uint64_t start = is_file ? offset : mapping->entry.header.data_offset + offset;
    ist_status status = IST_OK;

    if (!descriptor_is_ours(file, NULL))
        return error_refuse(error, IST_E_BROKEN, "descriptor", "%s", "the program closed it");
    *out = (plat_view){NULL, length, access, is_file, 0};
    if (is_sparse && access == IST_WRITE)
        status = keep_backing(file, start, out, error);
    if (status == IST_OK)
        status = map(file, start, out, error);
    if (status != IST_OK)
        drop_backing(out);
    return status;
}

ist_status plat_view_commit(const plat_view *view, size_t offset, size_t length, plat_error *error)
{
    const view_backing *kept = (const view_backing *)view->backing;

    if (kept == NULL)
        return IST_OK; /* backed since it was made */
    if (!descriptor_is_ours(&kept->file, NULL))
        return error_refuse(error, IST_E_BROKEN, "descriptor", "%s", "the program closed it");
    return segment_commit(kept->file.fd, kept->offset + offset, length, error);
}

ist_status plat_view_flush(const plat_view *view, plat_error *error)
{
    return msync(view->data, view->size, MS_SYNC) == 0 ? IST_OK : error_from_errno(error, "msync");
}

void plat_view_unmap(plat_view *view)
{
    (void)munmap(view->data, view->size);
    drop_backing(view);
}
