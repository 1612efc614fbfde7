/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a name costs: create and close, open and close, with none, 1,000 and 10,000 other objects alive, against the
 * raw calls that a program without the library would make; and the memory and descriptors of an open mapping.
 *
 * POSIX only: on Windows a mapping is the native object, and there is nothing beside it to compare with. README.md
 * says how to read the tables. Nothing here passes or fails by time; only a call that fails makes the exit code 1.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "holders.h"
#include "measure.h"
#include "usage.h"

#define SIZE HOLDERS_OBJECT_SIZE
#define NAME_SIZE 64
#define MEMORY_OBJECTS 1000

/* ---- what is measured ---- */

typedef struct names {
    char raw_new[NAME_SIZE];  /* made and removed in each round */
    char raw_held[NAME_SIZE]; /* lives throughout */
    char our_new[NAME_SIZE];
    char our_held[NAME_SIZE]; /* held by another process */
} names;

/* What a program does with the descriptor that shm_open gave: look how large it is, map it, and let go of it again. */
static bool raw_use(int fd)
{
    struct stat facts;
    void *data = NULL;

    if (fstat(fd, &facts) != 0)
        return fail_system("fstat");
    data = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        return fail_system("mmap");
    if (munmap(data, (size_t)facts.st_size) != 0)
        return fail_system("munmap");
    return close(fd) == 0 || fail_system("close");
}

static int raw_reserve(int fd)
{
#if defined(__APPLE__) /* has no such call */
    return ftruncate(fd, SIZE) == 0 ? 0 : errno;
#else
    return posix_fallocate(fd, 0, SIZE);
#endif
}

static bool raw_create(const char *name, bool reserve)
{
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    int code = 0;

    if (fd < 0)
        return fail_system("shm_open");
    if (reserve && (code = raw_reserve(fd)) != 0)
        return fail_say("posix_fallocate", strerror(code));
    if (!reserve && ftruncate(fd, SIZE) != 0)
        return fail_system("ftruncate");
    return raw_use(fd);
}

static bool raw_create_truncate_close(void *context)
{
    const names *all = context;

    return raw_create(all->raw_new, false) && (shm_unlink(all->raw_new) == 0 || fail_system("shm_unlink"));
}

static bool raw_create_reserve_close(void *context)
{
    const names *all = context;

    return raw_create(all->raw_new, true) && (shm_unlink(all->raw_new) == 0 || fail_system("shm_unlink"));
}

static bool raw_open_close(void *context)
{
    const names *all = context;
    int fd = shm_open(all->raw_held, O_RDWR, 0);

    return fd >= 0 ? raw_use(fd) : fail_system("shm_open");
}

static bool our_use(ist_mapping *mapping)
{
    ist_view view = IST_VIEW_INIT;
    ist_status status = ist_mapping_view(mapping, IST_WRITE, 0, 0, &view);

    if (status != IST_OK)
        return fail_library("ist_mapping_view", status);
    ist_view_unmap(&view);
    return true;
}

static bool our_create_view_close(void *context)
{
    const names *all = context;
    ist_mapping *mapping = NULL;
    ist_status status = ist_mapping_create(&mapping, all->our_new, SIZE, NULL);
    bool done = status == IST_OK ? our_use(mapping) : fail_library("ist_mapping_create", status);

    ist_mapping_close(mapping);
    return done;
}

static bool our_create_close(void *context)
{
    const names *all = context;
    ist_mapping *mapping = NULL;
    ist_status status = ist_mapping_create(&mapping, all->our_new, SIZE, NULL);

    ist_mapping_close(mapping);
    return status == IST_OK || fail_library("ist_mapping_create", status);
}

static bool our_open_view_close(void *context)
{
    const names *all = context;
    ist_mapping *mapping = NULL;
    ist_status status = ist_mapping_open(&mapping, all->our_held, IST_WRITE);
    bool done = status == IST_OK ? our_use(mapping) : fail_library("ist_mapping_open", status);

    ist_mapping_close(mapping);
    return done;
}

