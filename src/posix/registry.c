/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Look, join, publish. How an object goes is in reap.c.
 */
#include "posix/registry.h"

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
#include "posix/sweep.h"

/* Races lost in a row before a call gives up. */
#define MOST_TRIES 10000

/* Times that a directory without a segment may be in the way before it is taken for garbage of somebody else's. */
#define MOST_STUCK 100

/* What one try came to. */
typedef enum step {
    STEP_DONE,   /* the entry is joined or published */
    STEP_NONE,   /* there is no such object */
    STEP_AGAIN,  /* the world has moved */
    STEP_FAILED, /* visit.status says why */
} step;

/* One call's way through the registry. */
typedef struct visit {
    registry_entry *entry;
    const registry_want *want;
    bool creating;
    bool denied; /* the caller may read the segment but asks to write */
    int directory;
    struct stat directory_facts;
    struct stat facts;
    ist_status header_status;
    plat_error header_error;
    ist_status status;
    plat_error *error;
} visit;

static step failed(visit *here, ist_status status)
{
    here->status = status;
    return STEP_FAILED;
}

static step refused(visit *here, ist_status status, const char *check)
{
    return failed(here, error_refuse(here->error, status, check, "owner uid %lu, mode %03o",
                                     (unsigned long)here->directory_facts.st_uid,
                                     (unsigned)(here->directory_facts.st_mode & 0777)));
}

static bool is_own(const visit *here)
{
    return here->entry->owner == here->entry->where.user;
}

/* ---- look ---- */

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
        return failed(here, error_from_errno(here->error, "openat"));
    if (fstat(fd, &here->facts) != 0) {
        ist_status status = error_from_errno(here->error, "fstat");

        descriptor_drop(fd);
        return failed(here, status);
    }
    descriptor_own(&here->entry->access, fd, &here->facts);
    if (here->facts.st_nlink == 0)
        return STEP_AGAIN;
    if (!S_ISREG(here->facts.st_mode) || here->facts.st_nlink != 1 ||
        here->facts.st_uid != here->directory_facts.st_uid)
        return refused(here, IST_E_ACCESS, "segment");
    return STEP_DONE;
}

static step look(visit *here)
{
    registry_entry *entry = here->entry;

    here->directory = descriptor_open(entry->where.directory, entry->name, O_RDONLY | O_DIRECTORY, 0);
    if (here->directory < 0 && errno == ENOENT)
        return STEP_NONE;
    if (here->directory < 0)
        return failed(here, error_from_errno(here->error, "openat"));
    if (fstat(here->directory, &here->directory_facts) != 0)
        return failed(here, error_from_errno(here->error, "fstat"));
    if (here->directory_facts.st_nlink == 0)
        return STEP_AGAIN;
    entry->owner = here->directory_facts.st_uid;
    if (!entry->where.global && !is_own(here))
        return refused(here, IST_E_ACCESS, "directory");
    return open_segment(here);
}

/* ---- alive? ---- */

/* What nobody holds is nothing to an opener, and in the way of a creator who may not remove it (L1). */
static step dead(visit *here)
{
    ist_status status = IST_OK;

    if (reap_is_allowed(here->entry)) {
        status = reap_remove(&here->entry->where, here->entry->name, &here->entry->access, here->error);
        return status == IST_OK ? STEP_AGAIN : failed(here, status);
    }
    return here->creating ? refused(here, IST_E_ACCESS, "left behind by another user") : STEP_NONE;
}

/* Where the life word is: the header says so, if it can be believed. */
static bool life_is_apart(const visit *here)
{
    const segment_header *header = &here->entry->header;

    return here->header_status == IST_OK && access_modes_of((ist_audience)header->audience).life != 0;
}

static step map_life(visit *here)
{
    struct stat facts = here->facts;
    int fd = here->entry->access.fd;
    bool apart = life_is_apart(here);
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
    return status == IST_OK ? STEP_DONE : failed(here, status);
}

