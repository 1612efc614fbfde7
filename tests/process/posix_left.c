/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * L3 where it is not plain who should clean up: what hides the dead from a running process, exits and executions at
 * odd moments, and what only looks like ours.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

#define ANNA 61001
#define CALLS 10 /* more than there are objects */

static char name[STAGE_NAME_SIZE];
static char other[STAGE_NAME_SIZE];
static char missing[STAGE_NAME_SIZE];

static int create_and_vanish(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, other, 4096, NULL), IST_OK);
    _exit(0);
}

static void call_often(const char *what, ist_status wanted)
{
    for (int n = 0; n < CALLS; n++) {
        ist_mapping *mapping = NULL;
        STAGE_IS(ist_mapping_open(&mapping, what, IST_READ), wanted);
        ist_mapping_close(mapping);
    }
}

static void check_left(size_t wanted, const char *when)
{
    char list[600];
    if (stage_leftovers(list, sizeof list) != wanted)
        stage_fail("%s there is%s, wanted %u", when, list, (unsigned)wanted);
}

static void on_stage(int (*play)(void *), const char *what)
{
    unsigned before = stage_failures();
    stage_clear();
    stage_case("%s", what);
    stage_name(name, "", "left");
    stage_name(other, "", "dead");
    stage_name(missing, "", "missing");
    assert_int_equal(stage_run(play, NULL), 0);
    stage_check_empty("in the end");
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int open_own(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_CHECK(stage_run(create_and_vanish, NULL) == 0);
    check_left(2, "before");
    call_often(name, IST_OK);
    check_left(1, "after opens of the process's own object");
    ist_mapping_close(mapping);
    return 0;
}

/* L3 */
TEST(opening_ones_own_object_hides_no_dead_one)
{
    on_stage(open_own, "opens of one's own");
}

static int export_and_vanish(void *argument)
{
    ist_mapping *mapping = NULL;
    char token[IST_TOKEN_SIZE];
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, other, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_export(mapping, (uint64_t)getppid(), IST_READ, token), IST_OK);
    _exit(0);
}

static int sweep_ticket(void *argument)
{
    (void)argument;
    call_often(missing, IST_E_NOT_FOUND);
    STAGE_CHECK(stage_run(export_and_vanish, NULL) == 0);
    if (stage_shared_because() == NULL) /* a ticket's name says nothing of this run */
        check_left(2, "before");
    call_often(missing, IST_E_NOT_FOUND);
    check_left(0, "after calls");
    return 0;
}

/* L3 M11 */
TEST(a_running_process_sweeps_the_ticket_of_a_dead_exporter)
{
    on_stage(sweep_ticket, "a dead exporter's ticket");
}

static int import_nothing(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_import(&mapping, "ist1.l.0123456789abcdef"), IST_E_ARG);
    return 0;
}

static int first_import(void *argument)
{
    (void)argument;
    STAGE_CHECK(stage_run(create_and_vanish, NULL) == 0);
    STAGE_CHECK(stage_run(import_nothing, NULL) == 0);
    check_left(0, "after an import as a first call");
    return 0;
}

/* L3 */
TEST(an_import_may_be_the_first_call_too)
{
    on_stage(first_import, "an import as a first call");
}