/* ---- the tables ---- */

typedef struct comparison {
    const char *what;
    const char *against;
    measure_once *raw;
    measure_once *ours;
} comparison;

static const comparison comparisons[] = {
    {"create + view + close", "shm_open, ftruncate, fstat, mmap, munmap, close, shm_unlink", raw_create_truncate_close,
     our_create_view_close},
    {"create + view + close", "the same, posix_fallocate for ftruncate", raw_create_reserve_close,
     our_create_view_close},
    {"create + close", "the first, which maps", raw_create_truncate_close, our_create_close},
    {"open + view + close", "shm_open, fstat, mmap, munmap, close", raw_open_close, our_open_view_close},
};
#define COMPARISONS (sizeof comparisons / sizeof comparisons[0])

static const int crowds[] = {0, 1000, 10000};
#define CROWDS (sizeof crowds / sizeof crowds[0])

static measure_result results[COMPARISONS][CROWDS];

static bool measure_crowd(size_t crowd, names *all, size_t pairs, size_t batch)
{
    for (size_t i = 0; i < COMPARISONS; i++)
        if (!measure_compare(comparisons[i].raw, comparisons[i].ours, all, pairs, batch, &results[i][crowd]))
            return false;
    return true;
}

static void print_times(void)
{
    (void)printf("| isthmus | against | other objects | ratio | quartiles | goal | raw us | isthmus us |\n");
    (void)printf("|---|---|---:|---:|---|---:|---:|---:|\n");
    for (size_t i = 0; i < COMPARISONS; i++)
        for (size_t j = 0; j < CROWDS; j++) {
            const measure_result *result = &results[i][j];

            (void)printf("| %s | %s | %d | **%.2f** | %.2f to %.2f | 3 | %.1f | %.1f |\n", comparisons[i].what,
                         comparisons[i].against, crowds[j], result->ratio, result->ratio_low, result->ratio_high,
                         result->raw_ns / 1e3, result->measured_ns / 1e3);
        }
    (void)printf("\nGrowth of the ratio from %d to %d other objects, in this order (goal: none, 1.0):", crowds[0],
                 crowds[CROWDS - 1]);
    for (size_t i = 0; i < COMPARISONS; i++)
        (void)printf(" %.2f%s", results[i][CROWDS - 1].ratio / results[i][0].ratio, i + 1 < COMPARISONS ? "," : ".\n");
}

/* ---- memory ---- */

static void print_usage(const char *what, const usage *before, const usage *after, double data_kib)
{
    double count = MEMORY_OBJECTS;

    (void)printf(
        "| %s | %.1f | %.1f | %.2f | %.2f | %.1f | 16 |\n", what, (double)(after->rss_kib - before->rss_kib) / count,
        (double)(after->pss_kib - before->pss_kib) / count, (double)(after->descriptors - before->descriptors) / count,
        (double)(after->regions - before->regions) / count, (after->file_kib - before->file_kib) / count - data_kib);
}

static bool take_many(ist_mapping **all, const char *prefix, bool create)
{
    char name[NAME_SIZE * 2];

    for (int i = 0; i < MEMORY_OBJECTS; i++) {
        ist_status status = IST_OK;

        (void)snprintf(name, sizeof name, "%s%d", prefix, i);
        status = create ? ist_mapping_create(&all[i], name, SIZE, NULL) : ist_mapping_open(&all[i], name, IST_WRITE);
        if (status != IST_OK)
            return fail_library(create ? "ist_mapping_create" : "ist_mapping_open", status);
    }
    return true;
}

