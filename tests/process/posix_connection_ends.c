/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A connection between two processes, without the names: how its ends go. One is closed, dropped or killed, wherever
 * its process is, or is a forked child's, too. The re-check is an hour away in both, so that an end that is not seen
 * hangs, but where a process is killed that another goes on for.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "support/host.h"
#include "support/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/clock.h"
#include "stage/ends.h"
#include "stage/stage.h"

/* ---- the end of a peer ---- */

/* P7 */
TEST(what_was_written_before_a_close_stays_readable)
{
    size_t got = 0;
    ends_connect(true);
    assert_int_equal(player_ask(&ends_client, ends_client_puts, 0), IST_OK);
    assert_int_equal(player_ask(&ends_client, ends_client_puts, 50), IST_OK);
    assert_int_equal(player_ask(&ends_client, ends_client_closes, 0), 0);
    assert_true(connection_peer_is_gone(ends_here));
    assert_int_equal(ends_put(1), IST_E_BROKEN);
    assert_int_equal(connection_look(ends_here, NULL, &ends_error), IST_OK);
    ends_get_whole(0);
    ends_get_whole(50);
    assert_int_equal(ends_get(&got), IST_E_BROKEN);
    assert_int_equal(connection_look(ends_here, NULL, &ends_error), IST_OK);
    ends_part();
}

/* P8 */
TEST(a_drop_takes_what_is_unread_on_both_sides)
{
    size_t got = 0;
    ends_connect(true);
    assert_int_equal(player_ask(&ends_client, ends_client_puts, 50), IST_OK);
    assert_int_equal(ends_put(50), IST_OK);
    assert_int_equal(player_ask(&ends_client, ends_client_closes, 1), 0);
    assert_int_equal(ends_get(&got), IST_E_BROKEN);
    assert_int_equal(ends_put(1), IST_E_BROKEN);
    assert_int_equal(player_ask(&ends_client, ends_client_gets, 100), IST_E_BROKEN);
    ends_part();
}

static void check_ended_by(player_act *act, uintptr_t argument, size_t blocked)
{
    size_t got = 0;
    ends_connect(true);
    if (blocked == 1)
        assert_int_equal(ends_put(ENDS_QUOTA), IST_OK);
    player_begin(&ends_client, act, argument);
    switch (blocked) {
    case 0:
        assert_int_equal(ends_get(&got), IST_E_BROKEN);
        break;
    case 1:
        assert_int_equal(ends_put(1), IST_E_BROKEN);
        break;
    case 2:
        assert_int_equal(ends_put(ENDS_QUOTA * 2), IST_E_BROKEN);
        break;
    default:
        assert_int_equal(ends_put(100), IST_OK);
        assert_int_equal(connection_flush(ends_here, &ends_forever, &ends_error), IST_OK);
    }
    ends_part();
}

static int close_later(uintptr_t drops)
{
    usleep(20000);
    return ends_client_closes(drops);
}

static int die_later(uintptr_t argument)
{
    usleep((useconds_t)argument);
    (void)kill(getpid(), SIGKILL);
    return 0;
}

static int die_amid(uintptr_t argument)
{
    size_t got = 0;
    (void)argument;
    STAGE_IS(connection_read(ends_here, ends_sink, 100000, &ends_forever, &got, &ends_error), IST_MORE);
    (void)kill(getpid(), SIGKILL);
    return 0;
}

TEST(a_close_ends_what_is_blocked)
{
    for (size_t blocked = 0; blocked < 4; blocked++)
        check_ended_by(close_later, 0, blocked);
}

TEST(a_drop_ends_what_is_blocked)
{
    for (size_t blocked = 0; blocked < 4; blocked++)
        check_ended_by(close_later, 1, blocked);
}

/* P7, with no re-check to find it. */
TEST(a_kill_ends_what_is_blocked)
{
    for (int round = 0; round < 20; round++)
        for (size_t blocked = 0; blocked < 4; blocked++)
            check_ended_by(die_later, (uintptr_t)round * 1000, blocked);
}

/* A killed writer of a large message has written it or not; what the reader began with is cut short. */
TEST(a_killed_writer_leaves_no_message_that_looks_whole)
{
    for (int round = 0; round < 30; round++) {
        size_t got = 0;
        ist_status status = IST_MORE;
        ends_connect(true);
        player_begin(&ends_client, ends_client_puts, ENDS_LARGEST);
        if (round % 3 != 0)
            status = ends_get_for(round * 20000, &got);
        assert_true(status == IST_MORE || status == IST_TIMEOUT || status == IST_OK);
        player_kill(&ends_client);
        if (status != IST_OK)
            do
                status = ends_try_get(&got);
            while (status == IST_MORE);
        if (round % 3 == 0)
            assert_int_equal(status, IST_E_BROKEN);
        ends_part();
    }
}

