/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the system says of itself, and that no more is written than the caller knows.
 */
#include "support/peer.h"

TEST(the_traits_say_which_backend_this_is)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    assert_non_null(traits.backend);
    assert_true(strcmp(traits.backend, "posix") == 0 || strcmp(traits.backend, "win32") == 0);
    assert_int_equal(traits.struct_size, sizeof traits);
    assert_true(traits.has_fork <= 1);
    assert_true(traits.stop_exact <= 1);
    assert_true(traits.one_scope <= 1);
    assert_true(traits.token_holds <= 1);
    assert_int_equal(traits.has_fork, strcmp(traits.backend, "posix") == 0);
}

/* M4 */
TEST(the_granularity_is_the_same_everywhere)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    assert_int_equal(traits.granularity, 65536);
    assert_int_equal(traits.granularity, IST_GRANULARITY);
}

/* M2 */
TEST(the_page_size_is_a_power_of_two_that_divides_the_granularity)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    assert_true(ist_page_size() == traits.page_size);
    assert_true(ist_page_size() >= 512);
    assert_true((ist_page_size() & (ist_page_size() - 1)) == 0);
    assert_true(IST_GRANULARITY % ist_page_size() == 0);
}

TEST(no_more_traits_are_written_than_the_caller_knows)
{
    ist_traits whole = IST_TRAITS_INIT;
    ist_traits_get(&whole);
    for (uint32_t size = (uint32_t)sizeof whole.struct_size; size <= sizeof whole; size++) {
        ist_traits part;
        memset(&part, 0xA5, sizeof part);
        part.struct_size = size;
        ist_traits_get(&part);
        assert_int_equal(part.struct_size, size);
        for (size_t i = size; i < sizeof part; i++)
            assert_int_equal(((unsigned char *)&part)[i], 0xA5);
        assert_memory_equal((char *)&part + sizeof size, (char *)&whole + sizeof size, size - sizeof size);
    }
}

TEST(a_caller_who_knows_nothing_gets_nothing)
{
    ist_traits traits;
    for (uint32_t size = 0; size < sizeof traits.struct_size; size++) {
        memset(&traits, 0xA5, sizeof traits);
        traits.struct_size = size;
        ist_traits_get(&traits);
        for (size_t i = sizeof size; i < sizeof traits; i++)
            assert_int_equal(((unsigned char *)&traits)[i], 0xA5);
    }
    ist_traits_get(NULL);
}

TEST(a_caller_who_knows_more_gets_all_there_is)
{
    struct {
        ist_traits known;
        unsigned char later[64];
    } newer;
    ist_traits whole = IST_TRAITS_INIT;
    ist_traits_get(&whole);
    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = (uint32_t)sizeof newer;
    ist_traits_get(&newer.known);
    assert_string_equal(newer.known.backend, whole.backend);
    assert_int_equal(newer.known.token_holds, whole.token_holds);
}

TEST(every_process_has_an_id_of_its_own)
{
    peer *other = peer_start_holder();
    char text[32];
    assert_true(ist_process_id() != 0);
    assert_true(peer_id(other) != ist_process_id());
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)peer_id(other));
    PEER_ASK(other, text, "pid");
    peer_end(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_traits_say_which_backend_this_is),
        RUN(the_granularity_is_the_same_everywhere),
        RUN(the_page_size_is_a_power_of_two_that_divides_the_granularity),
        RUN(no_more_traits_are_written_than_the_caller_knows),
        RUN(a_caller_who_knows_nothing_gets_nothing),
        RUN(a_caller_who_knows_more_gets_all_there_is),
        RUN(every_process_has_an_id_of_its_own),
    };
    return cmocka_run_group_tests_name("traits", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
