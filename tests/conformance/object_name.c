/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of mutexes, semaphores, events and timers, and that mappings share them: N1, N2, N4 to N9.
 */
#include "support/host.h"
#include "support/kind.h"
#include "support/sync.h"

/* The kinds of the table, and mappings behind them. */
#define ALL_KINDS (KINDS + 1)

static const char *kind_name(size_t number)
{
    return number < KINDS ? kinds[number].name : "mapping";
}

static ist_status any_create(size_t number, void **out, const char *name)
{
    ist_mapping *made = *out;
    if (number < KINDS)
        return kinds[number].create(out, name, NULL);
    ist_status status = ist_mapping_create(&made, name, 4096, NULL);
    *out = made;
    return status;
}

static ist_status any_open(size_t number, void **out, const char *name, ist_access access)
{
    ist_mapping *made = *out;
    if (number < KINDS)
        return kinds[number].open(out, name, access);
    ist_status status = ist_mapping_open(&made, name, access);
    *out = made;
    return status;
}

static void any_close(size_t number, void *handle)
{
    if (number < KINDS)
        kinds[number].close(handle);
    else
        ist_mapping_close(handle);
}

/* ---- the names ---- */

/* N1 N2 */
TEST(what_is_no_name_is_no_name_for_every_kind)
{
    static const char *const names[] = {
        "",         "a\\b", "Session\\1\\x", "Local\\", "Global\\", "Global",       "Local",         "Session",
        "local\\x", "\\x",  "x\\",           "\xFF",    "\xC3",     "\xED\xA0\x80", "Local\\Global", "Local\\Local\\x"};
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            void *handle = &handle;
            CHECK_ROW(names[i], IST_E_NAME, kinds[k].create(&handle, names[i], NULL));
            assert_null(handle);
            handle = &handle;
            CHECK_ROW(names[i], IST_E_NAME, kinds[k].open(&handle, names[i], IST_WRITE));
            assert_null(handle);
        }
    }
}

static void check_found(peer *other, size_t k, const char *here, const char *there)
{
    void *handle = NULL;
    CHECK_ROW(here, IST_OK, kinds[k].create(&handle, here, NULL));
    PEER_ASK(other, "IST_OK", "open %s %s write", kinds[k].name, peer_word(there));
    kinds[k].close(handle);
    PEER_ASK(other, "ok", "close");
    CHECK_ROW(there, IST_E_NOT_FOUND, kinds[k].open(&handle, there, IST_READ));
}

/* N1 N2 */
TEST(every_legal_name_is_an_object_of_every_kind_that_another_process_finds)
{
    static const char *const words[] = {".x", "x/y", "*?:|<>\"", "x y", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8C\x8D",
                                        "x.", "%41", "~",        "\x01"};
    peer *other = sync_start();
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < COUNT_OF(words); i++) {
            char name[NAME_SIZE];
            unique_name(name, "", words[i]);
            check_found(other, k, name, name);
        }
        char longest[NAME_SIZE];
        unique_name(longest, "", "LONG");
        memset(longest + strlen(longest), 'X', NAME_SIZE - strlen(longest));
        longest[IST_NAME_MAX] = '\0';
        check_found(other, k, longest, longest);
    }
    peer_end(other);
}

/* N2 N7 */
TEST(no_prefix_means_local_for_every_kind)
{
    peer *other = sync_start();
    for (size_t k = 0; k < KINDS; k++) {
        char bare[NAME_SIZE];
        char local[NAME_SIZE];
        unique_name(bare, "", "bare");
        (void)snprintf(local, sizeof local, "Local\\%.200s", bare);
        check_found(other, k, bare, local);
        check_found(other, k, local, bare);
    }
    peer_end(other);
}