/* L7: the end lives until both have let go. A child of the stage dies with its parent, so this one is a plain one. */
static int forks_and_exits(uintptr_t argument)
{
    (void)argument;
    STAGE_IS(ends_put(5), IST_OK);
    if (fork() == 0) {
        usleep(50000);
        STAGE_IS(ends_put(6), IST_OK);
        STAGE_IS(ends_put(ENDS_QUOTA * 2), IST_OK);
        _exit(0);
    }
    _exit(0);
}

TEST(an_end_lives_until_a_forked_child_has_let_go_too)
{
    size_t got = 0;
    ends_connect(true);
    (void)plat_seam_recheck(0);
    player_begin(&ends_client, forks_and_exits, 0);
    ends_get_whole(5);
    ends_get_whole(6);
    ends_get_whole(ENDS_QUOTA * 2);
    assert_int_equal(ends_get(&got), IST_E_BROKEN);
    ends_part();
}
/* ---- forks ---- */

static int put_while_a_child_closes(uintptr_t size)
{
    if (fork() == 0) {
        usleep(30000);
        connection_close(ends_here);
        _exit(0);
    }
    return (int)ends_put((size_t)size);
}

static ist_status written_as;

static void put_in_threads(void *context, size_t index)
{
    plat_error ours;
    size_t written = 0;
    (void)context;
    if (index == 0) {
        written_as = connection_write(ends_here, ends_source, ENDS_QUOTA * 5, &ends_forever, &written, &ours);
    } else {
        usleep(20000);
        if (fork() == 0) {
            connection_close(ends_here);
            _exit(0);
        }
    }
}

static int fork_beside(uintptr_t argument)
{
    (void)argument;
    host_threads(2, put_in_threads, NULL);
    return (int)written_as;
}

/* L7: what a child closes is its own. */
TEST(a_forked_childs_close_leaves_the_parents_write_alone)
{
    ends_connect(true);
    player_begin(&ends_client, fork_beside, 0);
    usleep(100000);
    ends_get_whole(ENDS_QUOTA * 5);
    assert_int_equal(player_end(&ends_client), IST_OK);
    player_begin(&ends_client, put_while_a_child_closes, ENDS_QUOTA * 3);
    ends_get_whole(ENDS_QUOTA * 3);
    assert_int_equal(player_end(&ends_client), IST_OK);
    ends_part();
}

/* P7 */
TEST(what_a_reader_wrote_before_it_died_in_a_large_message_stays)
{
    ends_connect(true);
    assert_int_equal(player_ask(&ends_client, ends_client_puts, 50), IST_OK);
    player_begin(&ends_client, die_amid, 0);
    assert_int_equal(ends_put(ENDS_LARGEST), IST_E_BROKEN);
    ends_get_whole(50);
    ends_part();
}

/* ---- kills anywhere ---- */

static int put_endlessly(uintptr_t largest)
{
    unsigned char message[ENDS_MESSAGE_MAX];
    size_t written = 0;
    uint32_t seed = ends_told->seed;
    for (;;) {
        size_t size = ends_make_message(&seed, message);
        if (size <= largest)
            STAGE_IS(connection_write(ends_here, message, size, &ends_forever, &written, &ends_error), IST_OK);
    }
    return 0;
}

/* P7: all that comes is whole, but for the last, if that is too large for the ring. */
TEST(a_writer_killed_anywhere_has_written_whole_messages)
{
    uint32_t seed = 11;
    for (int round = 0; round < 100; round++) {
        ist_status status = IST_OK;
        size_t got = 0;
        useconds_t delay = ends_random(&seed) % 5000;
        ends_connect(true);
        ends_told->seed = (uint32_t)round;
        player_begin(&ends_client, put_endlessly, ENDS_LARGEST);
        for (useconds_t n = 0; n < delay; n++) {
            assert_int_equal(ends_get(&got), IST_OK);
            assert_true(ends_is_message(ends_sink, got));
        }
        player_kill(&ends_client);
        while ((status = ends_get(&got)) == IST_OK)
            assert_true(ends_is_message(ends_sink, got));
        assert_true(status == IST_MORE || status == IST_E_BROKEN);
        assert_int_equal(ends_get(&got), IST_E_BROKEN);
        ends_part();
    }
}

