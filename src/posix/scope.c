/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Scopes. The table is guarded by a mutex; a scope's descriptor number, once given out, always stands for a directory
 * of that scope, because a replacement takes the number over in one step.
 */
#include "posix/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/vfs.h>
#endif

#include "posix/descriptor.h"
#include "posix/error.h"
#include "posix/name.h"

#if defined(__linux__)
#define SHARED_MEMORY_DIRECTORY "/dev/shm"
#elif defined(__APPLE__) /* /tmp is a symbolic link there */
#define SHARED_MEMORY_DIRECTORY "/private/tmp"
#else
#define SHARED_MEMORY_DIRECTORY "/tmp"
#endif

#define GLOBAL_PREFIX "isthmus."

const char *scope_global_path(void)
{
    return SHARED_MEMORY_DIRECTORY;
}

struct scope_state {
    struct scope_state *next;
    uid_t user;
    bool global;
    bool swept;
    bool counts;  /* its size tells how many entries there are */
    uint64_t own; /* objects that this process made and holds by the handle that made them */
    bool lost;    /* own says too much */
    uint64_t turn;
    descriptor directory;
    scope_names names;      /* the snapshot, */
    struct timespec listed; /* taken when the directory had this time of modification; 0 if that was just now */
};

static pthread_mutex_t table_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct scope_state *table;

/* ---- the directory ---- */

/* Whoever made it first could be anybody (A4). */
static ist_status check_local(const struct stat *facts, uid_t user, const char *path, plat_error *error)
{
    if (facts->st_uid != user)
        return error_refuse(error, IST_E_ACCESS, "scope directory", "%s is owned by uid %lu", path,
                            (unsigned long)facts->st_uid);
    if ((facts->st_mode & 077) != 0)
        return error_refuse(error, IST_E_ACCESS, "scope directory", "%s has mode %03o", path,
                            (unsigned)(facts->st_mode & 0777));
    return IST_OK;
}

/* Anybody may make entries here; that nobody removes another's is the sticky bit's doing. */
static ist_status check_global(const struct stat *facts, const char *path, plat_error *error)
{
    if (facts->st_uid != 0 || ((facts->st_mode & 022) != 0 && (facts->st_mode & S_ISVTX) == 0))
        return error_refuse(error, IST_E_ACCESS, "shared-memory directory", "%s: uid %lu, mode %04o", path,
                            (unsigned long)facts->st_uid, (unsigned)(facts->st_mode & 07777));
    return IST_OK;
}

/* Makes the user's own directory where it is missing. A umask may have taken our own bits. */
static int open_or_make(const char *path, bool own)
{
    int flags = O_RDONLY | O_DIRECTORY;
    int fd = descriptor_open(AT_FDCWD, path, flags, 0);
    struct stat facts;

    if (fd < 0 && errno == ENOENT && own) {
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return -1;
        fd = descriptor_open(AT_FDCWD, path, flags, 0);
    }
    if (fd < 0 && errno == EACCES && own && lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode) &&
        facts.st_uid == geteuid() && chmod(path, 0700) == 0)
        fd = descriptor_open(AT_FDCWD, path, flags, 0);
    return fd;
}

static ist_status refuse_open(const char *path, plat_error *error)
{
    struct stat facts;
    ist_status status = error_from_errno(error, "open");

    if (status == IST_E_NOT_FOUND) /* no shared-memory file system: not a matter of names */
        status = IST_E_OS;
    if (lstat(path, &facts) == 0)
        (void)snprintf(error->note, sizeof error->note, "%s is owned by uid %lu", path, (unsigned long)facts.st_uid);
    return status;
}

static ist_status open_directory(bool global, uid_t user, descriptor *out, plat_error *error)
{
    char path[64] = SHARED_MEMORY_DIRECTORY;
    struct stat facts;
    ist_status status = IST_OK;
    int fd = -1;

    if (!global)
        (void)snprintf(path, sizeof path, SHARED_MEMORY_DIRECTORY "/isthmus-%lu", (unsigned long)user);
    fd = open_or_make(path, !global && user == geteuid());
    if (fd < 0)
        return refuse_open(path, error);
    if (fstat(fd, &facts) != 0)
        status = error_from_errno(error, "fstat");
    else
        status = global ? check_global(&facts, path, error) : check_local(&facts, user, path, error);
    if (status == IST_OK)
        descriptor_own(out, fd, facts.st_dev, facts.st_ino);
    else
        descriptor_drop(fd);
    return status;
}