/* N7 */
TEST(local_and_global_objects_of_every_kind_never_meet)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    peer *other = sync_start();
    for (size_t k = 0; k < KINDS; k++) {
        char bare[NAME_SIZE];
        char global[NAME_SIZE];
        void *handle = NULL;
        void *second = NULL;
        unique_name(bare, "", "scope");
        (void)snprintf(global, sizeof global, "Global\\%.200s", bare);
        ist_status status = kinds[k].create(&handle, global, NULL);
        if (status == IST_E_ACCESS)
            SKIP(local_and_global_objects_of_every_kind_never_meet, "this user may not create Global\\ objects");
        CHECK_OK(status);
        PEER_ASK(other, "IST_OK", "open %s %s write", kinds[k].name, global);
        PEER_ASK(other, "ok", "close");
        if (traits.one_scope)
            SKIP(local_and_global_objects_of_every_kind_never_meet, "in this session Local\\ and Global\\ are one");
        CHECK_ROW(kinds[k].name, IST_E_NOT_FOUND, kinds[k].open(&second, bare, IST_READ));
        CHECK_ROW(kinds[k].name, IST_OK, kinds[k].create(&second, bare, NULL));
        kinds[k].close(handle);
        CHECK_ROW(kinds[k].name, IST_E_NOT_FOUND, kinds[k].open(&handle, global, IST_READ));
        PEER_ASK(other, "IST_OK", "open %s %s write", kinds[k].name, bare);
        kinds[k].close(second);
        PEER_ASK(other, "ok", "close");
    }
    peer_end(other);
}

/* N1: two objects without a name are two objects */
TEST(objects_without_a_name_have_nothing_in_common)
{
    ist_event *one = NULL;
    ist_event *two = NULL;
    ist_event_state state = IST_EVENT_STATE_INIT;
    CHECK_OK(ist_event_create(&one, NULL, NULL));
    CHECK_OK(ist_event_create(&two, NULL, NULL));
    CHECK_OK(ist_event_set(one));
    CHECK_OK(ist_event_query(two, &state));
    assert_int_equal(state.set, 0);
    ist_event_close(one);
    ist_event_close(two);
}

/* ---- names that are taken ---- */

/* Whoever has the other kind finds neither a way in nor a change in what is there. */
static void check_other_kind(peer *other, const char *name, size_t held, size_t asked)
{
    void *handle = &handle;
    char row[64];
    (void)snprintf(row, sizeof row, "a %s asked for as a %s", kind_name(held), kind_name(asked));
    CHECK_ROW(row, IST_E_KIND, any_create(asked, &handle, name));
    assert_null(handle);
    handle = &handle;
    CHECK_ROW(row, IST_E_KIND, any_open(asked, &handle, name, IST_READ));
    assert_null(handle);
    CHECK_ROW(row, IST_E_KIND, any_open(asked, &handle, name, IST_WRITE));
    PEER_ASK(other, "IST_E_KIND", "create %s %s", kind_name(asked), name);
    PEER_ASK(other, "IST_E_KIND", "open %s %s write", kind_name(asked), name);
    PEER_ASK(other, "IST_E_KIND", "open %s %s read", kind_name(asked), name);
}

/* N4: each kind against each other, held here and held there */
TEST(a_name_that_another_kind_holds_is_of_the_wrong_kind)
{
    peer *holder = sync_start();
    peer *other = sync_start();
    for (size_t held = 0; held < ALL_KINDS; held++) {
        for (size_t asked = 0; asked < ALL_KINDS; asked++) {
            char name[NAME_SIZE];
            void *handle = NULL;
            if (held == asked)
                continue;
            unique_name(name, "", "kind");
            PEER_ASK(holder, "IST_OK", "create %s %s", kind_name(held), name);
            check_other_kind(other, name, held, asked);
            CHECK_ROW(kind_name(held), IST_EXISTED, any_create(held, &handle, name));
            PEER_ASK(holder, "ok", "close");
            check_other_kind(other, name, held, asked);
            any_close(held, handle);
            CHECK_ROW(kind_name(asked), IST_E_NOT_FOUND, any_open(asked, &handle, name, IST_READ));
            CHECK_ROW(kind_name(asked), IST_OK, any_create(asked, &handle, name));
            check_other_kind(other, name, asked, held);
            any_close(asked, handle);
        }
    }
    peer_end(holder);
    peer_end(other);
}

