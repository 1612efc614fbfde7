/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Copies of shared memory.
 */
#include "shadow.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

#define MOST_BYTES ((off_t)1 << 20)

static void add_file(shadow *to, int fd)
{
    struct stat facts;
    void *now = MAP_FAILED;
    if (to->count < SHADOW_FILES && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0 &&
        facts.st_size <= MOST_BYTES)
        now = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (now == MAP_FAILED)
        return;
    to->files[to->count].now = now;
    to->files[to->count].size = (size_t)facts.st_size;
    to->files[to->count].before = malloc((size_t)facts.st_size);
    if (to->files[to->count].before == NULL)
        abort();
    memcpy(to->files[to->count].before, now, (size_t)facts.st_size);
    to->count++;
}

static void add_folder(shadow *to, const char *path, int depth)
{
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        char inner[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        int fd = open(inner, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            add_file(to, fd);
            close(fd);
        }
        if (depth < 3)
            add_folder(to, inner, depth + 1);
    }
    if (stream != NULL)
        closedir(stream);
}

void shadow_begin(shadow *out)
{
    char path[128];
    out->count = 0;
    stage_local_directory(path, sizeof path);
    add_folder(out, path, 0);
}

bool shadow_changed(shadow *seen)
{
    bool changed = false;
    for (size_t n = 0; n < seen->count; n++)
        if (memcmp(seen->files[n].now, seen->files[n].before, seen->files[n].size) != 0) {
            memcpy(seen->files[n].before, seen->files[n].now, seen->files[n].size);
            changed = true;
        }
    return changed;
}

void shadow_end(shadow *seen)
{
    for (size_t n = 0; n < seen->count; n++) {
        munmap(seen->files[n].now, seen->files[n].size);
        free(seen->files[n].before);
    }
    seen->count = 0;
}
