/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tokens of mutexes, semaphores, events and timers: M11 as it holds for them, L1, L9, A1.
 */
#include "support/kind.h"
#include "support/sync.h"

static void *make(const kind *sort, const char *name)
{
    void *handle = NULL;
    CHECK_ROW(sort->name, IST_OK, sort->create(&handle, name, NULL));
    return handle;
}

/* M11 */
TEST(an_unnamed_object_of_any_kind_reaches_another_process_by_token)
{
    for (size_t k = 0; k < KINDS; k++) {
        char token[IST_TOKEN_SIZE];
        peer *other = sync_start();
        void *handle = make(&kinds[k], NULL);
        CHECK_OK(kinds[k].export(handle, peer_id(other), IST_WRITE, token));
        PEER_ASK(other, "IST_OK", "import %s %s", kinds[k].name, peer_word(token));
        PEER_ASK(other, k == KIND_MUTEX ? "IST_OK" : "IST_TIMEOUT", "wait 0");
        kinds[k].close(handle);
        PEER_ASK(other, k == KIND_MUTEX ? "IST_OK" : "IST_TIMEOUT", "wait 0");
        peer_end(other);
    }
}

/* M11 X1 */
TEST(both_sides_of_a_token_see_one_mutex)
{
    char token[IST_TOKEN_SIZE];
    peer *other = sync_start_patient();
    ist_mutex *mutex = make(&kinds[KIND_MUTEX], NULL);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_export(mutex, peer_id(other), IST_WRITE, token));
    PEER_ASK(other, "IST_OK", "import mutex %s", peer_word(token));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    sync_block(other);
    CHECK_OK(ist_mutex_release(mutex));
    SYNC_HEAR(other, "IST_OK");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    peer_kill(other);
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, 0));
    peer_forget(other);
    ist_mutex_close(mutex);
}

/* M11 S2 */
TEST(both_sides_of_a_token_see_one_semaphore)
{
    char token[IST_TOKEN_SIZE];
    uint32_t previous = 0;
    peer *other = sync_start_patient();
    ist_semaphore *semaphore = make(&kinds[KIND_SEMAPHORE], NULL);
    CHECK_OK(ist_semaphore_export(semaphore, peer_id(other), IST_WRITE, token));
    PEER_ASK(other, "IST_OK", "import semaphore %s", peer_word(token));
    sync_block(other);
    CHECK_OK(ist_semaphore_release(semaphore, 1, NULL));
    SYNC_HEAR(other, "IST_OK");
    PEER_ASK(other, "IST_OK 0", "release 4");
    CHECK_OK(ist_semaphore_release(semaphore, 1, &previous));
    assert_int_equal(previous, 4);
    ist_semaphore_close(semaphore);
    PEER_ASK(other, "IST_OK 5 2147483647", "query");
    peer_end(other);
}

/* M11 E1 */
TEST(both_sides_of_a_token_see_one_event)
{
    char token[IST_TOKEN_SIZE];
    peer *other = sync_start_patient();
    ist_event *event = make(&kinds[KIND_EVENT], NULL);
    CHECK_OK(ist_event_export(event, peer_id(other), IST_WRITE, token));
    PEER_ASK(other, "IST_OK", "import event %s", peer_word(token));
    sync_block(other);
    CHECK_OK(ist_event_set(event));
    SYNC_HEAR(other, "IST_OK");
    PEER_ASK(other, "IST_OK", "set");
    CHECK_OK(ist_wait(ist_event_waitable(event), 0));
    ist_event_close(event);
    peer_end(other);
}

/* M11 */
TEST(a_token_serves_once_and_only_its_target)
{
    for (size_t k = 0; k < KINDS; k++) {
        char token[IST_TOKEN_SIZE];
        void *stolen = &stolen;
        peer *other = sync_start();
        peer *thief = sync_start();
        void *handle = make(&kinds[k], NULL);
        CHECK_OK(kinds[k].export(handle, peer_id(other), IST_WRITE, token));
        PEER_ASK(thief, "IST_E_ARG", "import %s %s", kinds[k].name, peer_word(token));
        CHECK_STATUS(IST_E_ARG, kinds[k].import(&stolen, token));
        assert_null(stolen);
        PEER_ASK(other, "IST_OK", "import %s %s", kinds[k].name, peer_word(token));
        PEER_ASK(other, "ok", "slot 1");
        PEER_ASK(other, "IST_E_ARG", "import %s %s", kinds[k].name, peer_word(token));
        PEER_ASK(other, "ok", "slot 0");
        PEER_ASK(other, "ok", "close");
        PEER_ASK(other, "IST_E_ARG", "import %s %s", kinds[k].name, peer_word(token));
        kinds[k].close(handle);
        PEER_ASK(other, "IST_E_ARG", "import %s %s", kinds[k].name, peer_word(token));
        peer_end(other);
        peer_end(thief);
    }
}

