/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Fork, exec and the descriptors: who holds what when a process doubles, becomes another program, or closes what is
 * not its own.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage/stage.h"

extern char **environ;

static char name[STAGE_NAME_SIZE];

/* ---- what the tests have in common ---- */

/* A one-way signal between two processes. */
typedef struct wire {
    int ends[2];
} wire;

static wire wire_make(void)
{
    wire made = {{-1, -1}};
    if (pipe(made.ends) != 0)
        stage_fail("no pipe");
    return made;
}

static void wire_pull(const wire *w)
{
    STAGE_CHECK(write(w->ends[1], "x", 1) == 1);
}

static void wire_await(const wire *w)
{
    char byte = 0;
    STAGE_CHECK(read(w->ends[0], &byte, 1) == 1);
}

/* Everything a newcomer can tell: is the object there, with this first word? */
static int newcomer_finds(void *argument)
{
    const uint64_t *word = argument;
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    if (STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_OK) &&
        STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 0, &view), IST_OK))
        STAGE_CHECK(*(uint64_t *)view.data == *word);
    ist_mapping_close(mapping);
    return 0;
}

static int newcomer_misses(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("when nobody holds");
    return 0;
}

static void check_alive(uint64_t word)
{
    STAGE_CHECK(stage_run(newcomer_finds, &word) == 0);
}

static void check_dead(void)
{
    STAGE_CHECK(stage_run(newcomer_misses, NULL) == 0);
}

static ist_mapping *make(uint64_t word)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    if (STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK) &&
        STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
        *(uint64_t *)view.data = word;
    ist_view_unmap(&view);
    return mapping;
}

/* The body of each test is a process of its own, so that each begins with a first call. */
static void on_stage(int (*play)(void *), void *argument, const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    stage_name(name, "", "fork");
    assert_int_equal(stage_run(play, argument), 0);
    stage_check_empty("after the play");
    assert_int_equal(stage_failures(), before);
    stage_clear();
}

/* ---- who holds after a fork ---- */

typedef enum ending { CLOSES, EXITS, VANISHES, BECOMES_ANOTHER } ending;

static void end_child(ist_mapping *mapping, ending how)
{
    static char program[] = "/bin/true";
    char *arguments[] = {program, NULL};
    if (how == CLOSES)
        ist_mapping_close(mapping);
    if (how == EXITS)
        exit(0);
    if (how == BECOMES_ANOTHER)
        execv(program, arguments);
    _exit(how == BECOMES_ANOTHER ? 1 : 0);
}

static int child_lets_go_first(void *argument)
{
    ist_mapping *mapping = make(11);
    pid_t child = stage_fork();
    if (child == 0)
        end_child(mapping, *(ending *)argument);
    STAGE_CHECK(stage_wait(child) == 0);
    check_alive(11);
    ist_mapping_close(mapping);
    stage_check_empty("at once after the last close");
    check_dead();
    return 0;
}

static int parent_lets_go_first(void *argument)
{
    ending how = *(ending *)argument;
    wire go = wire_make();
    ist_mapping *mapping = make(12);
    pid_t child = stage_fork();
    if (child == 0) {
        wire_await(&go);
        end_child(mapping, how);
    }
    ist_mapping_close(mapping);
    check_alive(12);
    wire_pull(&go);
    STAGE_CHECK(stage_wait(child) == 0);
    if (how == CLOSES || how == EXITS)
        stage_check_empty("at once after the last close");
    check_dead();
    return 0;
}

static void for_each_ending(int (*play)(void *), const char *what)
{
    for (ending how = CLOSES; how <= BECOMES_ANOTHER; how++)
        on_stage(play, &how, what);
}

/* L7, hazard 1 */
TEST(a_child_that_lets_go_first_leaves_the_object_to_its_parent)
{
    for_each_ending(child_lets_go_first, "the child lets go first");
}

/* L7, hazard 1 */
TEST(a_child_keeps_the_object_when_its_parent_lets_go)
{
    for_each_ending(parent_lets_go_first, "the parent lets go first");
}

static int child_makes_its_own(void *argument)
{
    ist_mapping *mapping = make(13);
    (void)argument;
    pid_t child = stage_fork();
    if (child == 0) {
        ist_mapping *own = NULL;
        stage_name(name, "", "own");
        own = make(14);
        check_alive(14);
        ist_mapping_close(own);
        STAGE_IS(ist_mapping_open(&own, name, IST_READ), IST_E_NOT_FOUND);
        _exit(0);
    }
    STAGE_CHECK(stage_wait(child) == 0);
    check_alive(13);
    ist_mapping_close(mapping);
    check_dead();
    return 0;
}

/* L7 */
TEST(a_child_makes_and_closes_objects_of_its_own)
{
    on_stage(child_makes_its_own, NULL, "the child makes its own");
}

static int grandchildren(void *argument)
{
    ist_mapping *mapping = make(15);
    wire go = wire_make();
    (void)argument;
    pid_t child = stage_fork();
    if (child == 0) {
        pid_t grandchild = stage_fork();
        if (grandchild == 0) {
            wire_await(&go);
            ist_mapping_close(mapping);
            exit(0);
        }
        ist_mapping_close(mapping);
        wire_await(&go);
        _exit(stage_wait(grandchild));
    }
    ist_mapping_close(mapping);
    check_alive(15);
    wire_pull(&go);
    wire_pull(&go);
    STAGE_CHECK(stage_wait(child) == 0);
    check_dead();
    return 0;
}

/* L7 */
TEST(a_grandchild_holds_what_it_inherited_through_two_forks)
{
    on_stage(grandchildren, NULL, "grandchildren");
}

/* Returns once the new program itself answers: the caller of posix_spawn goes on before the kernel has closed the
   child's descriptors. */
static pid_t spawn_cat(int *to_cat)
{
    static char program[] = "/bin/cat";
    char *arguments[] = {program, NULL};
    char answer = 0;
    int in[2];
    int out[2];
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    STAGE_CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    STAGE_CHECK(posix_spawn(&pid, program, &actions, NULL, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    STAGE_CHECK(write(in[1], "?", 1) == 1 && read(out[0], &answer, 1) == 1 && answer == '?');
    close(out[0]);
    *to_cat = in[1];
    return pid;
}

/* L9: a new program inherits nothing, so the object goes with this close although the other program lives. */
static int spawn_and_close(void *argument)
{
    ist_mapping *mapping = make(16);
    int to_cat = -1;
    pid_t pid = spawn_cat(&to_cat);
    (void)argument;
    ist_mapping_close(mapping);
    stage_check_empty("while a spawned program lives");
    check_dead();
    close(to_cat); /* at the end of its input it exits */
    STAGE_CHECK(stage_wait(pid) == 0);
    return 0;
}

/* L9 */
TEST(a_spawned_program_holds_nothing)
{
    on_stage(spawn_and_close, NULL, "spawn");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_child_that_lets_go_first_leaves_the_object_to_its_parent),
        RUN(a_child_keeps_the_object_when_its_parent_lets_go),
        RUN(a_child_makes_and_closes_objects_of_its_own),
        RUN(a_grandchild_holds_what_it_inherited_through_two_forks),
        RUN(a_spawned_program_holds_nothing),
    };
    return cmocka_run_group_tests_name("process.posix_fork", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
