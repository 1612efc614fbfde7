/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * M11 under odd circumstances: a token that nobody has used holds its object, whoever asks, from wherever, and whatever
 * has become of the exporter's user and of the target's threads.
 */
#include "support/check.h"
#include "support/peer.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage/stage.h"

#define ANNA 61001
#define BERT 61002

/* What the processes of one test share. */
typedef struct board {
    char token[IST_TOKEN_SIZE];
    int ready;    /* the target is the user that it is to be */
    int go;       /* 1: the token is there and its exporter has closed */
    int answered; /* by the target */
    ist_status status;
    uint64_t thread;
} board;

static char name[STAGE_NAME_SIZE];
static board *shared;

static void wait_for(int *flag)
{
    while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
        usleep(100);
}

static void raise_flag(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static void *import_when_told(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    wait_for(&shared->go);
    shared->status = ist_mapping_import(&mapping, shared->token);
    raise_flag(&shared->answered);
    ist_mapping_close(mapping);
    _exit(0);
}

/* A target that imports when it is told to; as a user, if that is not 0, and from its second thread, if asked for. */
static pid_t start_target(uid_t user, bool threaded)
{
    pid_t pid = stage_fork();
    if (pid == 0) {
        pthread_t thread;
        if (user != 0)
            stage_become(user, 0);
        raise_flag(&shared->ready);
        if (!threaded)
            import_when_told(NULL);
        pthread_create(&thread, NULL, import_when_told, NULL);
        pthread_exit(NULL);
    }
    wait_for(&shared->ready);
    return pid;
}

static void end_target(pid_t pid, ist_status wanted)
{
    raise_flag(&shared->go);
    wait_for(&shared->answered);
    STAGE_IS(shared->status, wanted);
    STAGE_CHECK(stage_wait(pid) == 0);
}

static int call_once(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, "not there", IST_READ), IST_E_NOT_FOUND);
    return 0;
}

static void on_stage(int (*play)(void *), const char *prefix, const char *what)
{
    unsigned before = stage_failures();
    stage_clear();
    stage_case("%s", what);
    stage_name(name, prefix, "token");
    memset(shared, 0, sizeof *shared);
    assert_int_equal(stage_run(play, NULL), 0);
    stage_check_empty("in the end");
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* Anna's object; Bert exports it to another process of his and closes; Anna closes last. */
static int anna_creates(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    int *flags = argument;
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    stage_become(ANNA, 0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, &options), IST_OK);
    raise_flag(&flags[0]);
    wait_for(&flags[1]);
    ist_mapping_close(mapping);
    return 0;
}

static int anna_and_bert(void *argument)
{
    ist_mapping *mapping = NULL;
    int *flags = stage_memory(2 * sizeof *flags);
    pid_t target = start_target(BERT, false);
    pid_t anna = stage_fork();
    (void)argument;
    if (anna == 0)
        _exit(anna_creates(flags));
    wait_for(&flags[0]);
    stage_become(BERT, 0);
    STAGE_IS(ist_mapping_open(&mapping, name, IST_WRITE | IST_TRUST_EVERYONE), IST_OK);
    STAGE_IS(ist_mapping_export(mapping, (uint64_t)target, IST_WRITE, shared->token), IST_OK);
    ist_mapping_close(mapping);
    raise_flag(&flags[1]);
    STAGE_CHECK(stage_wait(anna) == 0);
    end_target(target, IST_OK);
    return 0;
}

/* What Bert's target leaves is Anna's to sweep. */
static int anna_sweeps(void *argument)
{
    (void)argument;
    stage_become(ANNA, 0);
    return call_once(NULL);
}

static int anna_bert_and_sweep(void *argument)
{
    (void)argument;
    STAGE_CHECK(stage_run(anna_and_bert, NULL) == 0);
    STAGE_CHECK(stage_run(anna_sweeps, NULL) == 0);
    return 0;
}

/* M11 L1 */
TEST(a_token_of_another_user_holds_the_object_for_its_owner_too)
{
    if (stage_one_user_because() != NULL)
        SKIP(a_token_of_another_user_holds_the_object_for_its_owner_too, stage_one_user_because());
    on_stage(anna_bert_and_sweep, "Global\\", "another user's token");
}

static int sweep_elsewhere(void *argument)
{
    (void)argument;
    if (unshare(CLONE_NEWPID) != 0)
        return 0; /* a container may not: then nobody sweeps from elsewhere */
    return stage_run(call_once, NULL);
}