/* M11 N4: a fresh token for each, since it is not promised that a refused one is still good */
TEST(a_token_of_another_kind_is_of_the_wrong_kind)
{
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = make(&kinds[k], NULL);
        for (size_t i = 0; i <= KINDS; i++) {
            char token[IST_TOKEN_SIZE];
            void *wrong = &wrong;
            ist_mapping *mapping = NULL;
            if (i == k)
                continue;
            CHECK_OK(kinds[k].export(handle, ist_process_id(), IST_WRITE, token));
            if (i == KINDS) {
                CHECK_STATUS(IST_E_KIND, ist_mapping_import(&mapping, token));
                assert_null(mapping);
            } else {
                CHECK_ROW(kinds[i].name, IST_E_KIND, kinds[i].import(&wrong, token));
                assert_null(wrong);
            }
        }
        kinds[k].close(handle);
    }
}

/* M11 N4 */
TEST(a_token_of_a_mapping_is_of_the_wrong_kind)
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_create(&mapping, NULL, 4096, NULL));
    for (size_t k = 0; k < KINDS; k++) {
        char token[IST_TOKEN_SIZE];
        void *wrong = &wrong;
        CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_WRITE, token));
        CHECK_ROW(kinds[k].name, IST_E_KIND, kinds[k].import(&wrong, token));
        assert_null(wrong);
    }
    ist_mapping_close(mapping);
}

/* M11 */
TEST(a_token_is_a_printable_word)
{
    for (size_t k = 0; k < KINDS; k++) {
        char token[IST_TOKEN_SIZE];
        void *again = NULL;
        void *handle = make(&kinds[k], NULL);
        memset(token, 0x7F, sizeof token);
        CHECK_OK(kinds[k].export(handle, ist_process_id(), IST_WRITE, token));
        assert_non_null(memchr(token, '\0', sizeof token));
        assert_true(strlen(token) > 0);
        for (const char *at = token; *at != '\0'; at++)
            assert_in_range(*at, 0x21, 0x7E);
        CHECK_OK(kinds[k].import(&again, token));
        kinds[k].close(handle);
        kinds[k].close(again);
    }
}

/* M11 A1 */
TEST(a_token_gives_no_more_than_it_was_made_with)
{
    static const char *const changes[KINDS][2] = {{"release", "IST_E_ACCESS"},
                                                  {"release 1", "IST_E_ACCESS 0"},
                                                  {"set", "IST_E_ACCESS"},
                                                  {"due 0", "IST_E_ACCESS"}};
    for (size_t k = 0; k < KINDS; k++) {
        char token[IST_TOKEN_SIZE];
        char answer[PEER_LINE_SIZE];
        void *back = NULL;
        peer *other = sync_start();
        void *handle = make(&kinds[k], NULL);
        CHECK_OK(kinds[k].export(handle, peer_id(other), IST_READ, token));
        PEER_ASK(other, "IST_OK", "import %s %s", kinds[k].name, peer_word(token));
        PEER_ASK(other, changes[k][1], "%s", changes[k][0]);
        PEER_ASK(other, "IST_E_ACCESS", "wait 0");
        PEER_ASK(other, "IST_E_ACCESS ", "export %llu write", (unsigned long long)ist_process_id());
        peer_query(other, answer, "export %llu read", (unsigned long long)ist_process_id());
        assert_memory_equal(answer, "IST_OK ", 7);
        CHECK_OK(kinds[k].import(&back, answer + 7));
        CHECK_STATUS(IST_E_ACCESS, ist_wait(kinds[k].waitable(back), 0));
        kinds[k].close(back);
        kinds[k].close(handle);
        peer_end(other);
    }
}

/* M11 A1 */
TEST(a_handle_for_reading_makes_no_token_for_writing)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        char token[IST_TOKEN_SIZE] = "x";
        void *reader = NULL;
        unique_name(name, "", "export");
        void *handle = make(&kinds[k], name);
        CHECK_OK(kinds[k].open(&reader, name, IST_READ));
        CHECK_STATUS(IST_E_ACCESS, kinds[k].export(reader, ist_process_id(), IST_WRITE, token));
        assert_string_equal(token, "");
        CHECK_OK(kinds[k].export(reader, ist_process_id(), IST_READ, token));
        kinds[k].close(reader);
        kinds[k].close(handle);
    }
}

