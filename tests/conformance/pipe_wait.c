/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waiting for pipes, alone and among mutexes, events, semaphores and timers. A wait takes nothing.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/pipe_peer.h"
#include "support/waiter.h"

static void check_signalled(ist_pipe *pipe, bool signalled)
{
    for (int i = 0; i < 3; i++) {
        const ist_waitable *item = ist_pipe_waitable(pipe);
        CHECK_STATUS(signalled ? IST_OK : IST_TIMEOUT, ist_wait(item, 0));
        CHECK_STATUS(signalled ? IST_OK : IST_TIMEOUT, ist_wait_any(&item, 1, 0, NULL));
    }
}

static ist_status wait_long(ist_pipe *pipe)
{
    return ist_wait(ist_pipe_waitable(pipe), pipe_bound_ns());
}

TEST(an_end_is_signalled_while_something_can_be_read)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        check_signalled(ends.server, false);
        PEER_ASK(client, "IST_TIMEOUT", "wait 0");
        PEER_ASK(client, "IST_OK 3", "write abc 0");
        check_signalled(ends.server, true);
        PIPE_GET_PART(ends.server, 2, type == IST_PIPE_MESSAGE ? IST_MORE : IST_OK, "ab");
        check_signalled(ends.server, true);
        PIPE_GET(ends.server, "c");
        check_signalled(ends.server, false);
        PIPE_PUT(ends.server, "x");
        PEER_ASK(client, "IST_OK", "wait 0");
        PEER_ASK(client, "IST_OK", "wait forever");
        PEER_ASK(client, "IST_OK 1 x", "read 10 0");
        PEER_ASK(client, "IST_TIMEOUT", "wait 0");
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P5 */
TEST(a_message_of_nothing_can_be_read)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 0", "write - 0");
    check_signalled(ends.server, true);
    PIPE_GET(ends.server, "");
    check_signalled(ends.server, false);
    pipe_begin(client, "wait forever");
    PIPE_PUT(ends.server, "");
    PIPE_HEAR(client, "IST_OK");
    peer_end(client);
    pipe_part(&ends);
}

/* P7 */
TEST(an_end_is_signalled_when_its_peer_is_gone)
{
    for (int killed = 0; killed < 2; killed++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
        check_signalled(ends.server, false);
        if (killed)
            peer_kill(client);
        else
            PEER_ASK(client, "ok", "close");
        CHECK_OK(wait_long(ends.server));
        check_signalled(ends.server, true);
        PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
        check_signalled(ends.server, true);
        if (killed)
            peer_forget(client);
        else
            peer_end(client);
        pipe_part(&ends);
    }
}

/* P8 */
TEST(a_client_is_signalled_when_it_is_thrown_out)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_begin(client, "wait forever");
    CHECK_OK(ist_pipe_disconnect(ends.server));
    PIPE_HEAR(client, "IST_OK");
    PEER_ASK(client, "IST_OK", "wait 0");
    PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P4 */
TEST(a_listening_instance_is_signalled_when_a_client_has_come)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    for (int i = 0; i < 3; i++) {
        check_signalled(server, false);
        peer *client = pipe_start();
        peer_say(client, "later connect %s both 0", name);
        CHECK_OK(wait_long(server));
        PIPE_HEAR(client, "IST_OK");
        check_signalled(server, true);
        CHECK_OK(ist_pipe_accept(server, 0));
        check_signalled(server, false);
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        peer_end(client);
    }
    ist_pipe_close(server);
}

/* P4 */
TEST(a_listening_instance_stays_signalled_when_its_client_has_come_and_gone)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    peer *client = pipe_start_client(name);
    peer_kill(client);
    CHECK_OK(wait_long(server));
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(server, pipe_bound_ns()));
    peer_forget(client);
    ist_pipe_close(server);
}

TEST(a_blocked_wait_learns_of_data_of_the_end_and_of_a_death)
{
    static const char *const deeds[] = {"later write x 0", "later close", "later vanish"};
    for (size_t i = 0; i < COUNT_OF(deeds); i++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
        peer_say(client, "%s", deeds[i]);
        CHECK_OK(ist_wait(ist_pipe_waitable(ends.server), IST_FOREVER));
        PIPE_GET_PART(ends.server, 8, i == 0 ? IST_OK : IST_E_BROKEN, i == 0 ? "x" : "");
        if (i == 2) {
            assert_true(peer_ended_well(client));
        } else {
            PIPE_HEAR(client, i == 0 ? "IST_OK 1" : "ok");
            peer_end(client);
        }
        pipe_part(&ends);
    }
}

