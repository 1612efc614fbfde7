/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Things in the way: links, files, pipes and wide modes where the scope's directory, an object's directory or its
 * segment should be; and a scope directory that vanishes under a running process. posix_users.c has other users.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

#define ELSEWHERE "/dev/shm/elsewhere"
#define CANARY ELSEWHERE "/r"
#define CANARY_TEXT "do not touch"

static char name[STAGE_NAME_SIZE];
static char scope_path[128];
static char object_path[256];
static char segment_path[300];

typedef struct obstacle {
    const char *what;
    void (*put)(const char *path);
    ist_status wanted; /* IST_OK: any that is no crash and no hang */
} obstacle;

static void write_text(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    STAGE_CHECK(fd >= 0 && fchmod(fd, mode) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void put_link(const char *path)
{
    STAGE_CHECK(symlink(ELSEWHERE, path) == 0);
}

static void put_link_to_file(const char *path)
{
    STAGE_CHECK(symlink(CANARY, path) == 0);
}

static void put_dangling_link(const char *path)
{
    STAGE_CHECK(symlink("/dev/shm/nowhere", path) == 0);
}

static void put_file(const char *path)
{
    write_text(path, "something else", 0600);
}

static void put_empty_file(const char *path)
{
    write_text(path, "", 0600);
}

static void put_wide_file(const char *path)
{
    write_text(path, "something else", 0666);
}

static void put_hard_link(const char *path)
{
    STAGE_CHECK(link(CANARY, path) == 0);
}

static void put_pipe(const char *path)
{
    STAGE_CHECK(mkfifo(path, 0600) == 0);
}

static void put_directory(const char *path)
{
    STAGE_CHECK(mkdir(path, 0700) == 0);
}

static void put_wide_directory(const char *path)
{
    STAGE_CHECK(mkdir(path, 0700) == 0 && chmod(path, 0777) == 0);
}

static void put_group_directory(const char *path)
{
    STAGE_CHECK(mkdir(path, 0700) == 0 && chmod(path, 0750) == 0);
}

static void put_full_directory(const char *path)
{
    char inside[320];
    snprintf(inside, sizeof inside, "%s/something", path);
    STAGE_CHECK(mkdir(path, 0700) == 0);
    write_text(inside, "else", 0600);
}

static void prepare(void)
{
    stage_clear();
    stage_name(name, "", "squat");
    stage_local_directory(scope_path, sizeof scope_path);
    snprintf(object_path, sizeof object_path, "%s/n.%s", scope_path, name);
    snprintf(segment_path, sizeof segment_path, "%s/r", object_path);
    STAGE_CHECK(mkdir(ELSEWHERE, 0700) == 0);
    write_text(CANARY, CANARY_TEXT, 0600);
}

static void check_canary(void)
{
    char text[32] = {0};
    int fd = open(CANARY, O_RDONLY | O_CLOEXEC);
    STAGE_CHECK(fd >= 0 && read(fd, text, sizeof text - 1) == (ssize_t)strlen(CANARY_TEXT) &&
                strcmp(text, CANARY_TEXT) == 0);
    close(fd);
}

static int meet_obstacle(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_status wanted = *(ist_status *)argument;
    if (wanted != IST_OK) {
        STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), wanted);
        STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), wanted);
    } else {
        if (ist_mapping_open(&mapping, name, IST_READ) >= 0)
            stage_fail("an obstacle was opened as an object");
        if (ist_mapping_create(&mapping, name, 4096, NULL) == IST_EXISTED)
            stage_fail("an obstacle was joined as an object");
    }
    ist_mapping_close(mapping);
    return 0;
}

static int make_afterwards(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    ist_mapping_close(mapping);
    stage_check_empty("when the obstacle is gone");
    return 0;
}

/* One obstacle at a time, at `path`, with what must be there before it. */
static void with_obstacles(const obstacle *list, size_t count, const char *path, unsigned depth)
{
    unsigned before = stage_failures();
    for (size_t n = 0; n < count; n++) {
        prepare();
        stage_case("in the way of %s: %s", path, list[n].what);
        if (depth > 0)
            STAGE_CHECK(mkdir(scope_path, 0700) == 0);
        if (depth > 1)
            STAGE_CHECK(mkdir(object_path, 0700) == 0);
        list[n].put(path);
        ist_status wanted = list[n].wanted;
        STAGE_CHECK(stage_run(meet_obstacle, &wanted) == 0);
        check_canary();
        stage_clear();
        STAGE_CHECK(stage_run(make_afterwards, NULL) == 0);
    }
    assert_int_equal(stage_failures(), before);
}

/* A4, hazard 6 */
TEST(what_is_in_the_way_of_the_scope_is_refused)
{
    static const obstacle list[] = {
        {"a symbolic link to a directory", put_link, IST_E_ACCESS},
        {"a dangling symbolic link", put_dangling_link, IST_E_ACCESS},
        {"a file", put_file, IST_E_ACCESS},
        {"a pipe", put_pipe, IST_E_ACCESS},
        {"a directory for everybody", put_wide_directory, IST_E_ACCESS},
        {"a directory for the group", put_group_directory, IST_E_ACCESS},
    };
    if (stage_shared_because() != NULL)
        SKIP(what_is_in_the_way_of_the_scope_is_refused, stage_shared_because());
    prepare();
    with_obstacles(list, COUNT_OF(list), scope_path, 0);
}