static int export_and_become_another(void *argument)
{
    static char program[] = "/bin/cat";
    char *arguments[] = {program, NULL};
    const int *pipes = argument;
    ist_mapping *mapping = NULL;
    char token[IST_TOKEN_SIZE];
    STAGE_IS(ist_mapping_create(&mapping, other, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_export(mapping, (uint64_t)getppid(), IST_READ, token), IST_OK);
    dup2(pipes[0], STDIN_FILENO);
    dup2(pipes[3], STDOUT_FILENO);
    execv(program, arguments);
    return 97;
}

static int execute(void *argument)
{
    int pipes[4];
    char answer = 0;
    (void)argument;
    STAGE_CHECK(pipe2(pipes, O_CLOEXEC) == 0 && pipe2(pipes + 2, O_CLOEXEC) == 0);
    pid_t exporter = stage_fork();
    if (exporter == 0)
        _exit(export_and_become_another(pipes));
    STAGE_CHECK(write(pipes[1], "?", 1) == 1 && read(pipes[2], &answer, 1) == 1);
    call_often(missing, IST_E_NOT_FOUND);
    check_left(0, "while the exporter goes on as another program");
    stage_kill(exporter);
    return 0;
}

/* L3 L9 M11 */
TEST(an_exporter_that_becomes_another_program_leaves_no_ticket)
{
    on_stage(execute, "an exporter's exec");
}

static int lose_descriptors(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    STAGE_CHECK(stage_run(create_and_vanish, NULL) == 0);
    call_often(missing, IST_E_NOT_FOUND);
    check_left(0, "after all descriptors were closed");
    ist_mapping_close(mapping);
    return 0;
}

/* L3, hazard 7 */
TEST(a_process_that_lost_its_descriptors_still_sweeps)
{
    on_stage(lose_descriptors, "closefrom");
}

static void make_more(void)
{
    ist_mapping *mapping = NULL;
    STAGE_IS(ist_mapping_create(&mapping, other, 4096, NULL), IST_OK);
}

static int make_at_exit(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    atexit(make_more); /* before the library's own handler, so it runs after that */
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    exit(0);
}

/* L3 */
TEST(what_a_late_exit_handler_makes_goes_with_the_exit)
{
    on_stage(make_at_exit, "an exit handler");
}

/* ---- several users ---- */

static int sweep_blind_private(void *argument)
{
    char path[160];
    (void)argument;
    stage_become(ANNA, 0);
    stage_local_directory(path, sizeof path);
    STAGE_CHECK(mkdir(path, 0700) == 0);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/p.0123456789abcdef01234567");
    STAGE_CHECK(mkdir(path, 0) == 0);
    call_often(missing, IST_E_NOT_FOUND);
    STAGE_CHECK(access(path, F_OK) != 0);
    return 0;
}

/* L3: what a maker leaves that is killed before it undoes its umask. */
TEST(a_private_that_cannot_be_looked_into_goes_too)
{
    if (stage_one_user_because() != NULL)
        SKIP(a_private_that_cannot_be_looked_into_goes_too, stage_one_user_because());
    on_stage(sweep_blind_private, "a private without a mode");
}

static int create_blindly(void *argument)
{
    ist_mapping *mapping = NULL;
    bool vanishes = *(bool *)argument;
    stage_become(ANNA, 0);
    umask(0400);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    umask(022);
    call_often(name, IST_OK);
    if (vanishes)
        _exit(0);
    ist_mapping_close(mapping);
    return 0;
}

static int create_after_blind_one(void *argument)
{
    bool vanishes[] = {false, true};
    ist_mapping *mapping = NULL;
    (void)argument;
    for (size_t n = 0; n < COUNT_OF(vanishes); n++)
        STAGE_CHECK(stage_run(create_blindly, &vanishes[n]) == 0);
    stage_become(ANNA, 0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

/* L1 L4 */
TEST(a_umask_that_takes_the_owners_own_rights_takes_nothing)
{
    if (stage_one_user_because() != NULL)
        SKIP(a_umask_that_takes_the_owners_own_rights_takes_nothing, stage_one_user_because());
    on_stage(create_after_blind_one, "a umask of 0400");
}

static int leave_lookalikes(void *argument)
{
    char path[160];
    (void)argument;
    stage_become(ANNA, 0);
    snprintf(path, sizeof path, "%s/isthmus.d.photos", STAGE_GLOBAL_DIRECTORY);
    STAGE_CHECK(mkdir(path, 0755) == 0);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/r");
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    snprintf(path, sizeof path, "%s/isthmus.n.empty", STAGE_GLOBAL_DIRECTORY);
    STAGE_CHECK(mkdir(path, 0755) == 0);
    return 0;
}

static int sweep_as_root(void *argument)
{
    (void)argument;
    STAGE_CHECK(stage_run(leave_lookalikes, NULL) == 0);
    call_often(missing, IST_E_NOT_FOUND);
    check_left(2, "of a stranger's");
    stage_clear();
    return 0;
}

/* Hazard 5 */
TEST(root_sweeps_nothing_of_a_strangers)
{
    if (stage_one_user_because() != NULL)
        SKIP(root_sweeps_nothing_of_a_strangers, stage_one_user_because());
    on_stage(sweep_as_root, "root and a stranger's entries");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(opening_ones_own_object_hides_no_dead_one),
        RUN(a_running_process_sweeps_the_ticket_of_a_dead_exporter),
        RUN(an_import_may_be_the_first_call_too),
        RUN(an_exporter_that_becomes_another_program_leaves_no_ticket),
        RUN(a_process_that_lost_its_descriptors_still_sweeps),
        RUN(what_a_late_exit_handler_makes_goes_with_the_exit),
        RUN(a_private_that_cannot_be_looked_into_goes_too),
        RUN(a_umask_that_takes_the_owners_own_rights_takes_nothing),
        RUN(root_sweeps_nothing_of_a_strangers),
    };
    return cmocka_run_group_tests_name("process.posix_left", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
