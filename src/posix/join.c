/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Look, alive?, may it be joined?, join.
 */
#include "posix/join.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic.h"
#include "posix/access.h"
#include "posix/error.h"
#include "posix/lock.h"
#include "posix/reap.h"

step visit_failed(visit *here, ist_status status)
{
    here->status = status;
    return STEP_FAILED;
}

static step refused(visit *here, ist_status status, const char *check)
{
    return visit_failed(here, error_refuse(here->error, status, check, "owner uid %lu, mode %03o",
                                           (unsigned long)here->directory_facts.st_uid,
                                           (unsigned)(here->directory_facts.st_mode & 0777)));
}

static bool is_own(const visit *here)
{
    return here->entry->owner == here->entry->where.user;
}

/* ---- look ---- */

/* A stranger may have put anything there: whatever that answers is a refusal. */
static step cannot_open(visit *here)
{
    ist_status status = error_from_errno(here->error, "openat");

    return visit_failed(here, status == IST_E_OS && !is_own(here) ? IST_E_ACCESS : status);
}

/* Opens the segment; who asks for more than is allowed may still learn what it is (N9). */
static step open_segment(visit *here)
{
    int fd = descriptor_open(here->directory, "r", O_RDWR, 0);

    if (fd < 0 && (errno == EACCES || errno == EROFS)) {
        fd = descriptor_open(here->directory, "r", O_RDONLY, 0);
        here->denied = here->want->access == IST_WRITE;
    }
    if (fd < 0 && errno == ENOENT)
        return STEP_NONE;
    if (fd < 0)
        return cannot_open(here);
    if (fstat(fd, &here->facts) != 0) {
        ist_status status = error_from_errno(here->error, "fstat");

        descriptor_drop(fd);
        return visit_failed(here, status);
    }
    descriptor_own(&here->entry->access, fd, here->facts.st_dev, here->facts.st_ino);
    if (here->facts.st_nlink == 0)
        return STEP_AGAIN;
    /* A peer may link what it may write; a stranger's link may be to anything. */
    if (!S_ISREG(here->facts.st_mode) || (here->facts.st_nlink != 1 && !is_own(here)) ||
        here->facts.st_uid != here->directory_facts.st_uid)
        return refused(here, IST_E_ACCESS, "segment");
    return STEP_DONE;
}

static step look(visit *here)
{
    registry_entry *entry = here->entry;

    /* Who creates mostly finds nothing, and this is the cheaper way to. */
    if (here->want->creating &&
        fstatat(entry->where.directory, entry->name, &here->directory_facts, AT_SYMLINK_NOFOLLOW) != 0 &&
        errno == ENOENT)
        return STEP_NONE;
    here->directory = descriptor_open(entry->where.directory, entry->name, O_RDONLY | O_DIRECTORY, 0);
    if (here->directory < 0 && errno == ENOENT)
        return STEP_NONE;
    if (here->directory < 0)
        return visit_failed(here, error_from_errno(here->error, "openat"));
    if (fstat(here->directory, &here->directory_facts) != 0)
        return visit_failed(here, error_from_errno(here->error, "fstat"));
    if (here->directory_facts.st_nlink == 0)
        return STEP_AGAIN;
    entry->owner = here->directory_facts.st_uid;
    if (!entry->where.global && !is_own(here))
        return refused(here, IST_E_ACCESS, "directory");
    return open_segment(here);
}

/* ---- alive? ---- */

/* What nobody holds is nothing to an opener, and in the way of a creator who may not remove it (L1). */
static step in_the_way(visit *here)
{
    return here->want->creating ? refused(here, IST_E_ACCESS, "left behind by another user") : STEP_NONE;
}

/* Declared dead by a swap of its life word, or without one. */
static step dead(visit *here)
{
    ist_status status = IST_OK;

    if (reap_is_allowed(here->entry)) {
        status = reap_remove(&here->entry->where, here->entry->name, &here->entry->access, here->error);
        return status == IST_OK ? STEP_AGAIN : visit_failed(here, status);
    }
    return in_the_way(here);
}

static step map_life(visit *here, bool apart)
{
    struct stat facts = here->facts;
    int fd = here->entry->access.fd;
    ist_status status = IST_OK;

    if (apart) {
        fd = descriptor_open(here->directory, "w", O_RDWR, 0);
        if (fd < 0 && errno == ENOENT)
            return dead(here); /* it goes first when an object is removed */
        if (fd < 0 || fstat(fd, &facts) != 0)
            status = error_from_errno(here->error, "openat");
    }
    if (status == IST_OK && (!S_ISREG(facts.st_mode) || facts.st_size < SEGMENT_HEADER_SIZE))
        status = error_refuse(here->error, IST_E_CORRUPT, "segment size", "%s", "");
    if (status == IST_OK)
        status = segment_life_map(fd, apart, &here->entry->life, here->error);
    if (apart && fd >= 0)
        descriptor_drop(fd);
    return status == IST_OK ? STEP_DONE : visit_failed(here, status);
}

