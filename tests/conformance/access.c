/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Who may come in, as far as one user can see it: A1, M5, N5. What another user sees is in tests/process.
 */
#include "support/peer.h"

static const ist_audience audiences[] = {IST_AUDIENCE_OWNER, IST_AUDIENCE_GROUP_READ, IST_AUDIENCE_GROUP_WRITE,
                                         IST_AUDIENCE_EVERYONE_READ, IST_AUDIENCE_EVERYONE_WRITE};

/* The creator's user has everything, in another process too, whoever else is admitted. */
static void check_owner_has_all(peer *other, const char *name)
{
    PEER_ASK(other, "IST_OK", "open %s write", peer_word(name));
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(other, "ok", "poke 0 1");
    PEER_ASK(other, "ok", "unmap");
    PEER_ASK(other, "ok", "close");
    PEER_ASK(other, "IST_OK", "open %s read", peer_word(name));
    PEER_ASK(other, "IST_OK 4096", "view read 0 4096");
    PEER_ASK(other, "1", "peek 0");
    PEER_ASK(other, "ok", "unmap");
    PEER_ASK(other, "ok", "close");
    PEER_ASK(other, "IST_EXISTED", "create %s 4096", peer_word(name));
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(other, "ok", "unmap");
    PEER_ASK(other, "ok", "close");
}

/* A1 */
TEST(an_audience_takes_nothing_from_the_owner)
{
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        char name[NAME_SIZE];
        ist_mapping *mapping = NULL;
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.audience = audiences[i];
        unique_name(name, "", "audience");
        CHECK_OK(ist_mapping_create(&mapping, name, 4096, &options));
        check_owner_has_all(other, name);
        ist_mapping_close(mapping);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    }
    peer_end(other);
}

/* A1 N7 */
TEST(an_audience_of_a_global_object_takes_nothing_from_the_owner)
{
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        char name[NAME_SIZE];
        ist_mapping *mapping = NULL;
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.audience = audiences[i];
        unique_name(name, "Global\\", "audience");
        ist_status status = ist_mapping_create(&mapping, name, 4096, &options);
        if (status == IST_E_ACCESS)
            SKIP(an_audience_of_a_global_object_takes_nothing_from_the_owner,
                 "this user may not create Global\\ objects");
        CHECK_OK(status);
        check_owner_has_all(other, name);
        ist_mapping_close(mapping);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    }
    peer_end(other);
}

/* A1 L1 */
TEST(an_object_with_an_audience_dies_with_a_killed_process)
{
    static const char *const prefixes[] = {"Local\\", "Global\\"};
    for (size_t i = 0; i < COUNT_OF(audiences) * COUNT_OF(prefixes); i++) {
        char name[NAME_SIZE];
        char answer[PEER_LINE_SIZE];
        ist_mapping *mapping = NULL;
        unique_name(name, prefixes[i % 2], "audience");
        peer *other = peer_start_holder();
        peer_query(other, answer, "create %s 4096 audience=%d", peer_word(name), (int)audiences[i / 2]);
        if (strcmp(answer, "IST_E_ACCESS") == 0 && i % 2 == 1) {
            peer_end(other);
            continue;
        }
        assert_string_equal(answer, "IST_OK");
        CHECK_OK(ist_mapping_open(&mapping, name, IST_WRITE));
        ist_mapping_close(mapping);
        peer_kill(other);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
        CHECK_OK(ist_mapping_create(&mapping, name, 4096, NULL));
        ist_mapping_close(mapping);
        peer_forget(other);
    }
}

/* N5 A1 */
TEST(an_audience_asked_for_an_existing_object_is_ignored)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "audience");
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 4096", name);
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.audience = audiences[i];
        CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, 4096, &options));
        ist_mapping_close(mapping);
    }
    peer_end(other);
}

/* A1 */
TEST(an_unnamed_object_may_have_an_audience)
{
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        ist_mapping *mapping = NULL;
        ist_view view = IST_VIEW_INIT;
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.audience = audiences[i];
        CHECK_OK(ist_mapping_create(&mapping, NULL, 4096, &options));
        CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
        ist_view_unmap(&view);
        ist_mapping_close(mapping);
    }
}

/* A2 */
TEST(trusting_everyone_finds_what_trusting_the_owner_finds)
{
    static const char *const accesses[] = {"read", "write", "+read", "+write"};
    static const char *const prefixes[] = {"Local\\", "Global\\"};
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        char name[NAME_SIZE];
        ist_mapping *mapping = NULL;
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.trust = IST_TRUST_EVERYONE;
        unique_name(name, prefixes[i], "trust");
        ist_status status = ist_mapping_create(&mapping, name, 4096, &options);
        if (status == IST_E_ACCESS && i == 1)
            break;
        CHECK_OK(status);
        for (size_t j = 0; j < COUNT_OF(accesses); j++) {
            PEER_ASK(other, "IST_OK", "open %s %s", peer_word(name), accesses[j]);
            PEER_ASK(other, j % 2 == 0 ? "IST_E_ACCESS 0" : "IST_OK 4096", "view write 0 4096");
            PEER_ASK(other, "ok", "unmap");
            PEER_ASK(other, "ok", "close");
        }
        PEER_ASK(other, "IST_EXISTED", "create %s 4096 trust", peer_word(name));
        PEER_ASK(other, "ok", "close");
        ist_mapping_close(mapping);
    }
    peer_end(other);
}

/* M5 N5: a create gives everything, also where the name is taken */
TEST(creating_a_taken_name_gives_a_handle_for_writing)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "access");
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 4096", name);
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, 4096, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 4096, &view));
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    peer_end(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_audience_takes_nothing_from_the_owner),
        RUN(an_audience_of_a_global_object_takes_nothing_from_the_owner),
        RUN(an_object_with_an_audience_dies_with_a_killed_process),
        RUN(an_audience_asked_for_an_existing_object_is_ignored),
        RUN(an_unnamed_object_may_have_an_audience),
        RUN(trusting_everyone_finds_what_trusting_the_owner_finds),
        RUN(creating_a_taken_name_gives_a_handle_for_writing),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
