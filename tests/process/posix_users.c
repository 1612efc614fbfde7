/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Several users: who meets whom, who may come in, and what is left when the last one out may not clean up. As root,
 * whose children become users that need not exist.
 */
#include "support/check.h"
#include "support/peer.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

#define ANNA 61001
#define BERT 61002
#define CARL 61003
#define ROOT 0

typedef enum deed { OPENS, CREATES } deed;

/* One call of one user, and whether it stays to hold what it got. */
typedef struct visit {
    uid_t user;
    gid_t group; /* one more group, or 0 */
    deed deed;
    ist_access access;
    ist_audience audience;
    ist_trust trust;
    mode_t mask;
    const char *name;
    ist_status status;
    ist_detail detail;
    int answered;
    int leave; /* 1: close and exit */
    bool zero;
    pid_t pid;
} visit;

static visit *visits; /* shared with the children */
static char local_name[STAGE_NAME_SIZE];
static char global_name[STAGE_NAME_SIZE];

static void act(visit *who)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    if (who->user != ROOT)
        stage_become(who->user, who->group);
    umask(who->mask);
    options.audience = who->audience;
    options.trust = who->trust;
    who->status = who->deed == OPENS ? ist_mapping_open(&mapping, who->name, who->access | who->trust)
                                     : ist_mapping_create(&mapping, who->name, 4096, &options);
    ist_error_detail(&who->detail);
    if (mapping != NULL && STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 0, &view), IST_OK)) {
        who->zero = *(volatile uint64_t *)view.data == 0;
        ist_view_unmap(&view);
    }
    if (mapping != NULL && (who->deed == CREATES || who->access == IST_WRITE) &&
        STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK)) {
        *(volatile uint64_t *)view.data = who->user;
        ist_view_unmap(&view);
    }
    __atomic_store_n(&who->answered, 1, __ATOMIC_RELEASE);
    while (mapping != NULL && !__atomic_load_n(&who->leave, __ATOMIC_ACQUIRE))
        usleep(100);
    ist_mapping_close(mapping);
    _exit(0);
}

/* Begins a visit; it stays if it got something. */
static visit *enter(unsigned slot, const visit *wanted)
{
    visit *who = &visits[slot];
    *who = *wanted;
    pid_t pid = stage_fork();
    if (pid == 0)
        act(who);
    who->pid = pid;
    while (!__atomic_load_n(&who->answered, __ATOMIC_ACQUIRE))
        usleep(50);
    return who;
}

static void leave(visit *who)
{
    __atomic_store_n(&who->leave, 1, __ATOMIC_RELEASE);
    STAGE_CHECK(stage_wait(who->pid) == 0);
}

static void check_visit(const visit *who, ist_status wanted, int line)
{
    if (who->status != wanted)
        stage_fail("line %d: user %lu %s: %s, wanted %s (%s, %u, %s)", line, (unsigned long)who->user,
                   who->deed == OPENS ? "opens" : "creates", ist_status_name(who->status), ist_status_name(wanted),
                   who->detail.call != NULL ? who->detail.call : "", (unsigned)who->detail.code, who->detail.note);
}

/* A call and no stay. */
static visit call_once(const visit *wanted, ist_status status, int line)
{
    visit *who = enter(3, wanted);
    leave(who);
    check_visit(who, status, line);
    return *who;
}

#define CALL(status, ...) call_once(&(visit){__VA_ARGS__}, status, __LINE__)
#define ENTER(slot, status, ...) enter_checked(slot, &(visit){__VA_ARGS__}, status, __LINE__)

static visit *enter_checked(unsigned slot, const visit *wanted, ist_status status, int line)
{
    visit *who = enter(slot, wanted);
    check_visit(who, status, line);
    return who;
}

static unsigned failures_before;

static void begin(const char *what)
{
    stage_clear();
    stage_case("%s", what);
    failures_before = stage_failures();
}

static void end(void)
{
    assert_int_equal(stage_failures(), failures_before);
    stage_clear();
}

