/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * L3: what the dead left behind goes with the first call of a process of their user, and for a process that is
 * already running within as many creates and opens as there are objects. Nothing else goes.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage/stage.h"
#include "stage/trace.h"

#define OBJECTS 40
#define NUMBERED_SIZE (2 * STAGE_NAME_SIZE + 16)

static char name[STAGE_NAME_SIZE];
static char other[STAGE_NAME_SIZE];
static char scope_path[128];

/* ---- those who leave things behind ---- */

static void numbered(char out[NUMBERED_SIZE], const char *prefix, int number)
{
    snprintf(out, NUMBERED_SIZE, "%s%s-%d", prefix, name, number);
}

/* Named, unnamed and global objects, a mapping of a file, one of a long name, and a token. Then it dies. */
static int leave_everything(void *argument)
{
    char own[NUMBERED_SIZE];
    char token[IST_TOKEN_SIZE];
    char path[64];
    char lengthy[IST_NAME_MAX + 1];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    bool vanishes = *(bool *)argument;
    for (int n = 0; n < OBJECTS; n++) {
        numbered(own, n % 4 == 1 ? "Global\\" : "", n);
        STAGE_IS(ist_mapping_create(&mapping, n % 4 == 2 ? NULL : own, 4096, NULL), IST_OK);
        if (n % 8 == 3)
            STAGE_IS(ist_mapping_export(mapping, (uint64_t)getppid(), IST_WRITE, token), IST_OK);
    }
    options.audience = IST_AUDIENCE_EVERYONE_READ;
    numbered(own, "Global\\", OBJECTS);
    STAGE_IS(ist_mapping_create(&mapping, own, 4096, &options), IST_OK);
    memset(lengthy, '*', sizeof lengthy);
    lengthy[IST_NAME_MAX] = '\0';
    memcpy(lengthy, name, strlen(name));
    STAGE_IS(ist_mapping_create(&mapping, lengthy, 4096, NULL), IST_OK);
    options.audience = IST_AUDIENCE_OWNER;
    snprintf(path, sizeof path, "/tmp/isthmus-test-%ld", (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    options.path = path;
    numbered(own, "", OBJECTS + 1);
    STAGE_IS(ist_mapping_create(&mapping, own, 4096, &options), IST_OK);
    close(fd);
    unlink(path);
    if (vanishes)
        _exit(0);
    exit(0);
}

static int first_call(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, other, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("after the first call");
    return 0;
}

static void begin(const char *what)
{
    stage_clear();
    stage_name(name, "", "sweep");
    stage_name(other, "", "other");
    stage_local_directory(scope_path, sizeof scope_path);
    stage_case("%s", what);
}

static size_t count_leftovers(void)
{
    char list[600];
    return stage_leftovers(list, sizeof list);
}

/* L3 */
TEST(the_first_call_removes_everything_that_the_dead_left)
{
    bool vanishes = true;
    unsigned before = stage_failures();
    begin("first call after _exit");
    assert_int_equal(stage_run(leave_everything, &vanishes), 0);
    assert_true(count_leftovers() > OBJECTS / 2);
    assert_int_equal(stage_run(first_call, NULL), 0);
    assert_int_equal(stage_failures(), before);
}

/* L3 */
TEST(a_normal_exit_leaves_nothing)
{
    bool vanishes = false;
    unsigned before = stage_failures();
    begin("normal exit");
    assert_int_equal(stage_run(leave_everything, &vanishes), 0);
    stage_check_empty("at once after a normal exit");
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int leave_objects(void *argument)
{
    char own[NUMBERED_SIZE];
    ist_mapping *mapping = NULL;
    (void)argument;
    for (int n = 0; n < OBJECTS; n++) {
        numbered(own, "", n);
        STAGE_IS(ist_mapping_create(&mapping, own, 4096, NULL), IST_OK);
    }
    _exit(0);
}

/* Was running before they died: as many calls as there are objects, its own living ones among them. */
static int run_on(void *argument)
{
    bool creates = *(bool *)argument;
    ist_mapping *mapping = NULL;
    ist_mapping *own[3] = {NULL};
    char mine[NUMBERED_SIZE];
    for (int n = 0; n < 3; n++) {
        numbered(mine, "", 100 + n);
        STAGE_IS(ist_mapping_create(&own[n], mine, 4096, NULL), IST_OK);
    }
    STAGE_CHECK(stage_run(leave_objects, NULL) == 0);
    STAGE_CHECK(count_leftovers() == OBJECTS + 3);
    for (int n = 0; n < OBJECTS + 3; n++) {
        if (creates)
            STAGE_IS(ist_mapping_create(&mapping, other, 4096, NULL), IST_OK);
        else
            STAGE_IS(ist_mapping_open(&mapping, other, IST_READ), IST_E_NOT_FOUND);
        ist_mapping_close(mapping);
        mapping = NULL;
    }
    size_t left = count_leftovers();
    if (left != 3)
        stage_fail("after as many %s as there were objects %u are left, wanted the 3 that live",
                   creates ? "creates" : "opens", (unsigned)left);
    for (int n = 0; n < 3; n++) {
        numbered(mine, "", 100 + n);
        STAGE_IS(ist_mapping_open(&mapping, mine, IST_READ), IST_OK);
        ist_mapping_close(mapping);
        ist_mapping_close(own[n]);
    }
    stage_check_empty("after the last close");
    return 0;
}

/* L3 */
TEST(a_running_process_gets_there_within_as_many_calls_as_there_are_objects)
{
    unsigned before = stage_failures();
    for (int creates = 0; creates < 2; creates++) {
        bool how = creates != 0;
        begin(creates ? "a running process that creates" : "a running process that opens");
        assert_int_equal(stage_run(run_on, &how), 0);
    }
    assert_int_equal(stage_failures(), before);
}

/* ---- privates and their makers ---- */

static int make_traced(void)
{
    ist_mapping *mapping = NULL;
    STAGE_IS(ist_mapping_open(&mapping, other, IST_READ), IST_E_NOT_FOUND);
    trace_join();
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    trace_mark();
    ist_mapping_close(mapping);
    _exit(0);
}

/* L3, hazard 10: one maker is stopped at each call while others sweep all the time; it still succeeds. */
TEST(a_sweep_takes_the_privates_of_dead_makers_and_stops_no_living_one)
{
    const char *why = NULL;
    unsigned before = stage_failures();
    if (!trace_works(&why))
        SKIP(a_sweep_takes_the_privates_of_dead_makers_and_stops_no_living_one, why);
    begin("privates");
    for (int dies = 0; dies < 2; dies++)
        for (unsigned stops = 1;; stops++) {
            trace maker;
            stage_case("a maker that %s at stop %u", dies ? "dies" : "is swept over", stops);
            pid_t pid = stage_fork();
            if (pid == 0)
                make_traced();
            trace_begin(&maker, pid);
            bool stands = trace_steps(&maker, stops);
            if (dies) {
                trace_kill(&maker);
                STAGE_CHECK(stage_run(first_call, NULL) == 0);
            } else {
                /* Between every two stops from here on, a first call: the maker must get through all the same. */
                for (unsigned n = 0; n < 3 && stands; n++) {
                    pid_t sweeper = stage_fork();
                    ist_mapping *none = NULL;
                    if (sweeper == 0)
                        _exit(ist_mapping_open(&none, other, IST_READ) == IST_E_NOT_FOUND ? 0 : 1);
                    STAGE_CHECK(stage_wait(sweeper) == 0);
                    stands = trace_steps(&maker, 1);
                }
                STAGE_CHECK(trace_finish(&maker) == 0);
                stage_check_empty("after the maker has closed");
            }
            if (!stands || stage_failures() != before)
                break;
        }
    assert_int_equal(stage_failures(), before);
}

/* ---- what is not ours ---- */

static void make_entry(const char *directory, const char *entry)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, entry);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    STAGE_CHECK(fd >= 0);
    close(fd);
}

static bool entry_exists(const char *directory, const char *entry)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, entry);
    return access(path, F_OK) == 0;
}