static bool measure_memory_of(const char *what, const char *prefix, bool create)
{
    static ist_mapping *all[MEMORY_OBJECTS];
    usage before;
    usage after;
    bool known = usage_read(&before); /* once in vain: what the C library takes for reading is no part of it */
    bool done = false;

    known = known && usage_read(&before);
    done = take_many(all, prefix, create);
    known = known && usage_read(&after);
    if (done && known)
        print_usage(what, &before, &after, create ? SIZE / 1024.0 : 0);
    for (int i = 0; i < MEMORY_OBJECTS; i++) {
        ist_mapping_close(all[i]);
        all[i] = NULL;
    }
    if (done && !known)
        (void)printf("| %s | not to be had on this system | | | | | 16 |\n", what);
    return done;
}

static bool measure_memory(holders *all, const char *prefix)
{
    char part[NAME_SIZE];

    (void)snprintf(part, sizeof part, "%s-memory-", prefix);
    (void)printf("\n| for each of %d mappings, not viewed | RSS KiB | PSS KiB | descriptors | regions | shared-memory "
                 "file system KiB besides the data | goal KiB |\n|---|---:|---:|---:|---:|---:|---:|\n",
                 MEMORY_OBJECTS);
    if (!measure_memory_of("created", part, true) || !holders_start(all, part, MEMORY_OBJECTS))
        return false;
    return measure_memory_of("opened", part, false);
}

/* ---- the run ---- */

static bool run(holders *all, size_t pairs, size_t batch)
{
    names names_used;
    char prefix[NAME_SIZE / 2];
    char held[NAME_SIZE];
    int shared = -1;
    bool done = false;

    (void)snprintf(prefix, sizeof prefix, "bench-%ld", (long)getpid());
    (void)snprintf(held, sizeof held, "%s-held-", prefix);
    (void)snprintf(names_used.our_new, sizeof names_used.our_new, "%s-new", prefix);
    (void)snprintf(names_used.our_held, sizeof names_used.our_held, "%s-held-0", prefix);
    (void)snprintf(names_used.raw_new, sizeof names_used.raw_new, "/%s-raw-new", prefix);
    (void)snprintf(names_used.raw_held, sizeof names_used.raw_held, "/%s-raw-held", prefix);

    shared = shm_open(names_used.raw_held, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (shared < 0 || ftruncate(shared, SIZE) != 0)
        return fail_system("shm_open");
    done = holders_start(all, held, 1);
    for (size_t i = 0; done && i < CROWDS; i++) {
        int more = crowds[i] - (i > 0 ? crowds[i - 1] : 0);
        char part[NAME_SIZE];

        (void)snprintf(part, sizeof part, "%s-other-%d", prefix, (int)i);
        done = holders_start_many(all, part, more) && measure_crowd(i, &names_used, pairs, batch);
    }
    if (done) {
        (void)printf("# Names: ratios of medians over %zu pairs of batches of %zu, objects of %d bytes\n\n", pairs,
                     batch, SIZE);
        print_times();
    }
    done = holders_stop(all) && done;
    done = done && measure_memory(all, prefix);
    done = holders_stop(all) && done;
    (void)close(shared);
    (void)shm_unlink(names_used.raw_held);
    return done;
}

static size_t positive(const char *text)
{
    long value = strtol(text, NULL, 10);

    return value > 0 && value < 1000000 ? (size_t)value : 1;
}

int main(int argc, char **argv)
{
    static holders all;
    const char *hold_prefix = NULL;
    size_t count = 1;
    size_t pairs = 400;
    size_t batch = 25;
    int option = 0;

    while ((option = getopt(argc, argv, "p:b:H:c:")) != -1) {
        if (option == 'p')
            pairs = positive(optarg);
        else if (option == 'b')
            batch = positive(optarg);
        else if (option == 'H')
            hold_prefix = optarg;
        else if (option == 'c')
            count = positive(optarg);
        else
            return fail_say("usage", "registry [-p pairs] [-b batch]"), 2;
    }
    holders_raise_limit();
    if (hold_prefix != NULL)
        return holders_hold(hold_prefix, (int)count) ? 0 : 1;
    (void)snprintf(all.program, sizeof all.program, "%s", argv[0]);
    return run(&all, pairs, batch) ? 0 : 1;
}
