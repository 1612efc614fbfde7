/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Too little of everything: a small shared-memory file system, few inodes, few descriptors, little address space.
 * Hazard 8: none of it is taken for "dead", and nothing is left behind by what failed.
 */
#include "support/check.h"
#include "support/peer.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

#define MEBIBYTE ((uint64_t)1 << 20)
#define HANDLES 400

static char name[STAGE_NAME_SIZE];

static ist_status make(ist_mapping **out, const char *what, uint64_t size, uint32_t flags)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = flags;
    return ist_mapping_create(out, what, size, &options);
}

/* Touches every page: a fault ends the child with a signal, and the test sees it. */
static void touch(ist_mapping *mapping)
{
    ist_view view = IST_VIEW_INIT;
    if (!STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
        return;
    for (size_t at = 0; at < view.size; at += 512)
        ((volatile char *)view.data)[at] = 1;
    ist_view_unmap(&view);
}

static int more_than_room(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(make(&mapping, name, 8 * MEBIBYTE, 0), IST_E_SPACE);
    STAGE_CHECK(mapping == NULL);
    stage_check_empty("after a create that found no room");
    STAGE_IS(make(&mapping, name, UINT64_C(1) << 62, 0), IST_E_SPACE);
    STAGE_IS(make(&mapping, NULL, 8 * MEBIBYTE, 0), IST_E_SPACE);
    stage_check_empty("after creates that found no room");
    STAGE_IS(make(&mapping, name, 2 * MEBIBYTE, 0), IST_OK);
    touch(mapping);
    ist_mapping_close(mapping);
    stage_check_empty("after the last close");
    return 0;
}

/* Until nothing goes any more; then lets half go, and makes the half again. */
static int until_full(void *argument)
{
    static ist_mapping *handles[HANDLES];
    char own[STAGE_NAME_SIZE + 8];
    size_t count = 0;
    ist_status status = IST_OK;
    (void)argument;
    for (; count < HANDLES; count++) {
        snprintf(own, sizeof own, "%s-%u", name, (unsigned)count);
        status = make(&handles[count], own, 16384, 0);
        if (status != IST_OK)
            break;
        touch(handles[count]);
    }
    STAGE_CHECK(status == IST_E_SPACE && count > 4);
    for (size_t n = 0; n < count; n += 2)
        ist_mapping_close(handles[n]);
    for (size_t n = 0; n < count; n += 2) {
        snprintf(own, sizeof own, "%s-%u", name, (unsigned)n);
        STAGE_IS(make(&handles[n], own, 16384, 0), IST_OK);
    }
    for (size_t n = 0; n < count; n++)
        ist_mapping_close(handles[n]);
    stage_check_empty("after filling and emptying");
    return 0;
}

static int sparse_beyond_room(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    (void)argument;
    STAGE_IS(make(&mapping, name, 64 * MEBIBYTE, IST_MAPPING_SPARSE), IST_OK);
    STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK);
    STAGE_IS(ist_view_commit(&view, 48 * MEBIBYTE, MEBIBYTE), IST_OK);
    for (size_t at = 0; at < MEBIBYTE; at += 512)
        ((volatile char *)view.data)[48 * MEBIBYTE + at] = 1;
    STAGE_IS(ist_view_commit(&view, 0, 32 * MEBIBYTE), IST_E_SPACE);
    STAGE_IS(ist_view_commit(&view, 48 * MEBIBYTE, MEBIBYTE), IST_OK);
    STAGE_CHECK(((volatile char *)view.data)[48 * MEBIBYTE] == 1);
    ist_mapping_close(mapping);
    ist_view_unmap(&view);
    stage_check_empty("after a sparse mapping");
    return 0;
}

static int joiner_of_full(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping *none = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_WRITE), IST_OK);
    ist_mapping_close(mapping);
    STAGE_IS(make(&mapping, name, 8 * MEBIBYTE, 0), IST_EXISTED); /* N5: nothing is reserved */
    STAGE_IS(make(&none, NULL, MEBIBYTE, 0), IST_E_SPACE);
    ist_mapping_close(mapping);
    return 0;
}

/* To open, to join and to close needs no room. */
static int join_when_full(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping *filler[64] = {NULL};
    size_t count = 0;
    (void)argument;
    STAGE_IS(make(&mapping, name, MEBIBYTE, 0), IST_OK);
    while (count < 64 && make(&filler[count], NULL, 4096, 0) == IST_OK)
        count++;
    STAGE_CHECK(stage_run(joiner_of_full, NULL) == 0);
    for (size_t n = 0; n < count; n++)
        ist_mapping_close(filler[n]);
    touch(mapping);
    ist_mapping_close(mapping);
    stage_check_empty("after joining on a full file system");
    return 0;
}