/* A token for the target outlives its exporter's handle and what is done meanwhile. */
static int export_and_do(pid_t target, int (*meanwhile)(void *))
{
    ist_mapping *mapping = NULL;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_export(mapping, (uint64_t)target, IST_READ, shared->token), IST_OK);
    ist_mapping_close(mapping);
    STAGE_CHECK(stage_run(meanwhile, NULL) == 0);
    end_target(target, IST_OK);
    return 0;
}

static int several_spaces(void *argument)
{
    (void)argument;
    return export_and_do(start_target(0, false), sweep_elsewhere);
}

/* M11 L1: where numbers of processes mean something else they say nothing. */
TEST(a_token_is_safe_from_a_sweep_in_another_name_space_of_processes)
{
    on_stage(several_spaces, "", "name spaces of processes");
}

static int first_thread_ends(void *argument)
{
    pid_t target = start_target(0, true);
    (void)argument;
    usleep(20000); /* its first thread ends, most likely; nothing depends on it */
    return export_and_do(target, call_once);
}

/* M11: it looks like a process that has ended. */
TEST(a_target_lives_on_when_its_first_thread_has_ended)
{
    on_stage(first_thread_ends, "", "a first thread's end");
}

static int change_user(void *argument)
{
    ist_mapping *mapping = NULL;
    bool exports = *(bool *)argument;
    pid_t target = exports ? start_target(ANNA, false) : 0;
    STAGE_CHECK(seteuid(ANNA) == 0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    if (exports)
        STAGE_IS(ist_mapping_export(mapping, (uint64_t)target, IST_READ, shared->token), IST_OK);
    STAGE_CHECK(seteuid(0) == 0);
    ist_mapping_close(mapping);
    if (exports)
        end_target(target, IST_OK);
    return 0;
}

static int change_user_without_token(void *argument)
{
    bool exports = false;
    (void)argument;
    return change_user(&exports);
}

static int change_user_with_token(void *argument)
{
    bool exports = true;
    (void)argument;
    return change_user(&exports);
}

/* L3 M11 */
TEST(a_handle_closed_as_another_user_asks_where_it_was_made)
{
    if (stage_one_user_because() != NULL)
        SKIP(a_handle_closed_as_another_user_asks_where_it_was_made, stage_one_user_because());
    on_stage(change_user_without_token, "", "seteuid");
    on_stage(change_user_with_token, "", "seteuid, with a token");
}

static int too_few_descriptors(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping *imported = NULL;
    struct rlimit limit;
    (void)argument;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_export(mapping, ist_process_id(), IST_READ, shared->token), IST_OK);
    STAGE_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t enough = limit.rlim_cur;
    for (rlim_t most = 3; most < 24 && imported == NULL; most++) {
        stage_case("an import with %u descriptors", (unsigned)most);
        limit.rlim_cur = most;
        STAGE_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        ist_status status = ist_mapping_import(&imported, shared->token);
        STAGE_CHECK(status == IST_OK || status == IST_E_LIMIT);
    }
    limit.rlim_cur = enough;
    STAGE_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && imported != NULL);
    ist_mapping_close(imported);
    ist_mapping_close(mapping);
    return 0;
}

/* M11, hazard 8 */
TEST(an_import_without_descriptors_is_a_limit_and_keeps_the_token)
{
    on_stage(too_few_descriptors, "", "few descriptors");
}

static void *tell_own_id(void *argument)
{
    (void)argument;
    shared->thread = (uint64_t)syscall(SYS_gettid);
    raise_flag(&shared->answered);
    wait_for(&shared->go);
    return NULL;
}

static int export_to_thread(void *argument)
{
    ist_mapping *mapping = NULL;
    pthread_t thread;
    (void)argument;
    pthread_create(&thread, NULL, tell_own_id, NULL);
    wait_for(&shared->answered);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_export(mapping, shared->thread, IST_READ, shared->token), IST_E_ARG);
    raise_flag(&shared->go);
    pthread_join(thread, NULL);
    ist_mapping_close(mapping);
    return 0;
}

/* M11 */
TEST(a_thread_is_no_process_to_export_to)
{
    on_stage(export_to_thread, "", "a thread's id");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_token_of_another_user_holds_the_object_for_its_owner_too),
        RUN(a_token_is_safe_from_a_sweep_in_another_name_space_of_processes),
        RUN(a_target_lives_on_when_its_first_thread_has_ended),
        RUN(a_handle_closed_as_another_user_asks_where_it_was_made),
        RUN(an_import_without_descriptors_is_a_limit_and_keeps_the_token),
        RUN(a_thread_is_no_process_to_export_to),
    };
    shared = stage_memory(sizeof *shared);
    return cmocka_run_group_tests_name("process.posix_tokens", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