/* A segment too short to map cannot be asked for its life, but for its locks it can. */
static step check_life(visit *here)
{
    step next = STEP_DONE;

    if (here->facts.st_size < SEGMENT_HEADER_SIZE)
        return reap_is_held(here->entry) ? refused(here, IST_E_CORRUPT, "segment size") : dead(here);
    next = map_life(here);
    if (next != STEP_DONE)
        return next;
    switch (reap_ask(here->entry)) {
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
    return STEP_DONE;
}

/* Only what another user cannot have prepared may be mapped, unless the caller trusts: so a stranger's object is only
   read, with calls that cannot fault. */
static step check_stranger(visit *here)
{
    if (!reap_is_held(here->entry))
        return dead(here);
    if (here->header_status == IST_OK && here->entry->header.kind != (uint32_t)here->want->kind)
        return refused(here, IST_E_KIND, "kind");
    return refused(here, IST_E_ACCESS, "owner");
}

static step check_header(visit *here)
{
    const segment_header *header = &here->entry->header;

    if (here->header_status != IST_OK) {
        *here->error = here->header_error;
        return failed(here, here->header_status);
    }
    if (strcmp(header->name, here->entry->full_name) != 0 && here->want->id == 0)
        return refused(here, IST_E_CORRUPT, "name in the header");
    if (header->kind != (uint32_t)here->want->kind)
        return refused(here, IST_E_KIND, "kind");
    if (here->want->id != 0 && header->id != here->want->id)
        return STEP_NONE;
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
    int fd = descriptor_open(here->directory, "r", O_RDONLY, 0);

    if (fd < 0)
        return errno == ENOENT ? STEP_AGAIN : failed(here, error_from_errno(here->error, "openat"));
    if (fstat(fd, &facts) != 0 || facts.st_ino != entry->access.inode || facts.st_dev != entry->access.device) {
        descriptor_drop(fd);
        return STEP_AGAIN;
    }
    descriptor_own(&entry->hold, fd, &facts);
    status = lock_take(fd, LOCK_HANDLE, here->error);
    if (status != IST_OK)
        return status == IST_TIMEOUT ? STEP_AGAIN : failed(here, status);
    life = atomic_load_u32(entry->life.word);
    do {
        if (life == 0)
            return STEP_AGAIN;
    } while (!atomic_swap_u32(entry->life.word, &life, life == UINT32_MAX ? 1 : life + 1));
    return STEP_DONE;
}

static step join_once(visit *here)
{
    registry_entry *entry = here->entry;
    step next = look(here);

    if (next != STEP_DONE)
        return next;
    here->header_status = segment_read(entry->access.fd, &here->facts, &entry->header, &here->header_error);
    if (!is_own(here) && !here->want->trust_everyone)
        return check_stranger(here);
    if (here->denied && !life_is_apart(here))
        return check_stranger(here); /* the word that it could not swap it cannot map either */
    next = check_life(here);
    if (next == STEP_DONE)
        next = check_header(here);
    return next == STEP_DONE ? take_hold(here) : next;
}

static void clear(registry_entry *entry)
{
    descriptor_close(&entry->hold);
    descriptor_close(&entry->access);
    segment_life_unmap(&entry->life);
}

static step join(visit *here)
{
    step next = STEP_AGAIN;

    here->directory = -1;
    here->denied = false;
    next = join_once(here);
    if (here->directory >= 0)
        descriptor_drop(here->directory);
    if (next == STEP_DONE)
        reap_enlist(here->entry, false);
    else
        clear(here->entry);
    return next;
}

static ist_status gave_up(plat_error *error)
{
    errno = EAGAIN;
    return error_from_errno(error, "10,000 lost races");
}

/* ---- publish ---- */

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
    if (fstat(fd, &facts) != 0 || ((facts.st_mode & 0777) != mode && fchmod(fd, mode) != 0)) {
        ist_status status = error_from_errno(error, "fchmod");

        descriptor_drop(fd);
        return status;
    }
    descriptor_own(out, fd, &facts);
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
    header->size = plan->size;
    header->file_device = plan->file_device;
    header->file_inode = plan->file_inode;
    header->path_length = plan->path != NULL ? (uint32_t)strlen(plan->path) : 0;
    header->life = 1;
    header->name_length = (uint32_t)strlen(entry->full_name);
    memcpy(header->name, entry->full_name, header->name_length);
}