static int read_only(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_CHECK(make(&mapping, name, 4096, 0) < 0 && mapping == NULL);
    STAGE_CHECK(ist_mapping_open(&mapping, name, IST_READ) < 0 && mapping == NULL);
    return 0;
}

/* ---- limits of the process ---- */

/* A macro, since C libraries differ in the type of the resource. */
#define LIMIT(what, most)                                                                                              \
    do {                                                                                                               \
        struct rlimit limits_;                                                                                         \
        STAGE_CHECK(getrlimit((what), &limits_) == 0);                                                                 \
        limits_.rlim_cur = (most) < limits_.rlim_max ? (most) : limits_.rlim_max;                                      \
        STAGE_CHECK(setrlimit((what), &limits_) == 0);                                                                 \
    } while (0)

static int with_few_descriptors(void *argument)
{
    ist_mapping *mapping = NULL;
    char own[STAGE_NAME_SIZE + 4];
    rlim_t most = *(rlim_t *)argument;
    snprintf(own, sizeof own, "%s-b", name);
    LIMIT(RLIMIT_NOFILE, most);
    for (int round = 0; round < 2; round++) {
        ist_status status = ist_mapping_open(&mapping, name, IST_WRITE);
        STAGE_CHECK(status == IST_OK || status == IST_E_LIMIT);
        ist_mapping_close(mapping);
        status = make(&mapping, name, 4096, 0);
        STAGE_CHECK(status == IST_EXISTED || status == IST_E_LIMIT);
        ist_mapping_close(mapping);
        status = make(&mapping, own, 4096, 0);
        STAGE_CHECK(status == IST_OK || status == IST_E_LIMIT);
        ist_mapping_close(mapping);
    }
    LIMIT(RLIMIT_NOFILE, 256);
    STAGE_IS(ist_mapping_open(&mapping, name, IST_WRITE), IST_OK);
    ist_mapping_close(mapping);
    STAGE_IS(make(&mapping, own, 4096, 0), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

/* From too few for anything to enough: at each number the living object is neither lost nor taken for dead. */
static int few_descriptors(void *argument)
{
    ist_mapping *mapping = NULL;
    char list[300];
    (void)argument;
    STAGE_IS(make(&mapping, name, 4096, 0), IST_OK);
    for (rlim_t most = 3; most < 24; most++) {
        stage_case("with %u descriptors", (unsigned)most);
        STAGE_CHECK(stage_run(with_few_descriptors, &most) == 0);
        if (stage_leftovers(list, sizeof list) != 1)
            stage_fail("more than the one object is there:%s", list);
    }
    ist_mapping_close(mapping);
    stage_check_empty("after descriptors ran out");
    return 0;
}

static int handles_within(void *argument)
{
    static ist_mapping *handles[HANDLES];
    size_t count = 0;
    ist_status status = IST_OK;
    LIMIT(RLIMIT_NOFILE, *(rlim_t *)argument);
    while (count < HANDLES && (status = make(&handles[count], NULL, 4096, 0)) == IST_OK)
        count++;
    STAGE_CHECK(status == IST_E_LIMIT);
    ist_mapping_close(handles[0]);
    ist_mapping_close(handles[1]);
    STAGE_IS(make(&handles[0], name, 4096, 0), IST_OK);
    STAGE_IS(make(&handles[1], NULL, 4096, 0), IST_OK);
    for (size_t n = 0; n < count; n++)
        ist_mapping_close(handles[n]);
    stage_check_empty("after descriptors ran out");
    return 0;
}

/* A call takes several descriptors: each of them is once the one too many. */
static int many_handles(void *argument)
{
    (void)argument;
    for (rlim_t most = 100; most < 105; most++) {
        stage_case("handles within %u descriptors", (unsigned)most);
        STAGE_CHECK(stage_run(handles_within, &most) == 0);
    }
    return 0;
}

static int small_address_space(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unsigned long pages = 0;
    (void)argument;
    STAGE_IS(make(&mapping, name, 64 * MEBIBYTE, IST_MAPPING_SPARSE), IST_OK);
    FILE *facts = fopen("/proc/self/statm", "r");
    if (facts == NULL || fscanf(facts, "%lu", &pages) != 1)
        pages = 1u << 20;
    if (facts != NULL)
        fclose(facts);
    LIMIT(RLIMIT_AS, (rlim_t)pages * (rlim_t)ist_page_size() + 8 * MEBIBYTE);
    STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 0, &view), IST_E_MEMORY);
    STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 4096, &view), IST_OK);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    stage_check_empty("after a view that did not fit");
    return 0;
}