/* A directory of tmpfs has so many bytes for each entry, of which each has two before it has any. */
#define BYTES_OF_ENTRY 20
#define FIRST_ENTRIES 2
#define TMPFS 0x01021994UL /* TMPFS_MAGIC of a header that not every C library comes with */

static bool has_countable_size(int fd)
{
#if defined(__linux__)
    struct statfs facts;

    return fstatfs(fd, &facts) == 0 && (unsigned long)facts.f_type == TMPFS;
#else
    (void)fd;
    return false;
#endif
}

/* Takes over the number of a directory that is still open but has been removed, so that a call of another thread
   that is using it goes on in the new one. */
static ist_status replace_directory(struct scope_state *state, plat_error *error)
{
    /* Asked first: the fresh one may get the number of the old one that the program has closed. */
    bool open = descriptor_is_ours(&state->directory, NULL);
    descriptor fresh = DESCRIPTOR_NONE;
    ist_status status = open_directory(state->global, state->user, &fresh, error);

    if (status != IST_OK)
        return status;
    if (open) {
        int number = state->directory.fd;

        if (dup2(fresh.fd, number) < 0 || fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
            status = error_from_errno(error, "dup2");
        descriptor_drop(fresh.fd);
        if (status == IST_OK)
            descriptor_own(&fresh, number, fresh.device, fresh.inode);
    }
    if (status == IST_OK) {
        state->lost = state->lost || state->directory.fd >= 0;
        if (state->directory.fd >= 0 &&
            (state->directory.inode != fresh.inode || state->directory.device != fresh.device))
            state->turn++;
        state->directory = fresh;
        state->counts = !state->global && has_countable_size(fresh.fd);
    }
    return status;
}

static bool is_usable(const struct scope_state *state, struct stat *facts)
{
    if (descriptor_is_ours(&state->directory, facts))
        return facts->st_nlink != 0;
    memset(facts, 0, sizeof *facts);
    return false;
}

/* ---- the table ---- */

static struct timespec modified(const struct stat *facts)
{
#if defined(__APPLE__)
    return facts->st_mtimespec;
#else
    return facts->st_mtim;
#endif
}

static bool is_same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

static struct scope_state *find_state(bool global, uid_t user)
{
    struct scope_state *state = table;

    while (state != NULL && (state->global != global || state->user != user))
        state = state->next;
    if (state == NULL && (state = plat_memory_take(sizeof *state)) != NULL) {
        state->user = user;
        state->global = global;
        state->directory = DESCRIPTOR_NONE;
        state->next = table;
        table = state;
    }
    return state;
}

/* Entries that this process did not make, if that can be told. */
static uint64_t count_foreign(const struct scope_state *state, const struct stat *facts)
{
    uint64_t entries = (uint64_t)facts->st_size / BYTES_OF_ENTRY;

    if (!state->counts || state->lost || entries < FIRST_ENTRIES + state->own || entries < (uint64_t)facts->st_nlink)
        return UINT64_MAX;
    return entries - FIRST_ENTRIES - state->own;
}

static ist_status use_locked(bool global, uid_t user, scope *out, plat_error *error)
{
    struct scope_state *state = find_state(global, user);
    struct stat facts;
    ist_status status = IST_OK;

    if (state == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for a scope", "%s", "");
    if (!is_usable(state, &facts))
        status = replace_directory(state, error);
    if (status == IST_OK) {
        *out = (scope){state->directory.fd, global ? GLOBAL_PREFIX : "", user, global, state, 0, state->turn, false};
        out->foreign = count_foreign(state, &facts);
        out->settled = is_same_time(modified(&facts), state->listed);
    }
    return status;
}

static ist_status use(bool global, uid_t user, scope *out, plat_error *error)
{
    ist_status status = IST_OK;

    (void)pthread_mutex_lock(&table_mutex);
    status = use_locked(global, user, out, error);
    (void)pthread_mutex_unlock(&table_mutex);
    return status;
}

ist_status scope_use(bool global, scope *out, plat_error *error)
{
    return use(global, geteuid(), out, error);
}

ist_status scope_again(const scope *old, scope *out, plat_error *error)
{
    return use(old->global, old->user, out, error);
}

bool scope_is_new(const scope *where)
{
    bool is_new = false;

    (void)pthread_mutex_lock(&table_mutex);
    is_new = !where->state->swept;
    where->state->swept = true;
    (void)pthread_mutex_unlock(&table_mutex);
    return is_new;
}

void scope_lose_count(const scope *where)
{
    (void)pthread_mutex_lock(&table_mutex);
    where->state->lost = true;
    (void)pthread_mutex_unlock(&table_mutex);
}

void scope_count_own(const scope *where, bool more)
{
    (void)pthread_mutex_lock(&table_mutex);
    where->state->own += more ? 1 : UINT64_MAX;
    (void)pthread_mutex_unlock(&table_mutex);
}

void scope_reset_after_fork(void)
{
    (void)pthread_mutex_init(&table_mutex, NULL);
}

/* ---- lists ---- */

static bool append(scope_names *names, size_t *room, const char *name)
{
    size_t length = strlen(name) + 1;

    if (*room - names->size < length) {
        size_t larger = *room * 2 + 4096;
        char *text = plat_memory_take(larger);

        if (text == NULL)
            return false;
        if (names->size != 0)
            memcpy(text, names->text, names->size);
        plat_memory_give(names->text);
        names->text = text;
        *room = larger;
    }
    memcpy(names->text + names->size, name, length);
    names->size += length;
    return true;
}

ist_status scope_list(const scope *where, scope_names *out, plat_error *error)
{
    size_t prefix = strlen(where->prefix);
    size_t room = 0;
    int fd = descriptor_open(where->directory, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry = NULL;

    *out = (scope_names){NULL, 0, 0};
    if (list == NULL) {
        ist_status status = error_from_errno(error, "opendir");

        if (fd >= 0)
            descriptor_drop(fd);
        return status;
    }
    while ((entry = readdir(list)) != NULL)
        if (strncmp(entry->d_name, where->prefix, prefix) == 0 && entry->d_name[prefix] != '\0' &&
            entry->d_name[prefix + 1] == '.' && !append(out, &room, entry->d_name))
            break; /* no memory: what is listed is swept, the rest another time */
    (void)closedir(list);
    return IST_OK;
}

bool scope_names_take(scope_names *names, char *out, size_t size)
{
    const char *name = NULL;
    size_t length = 0;

    if (names->at >= names->size)
        return false;
    name = names->text + names->at;
    length = strlen(name) + 1;
    names->at += length;
    out[0] = '\0';
    if (length <= size)
        memcpy(out, name, length);
    return true;
}

/* What is made in the same tick of the file system's clock does not show. */
#define TICK_NANOSECONDS 20000000

static struct timespec time_of_listing(const scope *where)
{
    struct timespec now;
    struct timespec none = {0, 0};
    struct stat facts;
    long long age = 0;

    if (fstat(where->directory, &facts) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return none;
    age = ((long long)now.tv_sec - (long long)modified(&facts).tv_sec) * 1000000000LL +
          ((long long)now.tv_nsec - (long long)modified(&facts).tv_nsec);
    return age > TICK_NANOSECONDS ? modified(&facts) : none;
}

bool scope_next_name(const scope *where, char *out, size_t size)
{
    scope_names *names = &where->state->names;
    plat_error error;
    bool found = false;

    (void)pthread_mutex_lock(&table_mutex);
    found = scope_names_take(names, out, size);
    if (!found) {
        plat_memory_give(names->text);
        where->state->listed = time_of_listing(where);
        (void)scope_list(where, names, &error);
        found = scope_names_take(names, out, size);
    }
    (void)pthread_mutex_unlock(&table_mutex);
    return found;
}