#define USERS_TEST(test)                                                                                               \
    static void test##_play(void);                                                                                     \
    TEST(test)                                                                                                         \
    {                                                                                                                  \
        if (stage_one_user_because() != NULL)                                                                          \
            SKIP(test, stage_one_user_because());                                                                      \
        begin(#test);                                                                                                  \
        test##_play();                                                                                                 \
        end();                                                                                                         \
    }                                                                                                                  \
    static void test##_play(void)

/* ---- Local\ ---- */

static int pry(void *argument)
{
    char path[200];
    char to[320];
    (void)argument;
    stage_become(BERT, 0);
    snprintf(path, sizeof path, "%s/isthmus-%d", STAGE_GLOBAL_DIRECTORY, ANNA);
    snprintf(to, sizeof to, "%s-away", path);
    STAGE_CHECK(opendir(path) == NULL);
    STAGE_CHECK(rename(path, to) != 0 && rmdir(path) != 0);
    snprintf(to, sizeof to, "%s/n.%s", path, local_name);
    STAGE_CHECK(rmdir(to) != 0 && access(to, F_OK) != 0);
    return 0;
}

/* A2, N7 */
USERS_TEST(local_objects_of_two_users_do_not_meet_and_cannot_be_disturbed)
{
    visit *anna = ENTER(0, IST_OK, .user = ANNA, .deed = CREATES, .name = local_name);
    CALL(IST_E_NOT_FOUND, .user = BERT, .deed = OPENS, .access = IST_READ, .trust = IST_TRUST_EVERYONE,
         .name = local_name);
    visit *bert = ENTER(1, IST_OK, .user = BERT, .deed = CREATES, .name = local_name);
    STAGE_CHECK(bert->zero);
    STAGE_CHECK(stage_run(pry, NULL) == 0);
    CALL(IST_OK, .user = ANNA, .deed = OPENS, .access = IST_WRITE, .name = local_name);
    leave(bert);
    CALL(IST_OK, .user = ANNA, .deed = OPENS, .access = IST_WRITE, .name = local_name);
    leave(anna);
    CALL(IST_E_NOT_FOUND, .user = ANNA, .deed = OPENS, .access = IST_READ, .name = local_name);
}

/* A2, A4, hazard 6: the note names who it was. */
USERS_TEST(a_stranger_who_makes_the_scope_first_is_refused_and_named)
{
    char path[100];
    snprintf(path, sizeof path, "%s/isthmus-%d", STAGE_GLOBAL_DIRECTORY, ANNA);
    for (int wide = 0; wide < 2; wide++) {
        STAGE_CHECK(mkdir(path, 0700) == 0 && chmod(path, wide ? 0777 : 0700) == 0 && chown(path, BERT, BERT) == 0);
        visit made = CALL(IST_E_ACCESS, .user = ANNA, .deed = CREATES, .name = local_name);
        STAGE_CHECK(strstr(made.detail.note, "61002") != NULL);
        visit opened = CALL(IST_E_ACCESS, .user = ANNA, .deed = OPENS, .access = IST_READ, .name = local_name);
        STAGE_CHECK(strstr(opened.detail.note, "61002") != NULL);
        /* Global\ does not need that directory. */
        CALL(IST_OK, .user = ANNA, .deed = CREATES, .name = global_name);
        STAGE_CHECK(rmdir(path) == 0);
    }
    CALL(IST_OK, .user = ANNA, .deed = CREATES, .name = local_name);
}

/* N7: the scope is the effective user's, also in a process that changes it. */
static int change_user(void *argument)
{
    ist_mapping *roots = NULL;
    ist_mapping *annas = NULL;
    ist_mapping *again = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_create(&roots, local_name, 4096, NULL), IST_OK);
    STAGE_CHECK(seteuid(ANNA) == 0);
    STAGE_IS(ist_mapping_open(&again, local_name, IST_READ), IST_E_NOT_FOUND);
    STAGE_IS(ist_mapping_create(&annas, local_name, 4096, NULL), IST_OK);
    STAGE_CHECK(seteuid(0) == 0);
    STAGE_IS(ist_mapping_open(&again, local_name, IST_READ), IST_OK);
    ist_mapping_close(again);
    ist_mapping_close(roots);
    STAGE_IS(ist_mapping_open(&again, local_name, IST_READ), IST_E_NOT_FOUND);
    ist_mapping_close(annas);
    return 0;
}

USERS_TEST(a_process_that_changes_its_user_changes_its_scope)
{
    STAGE_CHECK(stage_run(change_user, NULL) == 0);
    CALL(IST_OK, .user = ANNA, .deed = CREATES, .name = local_name);
    CALL(IST_OK, .user = ROOT, .deed = CREATES, .name = local_name);
}

/* ---- Global\ and audiences ---- */

typedef struct admission {
    ist_audience audience;
    bool in_group;
    ist_status read;
    ist_status write;
} admission;

