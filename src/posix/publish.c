/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Publish.
 */
#include "posix/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic.h"
#include "posix/access.h"
#include "posix/error.h"
#include "posix/lock.h"
#include "posix/reap.h"

static ist_status make_file(const registry_entry *entry, const char *directory, const char *file, mode_t mode,
                            descriptor *out, plat_error *error)
{
    char path[NAME_ENTRY_SIZE + 2];
    struct stat facts;
    int fd = -1;

    (void)snprintf(path, sizeof path, "%s/%s", directory, file);
    fd = descriptor_open(entry->where.directory, path, O_RDWR | O_CREAT | O_EXCL, mode);
    /* A umask may have taken our own right to enter the directory. */
    if (fd < 0 && errno == EACCES && fchmodat(entry->where.directory, directory, 0700, 0) == 0)
        fd = descriptor_open(entry->where.directory, path, O_RDWR | O_CREAT | O_EXCL, mode);
    if (fd < 0)
        return error_from_errno(error, "openat");
    /* What it took from the file it took from the directory. */
    if (fstat(fd, &facts) != 0 ||
        ((facts.st_mode & 0777) != mode &&
         (fchmod(fd, mode) != 0 || fchmodat(entry->where.directory, directory, 0700, 0) != 0))) {
        ist_status status = error_from_errno(error, "fchmod");

        descriptor_drop(fd);
        return status;
    }
    descriptor_own(out, fd, facts.st_dev, facts.st_ino);
    return IST_OK;
}

static void fill_header(registry_entry *entry, const registry_want *want, const registry_plan *plan)
{
    segment_header *header = &entry->header;

    memset(header, 0, sizeof *header);
    header->magic = SEGMENT_MAGIC;
    header->layout = SEGMENT_LAYOUT;
    header->kind = (uint32_t)want->kind;
    header->flags = plan->flags;
    /* Nobody else can enter the directory of `Local\`. */
    header->audience = entry->where.global ? (uint32_t)plan->audience : (uint32_t)IST_AUDIENCE_OWNER;
    header->id = name_number();
    header->data_offset = segment_data_offset();
    header->size = plan->size;
    header->file_device = plan->file_device;
    header->file_inode = plan->file_inode;
    header->path_length = plan->content.path != NULL ? (uint32_t)strlen(plan->content.path) : 0;
    header->life = 1;
    header->name_length = (uint32_t)strlen(entry->full_name);
    memcpy(header->name, entry->full_name, header->name_length);
}

/* Makes what a reading audience swaps instead of the word in the header. */
static ist_status make_life(registry_entry *entry, const char *private_name, mode_t mode, plat_error *error)
{
    descriptor life = DESCRIPTOR_NONE;
    ist_status status = make_file(entry, private_name, "w", mode, &life, error);

    if (status == IST_OK)
        status = segment_reserve(life.fd, 0, SEGMENT_HEADER_SIZE, error);
    segment_life_unmap(&entry->life);
    if (status == IST_OK)
        status = segment_life_map(life.fd, true, &entry->life, error);
    if (status == IST_OK) {
        uint32_t none = 0;

        (void)atomic_swap_u32(entry->life.word, &none, 1);
    }
    descriptor_close(&life);
    return status;
}

static ist_status open_access(registry_entry *entry, const char *private_name, plat_error *error)
{
    char path[NAME_ENTRY_SIZE + 2];
    int fd = -1;

    (void)snprintf(path, sizeof path, "%s/r", private_name);
    fd = descriptor_open(entry->where.directory, path, O_RDWR, 0);
    if (fd < 0)
        return error_from_errno(error, "openat");
    descriptor_own(&entry->access, fd, entry->hold.device, entry->hold.inode);
    return IST_OK;
}

/* Locks it before anything else, so that a sweep sees a living maker. IST_TIMEOUT: a sweep was faster. */
static ist_status make_segment(registry_entry *entry, const char *private_name, const registry_plan *plan,
                               plat_error *error)
{
    access_modes modes = access_modes_of((ist_audience)entry->header.audience);
    mode_t life = plan->alone && modes.life != 0 ? 0600 : modes.life;
    ist_status status = make_file(entry, private_name, "r", modes.segment, &entry->hold, error);

    if (status == IST_OK)
        status = plan->alone ? lock_take_alone(entry->hold.fd, LOCK_HANDLE, error)
                             : lock_take(entry->hold.fd, LOCK_HANDLE, error);
    if (status == IST_OK)
        status = open_access(entry, private_name, error);
    if (status == IST_OK)
        status = segment_write(entry->access.fd, &entry->header, &plan->content, &entry->life, error);
    if (status == IST_OK && life != 0)
        status = make_life(entry, private_name, life, error);
    if (status == IST_OK && modes.directory != 0700 &&
        fchmodat(entry->where.directory, private_name, modes.directory, 0) != 0)
        status = error_from_errno(error, "fchmodat");
    return status == IST_E_NOT_FOUND ? IST_TIMEOUT : status;
}

#define MOST_BARRED 8

static step rename_over(visit *here, const char *private_name)
{
    const scope *where = &here->entry->where;
    ist_status status = IST_OK;

    if (renameat(where->directory, private_name, where->directory, here->entry->name) == 0)
        return STEP_DONE;
    if (errno == ENOENT || errno == EEXIST || errno == ENOTEMPTY)
        return STEP_AGAIN;
    /* Among several users that is how a lost race looks; or somebody keeps an empty directory there. */
    if (where->global && (errno == EPERM || errno == EACCES) && here->barred++ < MOST_BARRED)
        return STEP_AGAIN;
    status = error_from_errno(here->error, "renameat");
    return visit_failed(here, status);
}

/* By path, since what failed may have been for want of a descriptor. The private is this call's alone, and nobody else
   can put anything under its name. */
static void withdraw(const scope *where, const char *private_name)
{
    static const char files[] = {'w', 'r'};
    char path[NAME_ENTRY_SIZE + 2];

    for (size_t n = 0; n < sizeof files; n++) {
        (void)snprintf(path, sizeof path, "%s/%c", private_name, files[n]);
        (void)unlinkat(where->directory, path, 0);
    }
    (void)unlinkat(where->directory, private_name, AT_REMOVEDIR);
}

step publish(visit *here, const registry_plan *plan)
{
    registry_entry *entry = here->entry;
    char private_name[NAME_ENTRY_SIZE];
    step next = STEP_DONE;
    ist_status status = IST_OK;

    name_unique(private_name, entry->where.prefix, NAME_CLASS_PRIVATE);
    if (mkdirat(entry->where.directory, private_name, 0700) != 0) {
        if (errno == EEXIST || errno == ENOENT) /* a number met again; or the scope was removed: see the next try */
            return STEP_AGAIN;
        return visit_failed(here, error_from_errno(here->error, "mkdirat"));
    }
    fill_header(entry, here->want, plan);
    status = make_segment(entry, private_name, plan, here->error);
    if (status != IST_OK)
        next = status == IST_TIMEOUT ? STEP_AGAIN : visit_failed(here, status);
    if (next == STEP_DONE)
        next = rename_over(here, private_name);
    if (next == STEP_DONE) {
        entry->owner = entry->where.user;
        reap_enlist(entry, true);
    } else {
        visit_clear(here);
        withdraw(&entry->where, private_name);
    }
    return next;
}