/* Writes what a reading audience swaps instead of the word in the header. */
static ist_status make_life(registry_entry *entry, const char *private_name, mode_t mode, plat_error *error)
{
    descriptor life = DESCRIPTOR_NONE;
    ist_status status = make_file(entry, private_name, "w", mode, &life, error);

    if (status == IST_OK)
        status = segment_reserve(life.fd, 0, SEGMENT_HEADER_SIZE, error);
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
    entry->access = (descriptor){fd, entry->hold.device, entry->hold.inode};
    return IST_OK;
}

/* Locks it before anything else, so that a sweep sees a living maker. IST_TIMEOUT: a sweep was faster. */
static ist_status make_segment(registry_entry *entry, const char *private_name, const registry_plan *plan,
                               plat_error *error)
{
    access_modes modes = access_modes_of((ist_audience)entry->header.audience);
    ist_status status = make_file(entry, private_name, "r", modes.segment, &entry->hold, error);

    if (status == IST_OK)
        status = lock_take(entry->hold.fd, LOCK_HANDLE, error);
    if (status == IST_OK)
        status = open_access(entry, private_name, error);
    if (status == IST_OK)
        status = segment_write(entry->access.fd, &entry->header, plan->path, error);
    if (status == IST_OK)
        status = modes.life != 0 ? make_life(entry, private_name, modes.life, error)
                                 : segment_life_map(entry->access.fd, false, &entry->life, error);
    if (status == IST_OK && modes.directory != 0700 &&
        fchmodat(entry->where.directory, private_name, modes.directory, 0) != 0)
        status = error_from_errno(error, "fchmodat");
    return status == IST_E_NOT_FOUND ? IST_TIMEOUT : status;
}

static step rename_over(visit *here, const char *private_name)
{
    const scope *where = &here->entry->where;
    ist_status status = IST_OK;

    if (renameat(where->directory, private_name, where->directory, here->entry->name) == 0)
        return STEP_DONE;
    if (errno == ENOENT || errno == EEXIST || errno == ENOTEMPTY)
        return STEP_AGAIN;
    status = error_from_errno(here->error, "renameat");
    return failed(here, status);
}

static step publish(visit *here, const registry_plan *plan)
{
    registry_entry *entry = here->entry;
    char private_name[NAME_ENTRY_SIZE];
    step next = STEP_DONE;
    ist_status status = IST_OK;

    name_unique(private_name, entry->where.prefix, NAME_CLASS_PRIVATE);
    if (mkdirat(entry->where.directory, private_name, 0700) != 0) {
        if (errno == EEXIST || errno == ENOENT) /* a number met again; or the scope was removed: see the next try */
            return STEP_AGAIN;
        return failed(here, error_from_errno(here->error, "mkdirat"));
    }
    fill_header(entry, here->want, plan);
    status = make_segment(entry, private_name, plan, here->error);
    if (status != IST_OK)
        next = status == IST_TIMEOUT ? STEP_AGAIN : failed(here, status);
    if (next == STEP_DONE)
        next = rename_over(here, private_name);
    if (next == STEP_DONE) {
        entry->owner = entry->where.user;
        reap_enlist(entry, true);
    } else {
        clear(entry);
        reap_discard(&entry->where, private_name);
    }
    return next;
}

/* ---- the calls ---- */