/* W2 */
TEST(a_wait_for_any_gives_the_lowest_index_and_leaves_the_others)
{
    waiter_set set;
    pipe_ends ends;
    size_t index = 99;
    waiter_make(&set, "mutex", "1", "manual-set", "set", "event", "timer", (char *)NULL);
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    const ist_waitable *pipe = ist_pipe_waitable(ends.server);
    const ist_waitable *before[] = {pipe, set.items[0], set.items[1], set.items[3]};
    const ist_waitable *behind[] = {set.items[4], pipe, set.items[1], set.items[3]};
    CHECK_OK(ist_wait_any(before, 4, 0, &index));
    assert_int_equal(index, 1);
    CHECK_OK(ist_mutex_release(set.handles[0]));
    PEER_ASK(client, "IST_OK 1", "write x 0");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(ist_wait_any(before, 4, 0, &index));
        assert_int_equal(index, 0);
        CHECK_OK(ist_wait_any(behind, 4, 0, &index));
        assert_int_equal(index, 1);
    }
    WAITER_CHECK(&set, "0 1 1 1 0 0");
    PIPE_GET(ends.server, "x");
    CHECK_OK(ist_wait_any(behind, 4, 0, &index));
    assert_int_equal(index, 2);
    CHECK_OK(ist_wait_any(behind, 4, 0, &index));
    assert_int_equal(index, 3);
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(behind, 4, 0, &index));
    peer_end(client);
    pipe_part(&ends);
    waiter_close(&set);
}

/* W1 W2 */
TEST(a_blocked_wait_among_other_objects_is_ended_by_each_of_them)
{
    waiter_set set;
    pipe_ends ends;
    char name[NAME_SIZE];
    size_t index = 99;
    waiter_make(&set, "event", "timer", "0", (char *)NULL);
    ist_pipe *listener = pipe_serve(name, IST_PIPE_BYTE);
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    peer *other = waiter_start(&set);
    const ist_waitable *items[] = {set.items[0], ist_pipe_waitable(ends.server), set.items[1],
                                   ist_pipe_waitable(listener), set.items[2]};
    peer_say(client, "later write x 0");
    CHECK_OK(ist_wait_any(items, 5, pipe_bound_ns(), &index));
    assert_int_equal(index, 1);
    PIPE_HEAR(client, "IST_OK 1");
    PIPE_GET(ends.server, "x");
    peer_say(other, "set 0");
    CHECK_OK(ist_wait_any(items, 5, pipe_bound_ns(), &index));
    assert_int_equal(index, 0);
    PIPE_HEAR(other, "IST_OK");
    CHECK_OK(ist_timer_set(set.handles[1], IST_TIMER_RELATIVE, 20 * CLOCK_MS, 0));
    CHECK_OK(ist_wait_any(items, 5, pipe_bound_ns(), &index));
    assert_int_equal(index, 2);
    peer_say(other, "release 2");
    CHECK_OK(ist_wait_any(items, 5, pipe_bound_ns(), &index));
    assert_int_equal(index, 4);
    PIPE_HEAR(other, "IST_OK");
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, 5, 20 * CLOCK_MS, &index));
    PEER_ASK(client, "ok", "slot 1");
    peer_say(client, "later connect %s both 0", name);
    CHECK_OK(ist_wait_any(items, 5, pipe_bound_ns(), &index));
    assert_int_equal(index, 3);
    PIPE_HEAR(client, "IST_OK");
    CHECK_OK(ist_pipe_accept(listener, 0));
    peer_say(client, "later vanish");
    CHECK_OK(ist_wait_any(items, 5, pipe_bound_ns(), &index));
    assert_true(index == 1 || index == 3);
    assert_true(peer_ended_well(client));
    peer_end(other);
    ist_pipe_close(listener);
    pipe_part(&ends);
    waiter_close(&set);
}

/* W1 */
TEST(sixty_four_ends_are_waited_for)
{
    static ist_pipe *first[IST_WAIT_MAX];
    static ist_pipe *second[IST_WAIT_MAX];
    const ist_waitable *items[IST_WAIT_MAX + 1];
    size_t index = 99;
    for (size_t i = 0; i < IST_WAIT_MAX; i++) {
        CHECK_OK(ist_pipe_pair(&first[i], &second[i], NULL));
        items[i] = ist_pipe_waitable(first[i]);
    }
    items[IST_WAIT_MAX] = items[0];
    CHECK_STATUS(IST_E_ARG, ist_wait_any(items, IST_WAIT_MAX + 1, 0, &index));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, IST_WAIT_MAX, CLOCK_MS, &index));
    for (size_t i = IST_WAIT_MAX; i-- > 0;) {
        PIPE_PUT(second[i], "x");
        CHECK_OK(ist_wait_any(items, IST_WAIT_MAX, 0, &index));
        assert_int_equal(index, i);
    }
    for (size_t i = 0; i < IST_WAIT_MAX; i++) {
        ist_pipe_close(first[i]);
        ist_pipe_close(second[i]);
    }
}