static void get_endlessly(void)
{
    for (;;) {
        size_t got = 0;
        ist_status status = ends_get(&got);
        if (status == IST_E_BROKEN)
            (void)pause();
        STAGE_IS(status, IST_OK);
        STAGE_CHECK(ends_is_message(ends_sink, got));
    }
}

/* Who is killed between a change and its wake leaves the other side asleep until its next re-check. */
static void connect_with_rechecks(void)
{
    ends_connect(true);
    (void)plat_seam_recheck(0);
}

/* A child that has the same end is killed; the end goes on with its parent. */
static int outlive_child(uintptr_t delay_us)
{
    unsigned char message[ENDS_MESSAGE_MAX];
    size_t written = 0;
    uint32_t seed = ends_told->seed;
    pid_t child = 0;
    (void)plat_seam_recheck(0);
    child = stage_fork();
    if (child == 0)
        put_endlessly(ENDS_QUOTA);
    usleep((useconds_t)delay_us);
    stage_kill(child);
    for (int n = 0; n < 100; n++) {
        size_t size = ends_make_message(&seed, message);
        if (size <= ENDS_QUOTA)
            STAGE_IS(connection_write(ends_here, message, size, &ends_forever, &written, &ends_error), IST_OK);
    }
    connection_close(ends_here);
    return 0;
}

TEST(a_child_killed_anywhere_in_a_write_leaves_the_end_as_it_was)
{
    uint32_t seed = 5;
    for (int round = 0; round < 200; round++) {
        ist_status status = IST_OK;
        size_t got = 0;
        connect_with_rechecks();
        ends_told->seed = (uint32_t)round;
        player_begin(&ends_client, outlive_child, ends_random(&seed) % 3000);
        while ((status = ends_get(&got)) == IST_OK)
            assert_true(ends_is_message(ends_sink, got));
        assert_int_equal(status, IST_E_BROKEN);
        assert_int_equal(player_end(&ends_client), 0);
        ends_part();
    }
}

static int outlive_reading_child(uintptr_t delay_us)
{
    size_t got = 0;
    pid_t child = 0;
    (void)plat_seam_recheck(0);
    child = stage_fork();
    if (child == 0)
        get_endlessly();
    usleep((useconds_t)delay_us);
    stage_kill(child);
    for (;;) {
        ist_status status = ends_get(&got);
        if (status == IST_E_BROKEN)
            return 0;
        STAGE_IS(status, IST_OK);
        STAGE_CHECK(ends_is_message(ends_sink, got));
    }
}

TEST(a_child_killed_anywhere_in_a_read_leaves_the_end_as_it_was)
{
    unsigned char message[ENDS_MESSAGE_MAX];
    size_t written = 0;
    uint32_t seed = 5;
    for (int round = 0; round < 200; round++) {
        uint32_t delay = ends_random(&seed) % 3000;
        connect_with_rechecks();
        player_begin(&ends_client, outlive_reading_child, delay);
        for (int n = 0; n < 3000; n++) {
            size_t size = ends_make_message(&seed, message);
            if (size <= ENDS_QUOTA) /* of a larger one the child may have read a part */
                assert_int_equal(connection_write(ends_here, message, size, &ends_forever, &written, &ends_error),
                                 IST_OK);
        }
        connection_close(ends_here);
        assert_int_equal(player_end(&ends_client), 0);
        ends_part();
    }
}

#define RUN_ENDS(name) cmocka_unit_test_setup_teardown(name, ends_setup, ends_teardown)

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ENDS(what_was_written_before_a_close_stays_readable),
        RUN_ENDS(a_drop_takes_what_is_unread_on_both_sides),
        RUN_ENDS(a_close_ends_what_is_blocked),
        RUN_ENDS(a_drop_ends_what_is_blocked),
        RUN_ENDS(a_kill_ends_what_is_blocked),
        RUN_ENDS(a_killed_writer_leaves_no_message_that_looks_whole),
        RUN_ENDS(an_end_lives_until_a_forked_child_has_let_go_too),
        RUN_ENDS(a_forked_childs_close_leaves_the_parents_write_alone),
        RUN_ENDS(what_a_reader_wrote_before_it_died_in_a_large_message_stays),
        RUN_ENDS(a_writer_killed_anywhere_has_written_whole_messages),
        RUN_ENDS(a_child_killed_anywhere_in_a_write_leaves_the_end_as_it_was),
        RUN_ENDS(a_child_killed_anywhere_in_a_read_leaves_the_end_as_it_was),
    };
    return cmocka_run_group_tests_name("posix_connection_ends", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, run_all);
}