static ist_status begin(registry_entry *entry, const plat_name *name, plat_error *error)
{
    ist_status status = sweep_use(name != NULL && name->global, &entry->where, error);

    entry->hold = DESCRIPTOR_NONE;
    entry->access = DESCRIPTOR_NONE;
    if (status == IST_OK && name != NULL) {
        (void)snprintf(entry->full_name, sizeof entry->full_name, "%s\\%s", name->global ? "Global" : "Local",
                       name->text);
        name_entry(entry->name, entry->where.prefix, name);
    } else if (status == IST_OK) {
        name_unique(entry->name, entry->where.prefix, NAME_CLASS_UNNAMED);
    }
    return status;
}

/* The directory may have been removed while the call ran; a try after that goes on in a new one. */
static ist_status renew(registry_entry *entry, plat_error *error)
{
    return sweep_use(entry->where.global, &entry->where, error);
}

static ist_status open_loop(visit *here)
{
    ist_status status = IST_OK;
    step next = STEP_AGAIN;

    for (int i = 0; i < MOST_TRIES && next == STEP_AGAIN; i++)
        next = join(here);
    if (next == STEP_NONE)
        status = error_refuse(here->error, IST_E_NOT_FOUND, "nobody holds it", "%s", "");
    else if (next == STEP_AGAIN)
        status = gave_up(here->error);
    else if (next == STEP_FAILED)
        status = here->status;
    return status;
}

static uint64_t known_foreign(const registry_entry *entry, ist_status status)
{
    return (status == IST_OK || status == IST_EXISTED) && !entry->made ? 1 : 0;
}

ist_status registry_open(registry_entry *entry, const plat_name *name, const registry_want *want, plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};
    ist_status status = begin(entry, name, error);

    if (status == IST_OK) {
        status = open_loop(&here);
        sweep_step(&entry->where, known_foreign(entry, status));
    }
    return status;
}

ist_status registry_open_known(registry_entry *entry, const scope *where, const char *name, const registry_want *want,
                               plat_error *error)
{
    visit here = {.entry = entry, .want = want, .error = error};

    entry->where = *where;
    entry->hold = DESCRIPTOR_NONE;
    entry->access = DESCRIPTOR_NONE;
    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    return open_loop(&here);
}

/* After there was no room: somebody may have published meanwhile, and what we had taken may have been in the way. */
static bool joins_after_all(visit *here)
{
    plat_error kept = *here->error;
    ist_status status = here->status;
    bool joined = here->entry->full_name[0] != '\0' && join(here) == STEP_DONE;

    if (!joined) {
        *here->error = kept;
        here->status = status;
    }
    return joined;
}

static ist_status create_loop(visit *here, const registry_plan *plan)
{
    bool named = here->entry->full_name[0] != '\0';
    int stuck = 0;

    for (int i = 0; i < MOST_TRIES; i++) {
        step next = named ? join(here) : STEP_NONE;

        if (next == STEP_DONE)
            return IST_EXISTED;
        if (next == STEP_NONE) {
            next = publish(here, plan);
            if (next == STEP_DONE)
                return IST_OK;
            if (next == STEP_AGAIN) {
                reap_clear_remains(&here->entry->where, here->entry->name);
                if (++stuck % MOST_STUCK == 0 && reap_is_obstructed(&here->entry->where, here->entry->name))
                    return error_refuse(here->error, IST_E_CORRUPT, "directory of the name", "%s",
                                        "holds something that is not ours");
            }
        }
        if (next == STEP_FAILED)
            return here->status == IST_E_SPACE && joins_after_all(here) ? IST_EXISTED : here->status;
        if (renew(here->entry, here->error) != IST_OK)
            return IST_E_OS;
    }
    return gave_up(here->error);
}

ist_status registry_create(registry_entry *entry, const plat_name *name, const registry_want *want,
                           const registry_plan *plan, plat_error *error)
{
    visit here = {.entry = entry, .want = want, .creating = true, .error = error};
    ist_status status = begin(entry, name, error);

    if (status == IST_OK) {
        status = create_loop(&here, plan);
        sweep_step(&entry->where, known_foreign(entry, status));
    }
    return status;
}