/* W3 */
TEST(a_wait_for_all_with_a_pipe_among_others_is_not_to_be_had)
{
    waiter_set set;
    pipe_ends ends;
    waiter_make(&set, "set", "1", (char *)NULL);
    pipe_join(&ends, NULL);
    PIPE_PUT(ends.client, "x");
    const ist_waitable *last[] = {set.items[0], set.items[1], ist_pipe_waitable(ends.server)};
    const ist_waitable *first[] = {ist_pipe_waitable(ends.server), set.items[0], set.items[1]};
    const ist_waitable *both[] = {ist_pipe_waitable(ends.server), ist_pipe_waitable(ends.client)};
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(last, 3, 0));
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(first, 3, IST_FOREVER));
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(both, 2, 0));
    WAITER_CHECK(&set, "1 1");
    PIPE_GET(ends.server, "x");
    pipe_part(&ends);
    waiter_close(&set);
}

/* W1 */
TEST(one_end_twice_is_no_matter_in_a_wait_for_any)
{
    pipe_ends ends;
    size_t index = 99;
    pipe_join(&ends, NULL);
    const ist_waitable *items[] = {ist_pipe_waitable(ends.server), ist_pipe_waitable(ends.server)};
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, 2, CLOCK_MS, &index));
    PIPE_PUT(ends.client, "x");
    CHECK_OK(ist_wait_any(items, 2, 0, &index));
    assert_int_equal(index, 0);
    pipe_part(&ends);
}

typedef struct crowd {
    ist_pipe *pipe;
    ist_status seen[8];
} crowd;

static void wait_in_crowd(void *context, size_t index)
{
    crowd *all = context;
    if (index < COUNT_OF(all->seen)) {
        all->seen[index] = ist_wait(ist_pipe_waitable(all->pipe), pipe_bound_ns());
        return;
    }
    pipe_pause();
    (void)ist_pipe_write(all->pipe, "x", 1, 0, NULL);
}

/* L10: a wait takes nothing, so all learn of it */
TEST(all_who_wait_for_one_end_learn_of_it)
{
    pipe_ends ends;
    crowd all;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    memset(&all, 0xFF, sizeof all);
    all.pipe = ends.server;
    peer_say(client, "echo 1");
    host_threads(COUNT_OF(all.seen) + 1, wait_in_crowd, &all);
    for (size_t i = 0; i < COUNT_OF(all.seen); i++)
        CHECK_OK(all.seen[i]);
    PIPE_HEAR(client, "IST_OK");
    PIPE_GET(ends.server, "x");
    peer_end(client);
    pipe_part(&ends);
}

static void wait_or_close(void *context, size_t index)
{
    crowd *all = context;
    if (index == 0) {
        all->seen[0] = ist_wait(ist_pipe_waitable(all->pipe), 100 * CLOCK_MS);
    } else {
        pipe_pause();
        ist_pipe_close(all->pipe);
    }
}

/* L5 */
TEST(a_wait_goes_on_when_its_end_is_closed)
{
    pipe_ends ends;
    crowd all;
    pipe_join(&ends, NULL);
    memset(&all, 0xFF, sizeof all);
    all.pipe = ends.server;
    host_threads(2, wait_or_close, &all);
    assert_true(all.seen[0] == IST_TIMEOUT || all.seen[0] == IST_OK);
    PIPE_GET_NOTHING(ends.client, IST_E_BROKEN);
    ends.server = NULL;
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_end_is_signalled_while_something_can_be_read),
        RUN(a_message_of_nothing_can_be_read),
        RUN(an_end_is_signalled_when_its_peer_is_gone),
        RUN(a_client_is_signalled_when_it_is_thrown_out),
        RUN(a_listening_instance_is_signalled_when_a_client_has_come),
        RUN(a_listening_instance_stays_signalled_when_its_client_has_come_and_gone),
        RUN(a_blocked_wait_learns_of_data_of_the_end_and_of_a_death),
        RUN(a_wait_for_any_gives_the_lowest_index_and_leaves_the_others),
        RUN(a_blocked_wait_among_other_objects_is_ended_by_each_of_them),
        RUN(sixty_four_ends_are_waited_for),
        RUN(a_wait_for_all_with_a_pipe_among_others_is_not_to_be_had),
        RUN(one_end_twice_is_no_matter_in_a_wait_for_any),
        RUN(all_who_wait_for_one_end_learn_of_it),
        RUN(a_wait_goes_on_when_its_end_is_closed),
    };
    return cmocka_run_group_tests_name("pipe_wait", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW, WAITER_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
