/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What /proc and the file system tell.
 */
#include "usage.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static long count_entries(const char *path)
{
    DIR *list = opendir(path);
    long count = 0;

    if (list == NULL)
        return -1;
    while (readdir(list) != NULL)
        count++;
    (void)closedir(list);
    return count;
}

bool usage_read(usage *out)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[512];
    struct statvfs room;

    *out = (usage){-1, -1, count_entries("/proc/self/fd"), 0, 0};
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "Rss: %ld kB", &out->rss_kib);
        (void)sscanf(line, "Pss: %ld kB", &out->pss_kib);
    }
    (void)fclose(file);
    file = fopen("/proc/self/maps", "r");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL)
        out->regions += strchr(line, '\n') != NULL;
    (void)fclose(file);
    if (statvfs("/dev/shm", &room) != 0)
        return false;
    out->file_kib = (double)(room.f_blocks - room.f_bfree) * (double)room.f_frsize / 1024;
    return true;
}
