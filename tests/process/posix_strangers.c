/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What another user may put into the machine's shared-memory directory, where `Global\` lives: none of it makes a
 * call of ours hang, crash, join, or remove what is not an object's.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage/stage.h"

#define ANNA 61001
#define BERT 61002
#define HOME "/dev/shm/annas-home" /* a directory of Anna's, with files whose names an object's files have */
#define GLOBAL "/dev/shm/isthmus."

static char global_name[STAGE_NAME_SIZE];
static char other_name[STAGE_NAME_SIZE];
static char entry[160]; /* of the object of that name */

/* ---- what Bert does ---- */

static void make_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    STAGE_CHECK(fd >= 0 && fchmod(fd, mode) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void make_directory(const char *path)
{
    STAGE_CHECK(mkdir(path, 0777) == 0 && chmod(path, 0777) == 0);
}

static void in_directory(const char *directory, const char *file, void (*make)(const char *))
{
    char path[240];
    make_directory(directory);
    snprintf(path, sizeof path, "%s/%s", directory, file);
    make(path);
}

static void make_pipe(const char *path)
{
    STAGE_CHECK(mkfifo(path, 0666) == 0 && chmod(path, 0666) == 0);
}

static void make_link_home(const char *path)
{
    STAGE_CHECK(symlink(HOME, path) == 0);
}

static void make_link_to_file(const char *path)
{
    STAGE_CHECK(symlink(HOME "/r", path) == 0);
}

static void make_garbage(const char *path)
{
    make_file(path, "garbage", 0666);
}

static void make_nothing(const char *path)
{
    make_file(path, "", 0666);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    STAGE_CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    close(fd);
}

static void pipe_for_object(void)
{
    in_directory(entry, "r", make_pipe);
}

static void link_for_object(void)
{
    make_link_home(entry);
}

static void file_for_object(void)
{
    make_garbage(entry);
}

static void empty_for_object(void)
{
    make_directory(entry);
}

static void link_for_segment(void)
{
    in_directory(entry, "r", make_link_to_file);
}

static void garbage_for_segment(void)
{
    in_directory(entry, "r", make_garbage);
}

static void nothing_for_segment(void)
{
    in_directory(entry, "r", make_nothing);
}

static void socket_for_segment(void)
{
    in_directory(entry, "r", make_socket);
}

static void strange_file_in_object(void)
{
    in_directory(entry, "x", make_garbage);
}

/* Under other names: a first call sweeps over them. */
static void all_sorts(void)
{
    in_directory(GLOBAL "n.one", "r", make_pipe);
    in_directory(GLOBAL "p.one", "r", make_pipe);
    in_directory(GLOBAL "d.one", "r", make_pipe);
    in_directory(GLOBAL "u.one", "r", make_pipe);
    in_directory(GLOBAL "u.two", "r", make_garbage);
    in_directory(GLOBAL "h.one", "r", make_nothing);
    in_directory(GLOBAL "p.two", "r", make_nothing);
    make_link_home(GLOBAL "d.two");
    make_link_home(GLOBAL "p.three");
    make_link_home(GLOBAL "n.two");
    make_link_home(GLOBAL "t.one");
    make_pipe(GLOBAL "t.two");
    make_garbage(GLOBAL "t.three");
    make_garbage(GLOBAL "d.three");
    make_garbage(GLOBAL "p.four");
    STAGE_CHECK(symlink("", GLOBAL "t.four") != 0 || true);
    STAGE_CHECK(symlink("1 2 3 4 5 6 7 8 ../../etc/passwd", GLOBAL "t.five") == 0);
}

typedef struct trick {
    const char *what;
    void (*play)(void);
    bool on_the_name; /* so that the name itself cannot be had */
} trick;

static const trick tricks[] = {
    {"a pipe where the segment should be", pipe_for_object, true},
    {"a link where the object should be", link_for_object, true},
    {"a file where the object should be", file_for_object, true},
    {"an empty directory where the object should be", empty_for_object, true},
    {"a link where the segment should be", link_for_segment, true},
    {"garbage where the segment should be", garbage_for_segment, true},
    {"an empty file where the segment should be", nothing_for_segment, true},
    {"a socket where the segment should be", socket_for_segment, true},
    {"a strange file in the object's directory", strange_file_in_object, true},
    {"all sorts of things under other names", all_sorts, false},
};

static int play_trick(void *argument)
{
    const trick *one = argument;
    stage_become(BERT, 0);
    umask(0);
    one->play();
    return 0;
}

/* ---- what Anna does ---- */

static int make_home(void *argument)
{
    (void)argument;
    stage_become(ANNA, 0);
    STAGE_CHECK(mkdir(HOME, 0700) == 0);
    make_file(HOME "/r", "mine", 0600);
    make_file(HOME "/w", "mine", 0600);
    return 0;
}

static int check_home(void *argument)
{
    struct stat facts;
    (void)argument;
    STAGE_CHECK(stat(HOME "/r", &facts) == 0 && facts.st_size == 4);
    STAGE_CHECK(stat(HOME "/w", &facts) == 0 && facts.st_size == 4);
    return 0;
}

static int live_with_it(void *argument)
{
    const trick *one = argument;
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.trust = IST_TRUST_EVERYONE;
    stage_become(ANNA, 0);
    for (int trusting = 0; trusting < 2; trusting++) {
        ist_access access = trusting ? IST_WRITE | IST_TRUST_EVERYONE : IST_WRITE;
        if (ist_mapping_open(&mapping, global_name, access) >= 0)
            stage_fail("a stranger's trick was opened as an object");
        ist_status status = ist_mapping_create(&mapping, global_name, 4096, trusting ? &options : NULL);
        if (one->on_the_name ? status >= 0 : status != IST_OK)
            stage_fail("create is %s", ist_status_name(status));
        ist_mapping_close(mapping);
        STAGE_IS(ist_mapping_create(&mapping, other_name, 4096, NULL), IST_OK);
        ist_mapping_close(mapping);
    }
    for (int round = 0; round < 40; round++) /* later calls sweep too */
        STAGE_IS(ist_mapping_open(&mapping, "not there", IST_READ), IST_E_NOT_FOUND);
    return 0;
}

/* A2, A4, hazards 5 and 6 */
TEST(nothing_that_a_stranger_puts_there_is_followed_joined_or_waited_for)
{
    unsigned before = stage_failures();
    if (stage_one_user_because() != NULL)
        SKIP(nothing_that_a_stranger_puts_there_is_followed_joined_or_waited_for, stage_one_user_because());
    for (size_t n = 0; n < COUNT_OF(tricks); n++) {
        trick one = tricks[n];
        stage_clear();
        stage_case("a stranger: %s", one.what);
        STAGE_CHECK(stage_run(make_home, NULL) == 0);
        STAGE_CHECK(stage_run(play_trick, &one) == 0);
        STAGE_CHECK(stage_run(live_with_it, &one) == 0);
        STAGE_CHECK(stage_run(check_home, NULL) == 0);
    }
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* ---- a stranger's own objects ---- */

static int hold_object(void *argument)
{
    const int *leave = argument;
    ist_mapping *mapping = NULL;
    ist_mapping *unnamed = NULL;
    stage_become(BERT, 0);
    STAGE_IS(ist_mapping_create(&mapping, global_name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_create(&unnamed, "berts", 4096, NULL), IST_OK);
    __atomic_add_fetch((int *)(uintptr_t)leave + 1, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(leave, __ATOMIC_ACQUIRE))
        usleep(100);
    ist_mapping_close(unnamed);
    ist_mapping_close(mapping);
    return 0;
}

static int pass_by(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    stage_become(ANNA, 0);
    for (int round = 0; round < 40; round++)
        STAGE_IS(ist_mapping_create(&mapping, other_name, 4096, NULL), IST_OK), ist_mapping_close(mapping);
    return 0;
}

/* A2, L3: another user's things, alive or dead, are not ours to touch. */
TEST(a_sweep_leaves_a_strangers_objects_alone)
{
    unsigned before = stage_failures();
    if (stage_one_user_because() != NULL)
        SKIP(a_sweep_leaves_a_strangers_objects_alone, stage_one_user_because());
    int *leave = stage_memory(2 * sizeof *leave);
    for (int dead = 0; dead < 2; dead++) {
        stage_clear();
        stage_case("a stranger's %s object", dead ? "dead" : "living");
        leave[0] = leave[1] = 0;
        pid_t bert = stage_fork();
        if (bert == 0)
            _exit(hold_object(leave));
        while (!__atomic_load_n(&leave[1], __ATOMIC_ACQUIRE))
            usleep(100);
        if (dead)
            stage_kill(bert);
        STAGE_CHECK(stage_run(pass_by, NULL) == 0);
        STAGE_CHECK(access(entry, F_OK) == 0);
        __atomic_store_n(&leave[0], 1, __ATOMIC_RELEASE);
        if (!dead)
            STAGE_CHECK(stage_wait(bert) == 0);
        STAGE_CHECK((access(entry, F_OK) == 0) == (dead != 0));
    }
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(nothing_that_a_stranger_puts_there_is_followed_joined_or_waited_for),
        RUN(a_sweep_leaves_a_strangers_objects_alone),
    };
    stage_name(global_name, "Global\\", "strangers");
    stage_name(other_name, "Global\\", "own");
    snprintf(entry, sizeof entry, GLOBAL "n.%s", global_name + strlen("Global\\"));
    return cmocka_run_group_tests_name("process.posix_strangers", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