static int many_calls(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    for (int n = 0; n < 40; n++) {
        STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
        ist_mapping_close(mapping);
    }
    return 0;
}

/* Hazard 5 */
TEST(a_sweep_leaves_alone_what_is_not_ours)
{
    static const char *const foreign[] = {"PostgreSQL.1",    "isthmus",         "isthmus.", "isthmus.z.x", "isthmus.n",
                                          "sem.isthmus.n.x", "isthmus-1234567", "n.x",      "p.x",         "d.x"};
    static const char *const inside[] = {"notes", "z.x", ".n", "life-1"};
    unsigned before = stage_failures();
    if (stage_shared_because() != NULL)
        SKIP(a_sweep_leaves_alone_what_is_not_ours, stage_shared_because());
    begin("foreign entries");
    STAGE_CHECK(mkdir(scope_path, 0700) == 0);
    for (size_t n = 0; n < COUNT_OF(foreign); n++)
        make_entry(STAGE_GLOBAL_DIRECTORY, foreign[n]);
    for (size_t n = 0; n < COUNT_OF(inside); n++)
        make_entry(scope_path, inside[n]);
    assert_int_equal(stage_run(many_calls, NULL), 0);
    for (size_t n = 0; n < COUNT_OF(foreign); n++)
        if (!entry_exists(STAGE_GLOBAL_DIRECTORY, foreign[n]))
            stage_fail("%s was removed", foreign[n]);
    for (size_t n = 0; n < COUNT_OF(inside); n++)
        if (!entry_exists(scope_path, inside[n]))
            stage_fail("%s was removed", inside[n]);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_first_call_removes_everything_that_the_dead_left),
        RUN(a_normal_exit_leaves_nothing),
        RUN(a_running_process_gets_there_within_as_many_calls_as_there_are_objects),
        RUN(a_sweep_takes_the_privates_of_dead_makers_and_stops_no_living_one),
        RUN(a_sweep_leaves_alone_what_is_not_ours),
    };
    return cmocka_run_group_tests_name("process.posix_sweep", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