/* A1, A2; hazard 10: a umask takes nothing from an audience. */
USERS_TEST(an_audience_admits_those_it_names_and_trust_is_needed_too)
{
    static const admission table[] = {
        {IST_AUDIENCE_OWNER, false, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_OWNER, true, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_READ, false, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_READ, true, IST_OK, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_WRITE, false, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_WRITE, true, IST_OK, IST_OK},
        {IST_AUDIENCE_EVERYONE_READ, false, IST_OK, IST_E_ACCESS},
        {IST_AUDIENCE_EVERYONE_WRITE, false, IST_OK, IST_OK},
    };
    for (size_t n = 0; n < COUNT_OF(table); n++)
        for (int masked = 0; masked < 2; masked++) {
            const admission *row = &table[n];
            gid_t group = row->in_group ? ANNA : 0;
            stage_case("audience %d, %s the group, umask %s", (int)row->audience, row->in_group ? "in" : "not in",
                       masked ? "0777" : "0");
            visit *anna = ENTER(0, IST_OK, .user = ANNA, .deed = CREATES, .audience = row->audience,
                                .mask = masked ? 0777 : 0, .name = global_name);
            CALL(IST_E_ACCESS, .user = BERT, .group = group, .deed = OPENS, .access = IST_READ, .name = global_name);
            CALL(IST_E_ACCESS, .user = BERT, .group = group, .deed = CREATES, .name = global_name);
            CALL(row->read, .user = BERT, .group = group, .deed = OPENS, .access = IST_READ,
                 .trust = IST_TRUST_EVERYONE, .name = global_name);
            CALL(row->write, .user = BERT, .group = group, .deed = OPENS, .access = IST_WRITE,
                 .trust = IST_TRUST_EVERYONE, .name = global_name);
            CALL(row->write == IST_OK ? IST_EXISTED : IST_E_ACCESS, .user = BERT, .group = group, .deed = CREATES,
                 .trust = IST_TRUST_EVERYONE, .name = global_name);
            CALL(IST_OK, .user = ANNA, .deed = OPENS, .access = IST_WRITE, .name = global_name);
            leave(anna);
            stage_check_empty("after the owner's close");
        }
}

/* Everybody has left, the owner first; the last one may not clean up. What then, until the owner calls? */
static void last_out_is_a_stranger(ist_audience audience, bool killed, uid_t cleaner)
{
    ist_access access = audience == IST_AUDIENCE_EVERYONE_READ ? IST_READ : IST_WRITE;
    stage_case("the owner %s, a stranger is last, audience %d, then user %lu", killed ? "is killed" : "closes",
               (int)audience, (unsigned long)cleaner);
    visit *anna = ENTER(0, IST_OK, .user = ANNA, .deed = CREATES, .audience = audience, .name = global_name);
    visit *bert = ENTER(1, IST_OK, .user = BERT, .deed = OPENS, .access = access, .trust = IST_TRUST_EVERYONE,
                        .name = global_name);
    if (killed)
        stage_kill(anna->pid);
    else
        leave(anna);
    CALL(IST_OK, .user = CARL, .deed = OPENS, .access = access, .trust = IST_TRUST_EVERYONE, .name = global_name);
    leave(bert);
    for (int round = 0; round < 2; round++) {
        CALL(IST_E_NOT_FOUND, .user = CARL, .deed = OPENS, .access = access, .trust = IST_TRUST_EVERYONE,
             .name = global_name);
        CALL(IST_E_ACCESS, .user = CARL, .deed = CREATES, .trust = IST_TRUST_EVERYONE, .name = global_name);
    }
    visit fresh = CALL(IST_OK, .user = cleaner, .deed = CREATES, .trust = IST_TRUST_EVERYONE, .name = global_name);
    STAGE_CHECK(fresh.zero);
    stage_check_empty("after the cleaner's close");
}

/* L1, hazard 5 */
USERS_TEST(what_a_stranger_left_last_is_not_found_and_goes_with_its_owners_next_call)
{
    static const ist_audience audiences[] = {IST_AUDIENCE_EVERYONE_WRITE, IST_AUDIENCE_EVERYONE_READ};
    for (size_t n = 0; n < COUNT_OF(audiences); n++)
        for (int killed = 0; killed < 2; killed++) {
            last_out_is_a_stranger(audiences[n], killed != 0, ANNA);
            last_out_is_a_stranger(audiences[n], killed != 0, ROOT);
        }
}

/* L1: what it may not read is no access, dead or alive. */
USERS_TEST(a_strangers_dead_object_that_cannot_be_read_is_no_access)
{
    visit *anna = ENTER(0, IST_OK, .user = ANNA, .deed = CREATES, .name = global_name);
    stage_kill(anna->pid);
    CALL(IST_E_ACCESS, .user = CARL, .deed = OPENS, .access = IST_READ, .trust = IST_TRUST_EVERYONE,
         .name = global_name);
    CALL(IST_E_ACCESS, .user = CARL, .deed = CREATES, .trust = IST_TRUST_EVERYONE, .name = global_name);
    CALL(IST_E_NOT_FOUND, .user = ANNA, .deed = OPENS, .access = IST_READ, .name = global_name);
    stage_check_empty("after the owner's next call");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(local_objects_of_two_users_do_not_meet_and_cannot_be_disturbed),
        RUN(a_stranger_who_makes_the_scope_first_is_refused_and_named),
        RUN(a_process_that_changes_its_user_changes_its_scope),
        RUN(an_audience_admits_those_it_names_and_trust_is_needed_too),
        RUN(what_a_stranger_left_last_is_not_found_and_goes_with_its_owners_next_call),
        RUN(a_strangers_dead_object_that_cannot_be_read_is_no_access),
    };
    visits = stage_memory(4 * sizeof *visits);
    stage_name(local_name, "", "users");
    stage_name(global_name, "Global\\", "users");
    return cmocka_run_group_tests_name("process.posix_users", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