/* N4: neither its count nor its state nor its owner changes */
TEST(who_asks_for_another_kind_leaves_the_holder_as_it_is)
{
    static const char *const makings[] = {"create mutex %s owned", "create semaphore %s initial=3 maximum=5",
                                          "create event %s manual set"};
    static const char *const states[] = {"IST_OK 1 1 0", "IST_OK 3 5", "IST_OK 1 1"};
    peer *holder = sync_start();
    for (size_t held = 0; held < COUNT_OF(makings); held++) {
        char name[NAME_SIZE];
        char line[PEER_LINE_SIZE];
        unique_name(name, "", "kind");
        (void)snprintf(line, sizeof line, "%.*s%s%s", (int)(strchr(makings[held], '%') - makings[held]), makings[held],
                       name, strchr(makings[held], '%') + 2);
        PEER_ASK(holder, "IST_OK", "%s", line);
        for (size_t asked = 0; asked < ALL_KINDS; asked++) {
            void *handle = NULL;
            if (asked == held)
                continue;
            CHECK_ROW(kind_name(asked), IST_E_KIND, any_create(asked, &handle, name));
            CHECK_ROW(kind_name(asked), IST_E_KIND, any_open(asked, &handle, name, IST_WRITE));
            PEER_ASK(holder, states[held], "query");
        }
        PEER_ASK(holder, "ok", "close");
    }
    peer_end(holder);
}

/* N5 */
TEST(creating_a_name_of_the_same_kind_is_another_handle_for_everything)
{
    peer *other = sync_start();
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        void *handle = NULL;
        char token[IST_TOKEN_SIZE];
        unique_name(name, "", "again");
        PEER_ASK(other, "IST_OK", "create %s %s", kinds[k].name, name);
        CHECK_ROW(kinds[k].name, IST_EXISTED, kinds[k].create(&handle, name, NULL));
        CHECK_ROW(kinds[k].name, IST_OK, kinds[k].export(handle, ist_process_id(), IST_WRITE, token));
        PEER_ASK(other, "ok", "close");
        PEER_ASK(other, "IST_EXISTED", "create %s %s", kinds[k].name, name);
        kinds[k].close(handle);
        PEER_ASK(other, "ok", "close");
    }
    peer_end(other);
}

/* N6 */
TEST(opening_a_name_that_nobody_holds_is_not_found_for_every_kind)
{
    static const char *const prefixes[] = {"", "Local\\", "Global\\"};
    static const ist_access accesses[] = {IST_READ, IST_WRITE, IST_READ | IST_TRUST_EVERYONE,
                                          IST_WRITE | IST_TRUST_EVERYONE};
    for (size_t i = 0; i < KINDS * COUNT_OF(prefixes) * COUNT_OF(accesses); i++) {
        const kind *sort = &kinds[i % KINDS];
        char name[NAME_SIZE];
        void *handle = &handle;
        unique_name(name, prefixes[i / KINDS % COUNT_OF(prefixes)], "nobody");
        CHECK_ROW(name, IST_E_NOT_FOUND, sort->open(&handle, name, accesses[i / KINDS / COUNT_OF(prefixes)]));
        assert_null(handle);
    }
}

/* ---- which fault is told first ---- */

/* N9 */
TEST(an_argument_is_told_before_a_name_and_a_name_before_what_is_not_there)
{
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = NULL;
        kind_options options;
        kinds[k].init(&options);
        kinds[k].admit(&options, IST_AUDIENCE_OWNER, 1);
        CHECK_ROW(kinds[k].name, IST_E_ARG, kinds[k].create(&handle, "a\\b", &options));
        CHECK_ROW(kinds[k].name, IST_E_ARG, kinds[k].create(NULL, "a\\b", NULL));
        CHECK_ROW(kinds[k].name, IST_E_ARG, kinds[k].open(&handle, "", 0));
        CHECK_ROW(kinds[k].name, IST_E_ARG, kinds[k].open(NULL, "", IST_READ));
        CHECK_ROW(kinds[k].name, IST_E_NAME, kinds[k].open(&handle, "no\\body", IST_READ));
    }
}