/* A segment too short to map cannot be asked for its life, but for its locks it can. */
static step check_life(visit *here)
{
    registry_entry *entry = here->entry;
    bool apart = access_life_is_apart(here->facts.st_mode);
    step next = STEP_DONE;

    if (here->facts.st_size < SEGMENT_HEADER_SIZE)
        return reap_is_held(entry) ? refused(here, IST_E_CORRUPT, "segment size") : dead(here);
    next = map_life(here, apart);
    if (next != STEP_DONE)
        return next;
    here->header_status = apart ? segment_read(entry->access.fd, &here->facts, &entry->header, &here->header_error)
                                : segment_read_mapped(&entry->life, &here->facts, &entry->header, &here->header_error);
    switch (reap_ask(entry)) {
    case REAP_HELD:
        return STEP_DONE;
    case REAP_DEAD:
        return dead(here);
    default:
        return STEP_AGAIN;
    }
}

/* ---- may it be joined? ---- */

static bool is_wider(mode_t mode, mode_t allowed)
{
    return (mode & 0777 & ~allowed) != 0;
}

static step check_modes(visit *here)
{
    access_modes modes = access_modes_of((ist_audience)here->entry->header.audience);

    if (is_wider(here->directory_facts.st_mode, modes.directory) || is_wider(here->facts.st_mode, modes.segment))
        return refused(here, IST_E_ACCESS, "wider than its audience");
    if ((modes.life != 0) != access_life_is_apart(here->facts.st_mode))
        return refused(here, IST_E_CORRUPT, "another audience's mode");
    return STEP_DONE;
}

/* Only what another user cannot have prepared may be mapped, unless the caller trusts: so a stranger's object is only
   read, with calls that cannot fault. */
static step check_stranger(visit *here)
{
    registry_entry *entry = here->entry;

    here->header_status = segment_read(entry->access.fd, &here->facts, &entry->header, &here->header_error);
    if (!reap_is_held(entry)) /* not even root removes it: without the life word a joiner would not notice */
        return in_the_way(here);
    if (here->header_status == IST_OK && entry->header.kind != (uint32_t)here->want->kind)
        return refused(here, IST_E_KIND, "kind");
    return refused(here, IST_E_ACCESS, "owner");
}

static step check_header(visit *here)
{
    const segment_header *header = &here->entry->header;

    if (here->header_status != IST_OK) {
        *here->error = here->header_error;
        return visit_failed(here, here->header_status);
    }
    if (strcmp(header->name, here->entry->full_name) != 0 && here->want->id == 0)
        return refused(here, IST_E_CORRUPT, "name in the header");
    if (here->want->id != 0 && header->id != here->want->id)
        return STEP_NONE;
    if (here->want->kind != SEGMENT_ANY && header->kind != (uint32_t)here->want->kind)
        return refused(here, IST_E_KIND, "kind");
    if (here->denied || (here->want->access == IST_WRITE && (header->flags & SEGMENT_READ_ONLY) != 0))
        return refused(here, IST_E_ACCESS, "access");
    return check_modes(here);
}

/* ---- join ---- */

/* The lock comes before the swap, so that a reaper that did not see the lock is seen by the swap. */
static step take_hold(visit *here)
{
    registry_entry *entry = here->entry;
    struct stat facts;
    uint32_t life = 0;
    ist_status status = IST_OK;
    /* An instance of a pipe locks its slot exclusively. */
    int fd = descriptor_open(here->directory, "r", here->want->kind == SEGMENT_PIPE ? O_RDWR : O_RDONLY, 0);

    if (fd < 0)
        return errno == ENOENT ? STEP_AGAIN : visit_failed(here, error_from_errno(here->error, "openat"));
    if (fstat(fd, &facts) != 0 || facts.st_ino != entry->access.inode || facts.st_dev != entry->access.device) {
        descriptor_drop(fd);
        return STEP_AGAIN;
    }
    descriptor_own(&entry->hold, fd, facts.st_dev, facts.st_ino);
    status = lock_take(fd, LOCK_HANDLE, here->error);
    if (status != IST_OK)
        return status == IST_TIMEOUT ? STEP_AGAIN : visit_failed(here, status);
    life = atomic_load_u32(entry->life.word);
    do {
        if (life == 0)
            return STEP_AGAIN;
    } while (!atomic_swap_u32(entry->life.word, &life, life == UINT32_MAX ? 1 : life + 1));
    return STEP_DONE;
}

/* Up to where it may be joined. */
static step look_closely(visit *here)
{
    step next = look(here);

    if (next != STEP_DONE)
        return next;
    if (!is_own(here) && !here->want->trust_everyone)
        return check_stranger(here);
    if (here->denied && !access_life_is_apart(here->facts.st_mode))
        return check_stranger(here); /* the word that it could not swap it cannot map either */
    next = check_life(here);
    return next == STEP_DONE ? check_header(here) : next;
}

void visit_clear(visit *here)
{
    descriptor_close(&here->entry->hold);
    descriptor_close(&here->entry->access);
    segment_life_unmap(&here->entry->life);
}

step join(visit *here)
{
    step next = STEP_AGAIN;

    here->directory = -1;
    here->denied = false;
    next = look_closely(here);
    if (next == STEP_DONE)
        next = take_hold(here);
    if (here->directory >= 0)
        descriptor_drop(here->directory);
    if (next == STEP_DONE)
        reap_enlist(here->entry, false);
    else
        visit_clear(here);
    return next;
}

step join_only_look(visit *here)
{
    step next = STEP_AGAIN;

    here->directory = -1;
    here->denied = false;
    next = look_closely(here);
    if (next != STEP_DONE) {
        if (here->directory >= 0)
            descriptor_drop(here->directory);
        here->directory = -1;
        visit_clear(here);
    }
    return next;
}