/* M11 L1 */
TEST(a_token_of_a_named_object_holds_the_name_until_it_is_imported_and_let_go)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        char token[IST_TOKEN_SIZE];
        void *handle = NULL;
        unique_name(name, "", "export");
        peer *other = sync_start();
        handle = make(&kinds[k], name);
        CHECK_OK(kinds[k].export(handle, peer_id(other), IST_WRITE, token));
        kinds[k].close(handle);
        CHECK_OK(kinds[k].open(&handle, name, IST_READ));
        kinds[k].close(handle);
        PEER_ASK(other, "IST_OK", "import %s %s", kinds[k].name, peer_word(token));
        CHECK_STATUS(IST_EXISTED, kinds[k].create(&handle, name, NULL));
        kinds[k].close(handle);
        PEER_ASK(other, "ok", "close");
        CHECK_STATUS(IST_E_NOT_FOUND, kinds[k].open(&handle, name, IST_READ));
        peer_end(other);
    }
}

/* M11 L1 */
TEST(a_token_that_nobody_imports_dies_with_its_target)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        char token[IST_TOKEN_SIZE];
        void *handle = NULL;
        unique_name(name, "", "export");
        peer *other = sync_start();
        handle = make(&kinds[k], name);
        CHECK_OK(kinds[k].export(handle, peer_id(other), IST_WRITE, token));
        kinds[k].close(handle);
        peer_kill(other);
        CHECK_STATUS(IST_E_NOT_FOUND, kinds[k].open(&handle, name, IST_READ));
        peer_forget(other);
    }
}

/* M11 */
TEST(what_is_no_token_or_makes_none_is_refused)
{
    static const char *const texts[] = {"", "x", "0", "isthmus", "1.2.3.4", "../../x", "\xFF"};
    static const ist_access accesses[] = {0, IST_READ | IST_WRITE, IST_COPY, IST_READ | IST_TRUST_EVERYONE, UINT32_MAX};
    for (size_t k = 0; k < KINDS; k++) {
        char token[IST_TOKEN_SIZE];
        void *handle = make(&kinds[k], NULL);
        void *wrong = &wrong;
        for (size_t i = 0; i < COUNT_OF(texts); i++)
            CHECK_ROW(texts[i], IST_E_ARG, kinds[k].import(&wrong, texts[i]));
        assert_null(wrong);
        for (size_t i = 0; i < COUNT_OF(accesses); i++) {
            token[0] = 'x';
            CHECK_STATUS(IST_E_ARG, kinds[k].export(handle, ist_process_id(), accesses[i], token));
            assert_string_equal(token, "");
        }
        CHECK_STATUS(IST_E_ARG, kinds[k].export(handle, 0, IST_READ, token));
        CHECK_STATUS(IST_E_ARG, kinds[k].export(handle, UINT64_MAX, IST_READ, token));
        CHECK_STATUS(IST_E_ARG, kinds[k].export(handle, ist_process_id(), IST_READ, NULL));
        CHECK_STATUS(IST_E_ARG, kinds[k].export(NULL, ist_process_id(), IST_READ, token));
        CHECK_STATUS(IST_E_ARG, kinds[k].import(NULL, "x"));
        CHECK_STATUS(IST_E_ARG, kinds[k].import(&wrong, NULL));
        kinds[k].close(handle);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_unnamed_object_of_any_kind_reaches_another_process_by_token),
        RUN(both_sides_of_a_token_see_one_mutex),
        RUN(both_sides_of_a_token_see_one_semaphore),
        RUN(both_sides_of_a_token_see_one_event),
        RUN(a_token_serves_once_and_only_its_target),
        RUN(a_token_of_another_kind_is_of_the_wrong_kind),
        RUN(a_token_of_a_mapping_is_of_the_wrong_kind),
        RUN(a_token_is_a_printable_word),
        RUN(a_token_gives_no_more_than_it_was_made_with),
        RUN(a_handle_for_reading_makes_no_token_for_writing),
        RUN(a_token_of_a_named_object_holds_the_name_until_it_is_imported_and_let_go),
        RUN(a_token_that_nobody_imports_dies_with_its_target),
        RUN(what_is_no_token_or_makes_none_is_refused),
    };
    return cmocka_run_group_tests_name("object_export", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