/* N9 N5: what is asked for is wrong whether the name is free, taken, or another kind's */
TEST(an_argument_is_told_before_a_kind)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "order");
    CHECK_OK(ist_mapping_create(&mapping, name, 4096, NULL));
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = NULL;
        kind_options options;
        kinds[k].init(&options);
        kinds[k].admit(&options, IST_AUDIENCE_OWNER, 1);
        CHECK_ROW(kinds[k].name, IST_E_ARG, kinds[k].create(&handle, name, &options));
        CHECK_ROW(kinds[k].name, IST_E_ARG, kinds[k].open(&handle, name, IST_READ | IST_WRITE));
        CHECK_ROW(kinds[k].name, IST_E_KIND, kinds[k].create(&handle, name, NULL));
    }
    ist_mapping_close(mapping);
}

/* ---- at once ---- */

/* Has each of a crowd do its line, and counts who answered IST_OK; the others must have found it there. */
static size_t count_makers(peer *const *crowd, size_t count, const char *line)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++)
        peer_say(crowd[i], "%s", line);
    for (size_t i = 0; i < count; i++)
        made += sync_hears(crowd[i], "IST_OK", "IST_EXISTED");
    return made;
}

/* N8 X4: and exactly one owns it */
TEST(of_many_who_create_an_owned_mutex_at_once_one_makes_it_and_owns_it)
{
    enum { CROWD = 24 };
    peer *crowd[CROWD];
    size_t count = crowd_size(CROWD);
    for (size_t i = 0; i < count; i++)
        crowd[i] = sync_start();
    for (int round = 0; round < 10; round++) {
        char name[NAME_SIZE];
        char line[PEER_LINE_SIZE];
        size_t owners = 0;
        unique_name(name, "", "race");
        (void)snprintf(line, sizeof line, "create mutex %s owned", name);
        assert_int_equal(count_makers(crowd, count, line), 1);
        for (size_t i = 0; i < count; i++) {
            peer_say(crowd[i], "release");
            owners += sync_hears(crowd[i], "IST_OK", "IST_E_NOT_OWNER");
        }
        assert_int_equal(owners, 1);
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "ok", "close");
    }
    for (size_t i = 0; i < count; i++)
        peer_end(crowd[i]);
}

/* N8: nobody sees one without its count and maximum */
TEST(of_many_who_create_a_semaphore_at_once_all_get_a_whole_one)
{
    enum { CROWD = 24 };
    peer *crowd[CROWD];
    size_t count = crowd_size(CROWD);
    for (size_t i = 0; i < count; i++)
        crowd[i] = sync_start();
    for (int round = 0; round < 10; round++) {
        char name[NAME_SIZE];
        char line[PEER_LINE_SIZE];
        unique_name(name, "", "race");
        (void)snprintf(line, sizeof line, "create semaphore %s initial=3 maximum=9", name);
        assert_int_equal(count_makers(crowd, count, line), 1);
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "IST_OK 3 9", "query");
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "ok", "close");
    }
    for (size_t i = 0; i < count; i++)
        peer_end(crowd[i]);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_is_no_name_is_no_name_for_every_kind),
        RUN(every_legal_name_is_an_object_of_every_kind_that_another_process_finds),
        RUN(no_prefix_means_local_for_every_kind),
        RUN(local_and_global_objects_of_every_kind_never_meet),
        RUN(objects_without_a_name_have_nothing_in_common),
        RUN(a_name_that_another_kind_holds_is_of_the_wrong_kind),
        RUN(who_asks_for_another_kind_leaves_the_holder_as_it_is),
        RUN(creating_a_name_of_the_same_kind_is_another_handle_for_everything),
        RUN(opening_a_name_that_nobody_holds_is_not_found_for_every_kind),
        RUN(an_argument_is_told_before_a_name_and_a_name_before_what_is_not_there),
        RUN(an_argument_is_told_before_a_kind),
        RUN(of_many_who_create_an_owned_mutex_at_once_one_makes_it_and_owns_it),
        RUN(of_many_who_create_a_semaphore_at_once_all_get_a_whole_one),
    };
    return cmocka_run_group_tests_name("object_name", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