static int larger_than_address_space(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    (void)argument;
    if (sizeof(size_t) < 8)
        return 0;
    STAGE_IS(make(&mapping, name, UINT64_C(1) << 56, IST_MAPPING_SPARSE), IST_OK);
    STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 0, &view), IST_E_MEMORY);
    STAGE_IS(ist_mapping_view(mapping, IST_READ, UINT64_C(1) << 55, 4096, &view), IST_OK);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    return 0;
}

/* Going past it would raise SIGXFSZ, which ends the child. */
static int small_files(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    LIMIT(RLIMIT_FSIZE, MEBIBYTE);
    STAGE_IS(make(&mapping, name, 2 * MEBIBYTE, 0), IST_E_SPACE);
    STAGE_IS(make(&mapping, name, MEBIBYTE / 2, 0), IST_OK);
    ist_mapping_close(mapping);
    stage_check_empty("after a file that was too large");
    return 0;
}

/* ---- the tests ---- */

typedef struct setting {
    int (*play)(void *);
    const char *mount; /* NULL: the stage as it is */
} setting;

static int play_setting(void *argument)
{
    const setting *set = argument;
    if (set->mount != NULL && !stage_mount(set->mount))
        return 90;
    return set->play(NULL);
}

static void on_stage(int (*play)(void *), const char *mount)
{
    setting set = {play, mount};
    unsigned before = stage_failures();
    stage_name(name, "", "full");
    stage_case("full, mount %s", mount != NULL ? mount : "none");
    assert_int_equal(stage_run(play_setting, &set), 0);
    assert_int_equal(stage_failures(), before);
}

#define ON_SMALL_STAGE(test, play, mount)                                                                              \
    TEST(test)                                                                                                         \
    {                                                                                                                  \
        if (stage_shared_because() != NULL)                                                                            \
            SKIP(test, stage_shared_because());                                                                        \
        on_stage(play, mount);                                                                                         \
    }

/* M3, hazard 9 */
ON_SMALL_STAGE(a_create_larger_than_the_room_is_no_space_and_leaves_nothing, more_than_room, "mode=1777,size=4m")
/* M3, hazard 9 */
ON_SMALL_STAGE(objects_are_made_until_there_is_no_room_and_again_when_there_is, until_full, "mode=1777,size=2m")
/* M3 */
ON_SMALL_STAGE(a_sparse_mapping_commits_what_there_is_and_no_more, sparse_beyond_room, "mode=1777,size=4m")
/* N5, hazard 8 */
ON_SMALL_STAGE(to_open_and_to_join_needs_no_room, join_when_full, "mode=1777,size=2m")
/* M3, hazard 8 */
ON_SMALL_STAGE(too_few_inodes_is_no_space_and_mends, until_full, "mode=1777,size=64m,nr_inodes=40")
/* Hazard 8 */
ON_SMALL_STAGE(a_read_only_file_system_is_a_status, read_only, "mode=1777,size=1m,ro")

/* Hazard 8 */
TEST(running_out_of_descriptors_is_a_limit_and_no_death)
{
    on_stage(few_descriptors, NULL);
}

/* Hazard 8 */
TEST(handles_are_made_until_a_limit_and_again_below_it)
{
    on_stage(many_handles, NULL);
}

/* M12 */
TEST(a_view_without_address_space_is_no_memory)
{
    on_stage(small_address_space, NULL);
}

/* M10, M12 */
TEST(a_view_larger_than_any_address_space_is_no_memory)
{
    on_stage(larger_than_address_space, NULL);
}

/* M3 */
TEST(a_limit_on_file_sizes_is_no_space_and_no_signal)
{
    on_stage(small_files, NULL);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_create_larger_than_the_room_is_no_space_and_leaves_nothing),
        RUN(objects_are_made_until_there_is_no_room_and_again_when_there_is),
        RUN(a_sparse_mapping_commits_what_there_is_and_no_more),
        RUN(to_open_and_to_join_needs_no_room),
        RUN(too_few_inodes_is_no_space_and_mends),
        RUN(a_read_only_file_system_is_a_status),
        RUN(running_out_of_descriptors_is_a_limit_and_no_death),
        RUN(handles_are_made_until_a_limit_and_again_below_it),
        RUN(a_view_without_address_space_is_no_memory),
        RUN(a_view_larger_than_any_address_space_is_no_memory),
        RUN(a_limit_on_file_sizes_is_no_space_and_no_signal),
    };
    return cmocka_run_group_tests_name("process.posix_full", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