/* A4 */
TEST(what_is_in_the_way_of_an_object_is_refused)
{
    static const obstacle list[] = {
        {"a symbolic link to a directory", put_link, IST_E_ACCESS},
        {"a dangling symbolic link", put_dangling_link, IST_E_ACCESS},
        {"a file", put_file, IST_OK},
        {"a pipe", put_pipe, IST_OK},
        {"an empty directory", put_directory, IST_OK},
        {"a directory with something else in it", put_full_directory, IST_OK},
    };
    if (stage_shared_because() != NULL)
        SKIP(what_is_in_the_way_of_an_object_is_refused, stage_shared_because());
    prepare();
    with_obstacles(list, COUNT_OF(list), object_path, 1);
}

/* A4, hazards 5 and 8 */
TEST(what_is_in_the_way_of_a_segment_is_refused_and_harmed_by_nobody)
{
    static const obstacle list[] = {
        {"a symbolic link to a file", put_link_to_file, IST_E_ACCESS},
        {"a dangling symbolic link", put_dangling_link, IST_E_ACCESS},
        {"a second link to a file", put_hard_link, IST_OK},
        {"a file of something else", put_file, IST_OK},
        {"an empty file", put_empty_file, IST_OK},
        {"a file for everybody", put_wide_file, IST_OK},
        {"a pipe", put_pipe, IST_OK},
        {"a directory", put_directory, IST_OK},
    };
    if (stage_shared_because() != NULL)
        SKIP(what_is_in_the_way_of_a_segment_is_refused_and_harmed_by_nobody, stage_shared_because());
    prepare();
    with_obstacles(list, COUNT_OF(list), segment_path, 2);
}

/* ---- a scope that goes ---- */

static int open_there(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

static int lose_the_scope(void *argument)
{
    ist_mapping *old = NULL;
    ist_mapping *mapping = NULL;
    (void)argument;
    for (int round = 0; round < 3; round++) {
        STAGE_IS(ist_mapping_create(&old, name, 4096, NULL), IST_OK);
        stage_clear(); /* as a session manager does at the end of a session */
        STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
        STAGE_CHECK(stage_run(open_there, NULL) == 0);
        ist_mapping_close(old); /* hazard 4: late, and of another object of this name */
        STAGE_CHECK(stage_run(open_there, NULL) == 0);
        ist_mapping_close(mapping);
        stage_check_empty("after the last close");
    }
    return 0;
}

static int lose_the_empty_scope(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    for (int round = 0; round < 3; round++) {
        STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
        STAGE_CHECK(stage_run(open_there, NULL) == 0);
        ist_mapping_close(mapping);
        STAGE_CHECK(rmdir(scope_path) == 0);
    }
    return 0;
}

static int move_the_scope(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    ist_mapping_close(mapping);
    STAGE_CHECK(rename(scope_path, "/dev/shm/moved") == 0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_CHECK(stage_run(open_there, NULL) == 0);
    ist_mapping_close(mapping);
    return 0;
}

static void without_scope(int (*play)(void *), const char *what)
{
    unsigned before = stage_failures();
    prepare();
    stage_case("%s", what);
    assert_int_equal(stage_run(play, NULL), 0);
    assert_int_equal(stage_failures(), before);
    stage_clear();
}

/* Hazards 4 and 6 */
TEST(a_scope_that_is_removed_with_its_objects_is_made_again)
{
    if (stage_shared_because() != NULL)
        SKIP(a_scope_that_is_removed_with_its_objects_is_made_again, stage_shared_because());
    without_scope(lose_the_scope, "the scope and its objects are removed");
}

/* Hazard 6 */
TEST(a_scope_that_is_removed_is_made_again)
{
    if (stage_shared_because() != NULL)
        SKIP(a_scope_that_is_removed_is_made_again, stage_shared_because());
    without_scope(lose_the_empty_scope, "the empty scope is removed");
}

/* Hazard 6, N7: processes of one user go on meeting. */
TEST(a_scope_that_is_moved_away_is_made_again)
{
    if (stage_shared_because() != NULL)
        SKIP(a_scope_that_is_moved_away_is_made_again, stage_shared_because());
    without_scope(move_the_scope, "the scope is moved");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_is_in_the_way_of_the_scope_is_refused),
        RUN(what_is_in_the_way_of_an_object_is_refused),
        RUN(what_is_in_the_way_of_a_segment_is_refused_and_harmed_by_nobody),
        RUN(a_scope_that_is_removed_with_its_objects_is_made_again),
        RUN(a_scope_that_is_removed_is_made_again),
        RUN(a_scope_that_is_moved_away_is_made_again),
    };
    return cmocka_run_group_tests_name("process.posix_squat", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
