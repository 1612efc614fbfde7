/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A connection between two processes, without the names: what goes through it. The re-check is an hour away in both, so
 * that a wake that is lost hangs.
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

/* ---- messages ---- */

static const size_t sizes[] = {0, 1, ENDS_QUOTA - 1, ENDS_QUOTA, ENDS_QUOTA + 1, 65536, 1 << 20, ENDS_LARGEST};

/* P5 */
TEST(messages_of_every_size_arrive_whole)
{
    ends_connect(true);
    for (size_t n = 0; n < COUNT_OF(sizes); n++) {
        player_begin(&ends_client, ends_client_puts, sizes[n]);
        ends_get_whole(sizes[n]);
        assert_int_equal(player_end(&ends_client), IST_OK);
        player_begin(&ends_client, ends_client_gets, ENDS_LARGEST);
        assert_int_equal(ends_put(sizes[n]), IST_OK);
        assert_int_equal(player_end(&ends_client), IST_OK);
        assert_int_equal(ends_told->moved, sizes[n]);
    }
    ends_part();
}

/* P5 */
TEST(a_large_message_is_read_in_parts)
{
    size_t done = 0;
    size_t got = 0;
    ist_status status = IST_MORE;
    ends_connect(true);
    player_begin(&ends_client, ends_client_puts, 100000);
    for (; status == IST_MORE; done += got) {
        status = connection_read(ends_here, ends_sink + done, 1500, &ends_forever, &got, &ends_error);
        assert_true(got == 1500 || status == IST_OK);
    }
    assert_int_equal(status, IST_OK);
    assert_int_equal(done, 100000);
    assert_memory_equal(ends_sink, ends_source, done);
    assert_int_equal(player_end(&ends_client), IST_OK);
    ends_part();
}
static int put_many(uintptr_t count)
{
    unsigned char message[ENDS_MESSAGE_MAX];
    size_t written = 0;
    uint32_t seed = ends_told->seed;
    for (; count != 0; count--) {
        size_t size = ends_make_message(&seed, message);
        STAGE_IS(connection_write(ends_here, message, size, &ends_forever, &written, &ends_error), IST_OK);
        STAGE_CHECK(written == size);
    }
    return 0;
}

TEST(many_messages_arrive_in_order)
{
    unsigned char message[ENDS_MESSAGE_MAX];
    size_t count = getenv("ISTHMUS_TEST_SLOW") != NULL ? 20000 : 200000;
    uint32_t seed = 7;
    ends_connect(true);
    ends_told->seed = seed;
    player_begin(&ends_client, put_many, count);
    for (size_t n = 0; n < count; n++) {
        size_t size = ends_make_message(&seed, message);
        size_t got = 0;
        assert_int_equal(ends_get(&got), IST_OK);
        assert_int_equal(got, size);
        assert_memory_equal(ends_sink, message, size);
    }
    assert_int_equal(player_end(&ends_client), 0);
    ends_part();
}

static int echo(uintptr_t count)
{
    for (; count != 0; count--) {
        size_t got = 0;
        STAGE_IS(ends_get(&got), IST_OK);
        STAGE_IS(connection_write(ends_here, ends_sink, got, &ends_forever, &got, &ends_error), IST_OK);
    }
    return 0;
}

TEST(questions_and_answers_take_turns)
{
    ends_connect(true);
    player_begin(&ends_client, echo, 20000);
    for (size_t n = 0; n < 20000; n++) {
        assert_int_equal(ends_put(n % 100), IST_OK);
        ends_get_whole(n % 100);
    }
    assert_int_equal(player_end(&ends_client), 0);
    ends_part();
}

#define WRITERS 4
#define EACH 300

static volatile uint32_t written_well;

static void write_in_thread(void *context, size_t index)
{
    unsigned char message[ENDS_MESSAGE_MAX];
    plat_error ours;
    size_t written = 0;
    uint32_t seed = (uint32_t)index + 1;
    (void)context;
    for (int n = 0; n < EACH; n++) {
        size_t size = ends_make_message(&seed, message);
        if (connection_write(ends_here, message, size, &ends_forever, &written, &ours) == IST_OK)
            atomic_add_u32(&written_well, 1);
    }
}

static int check_many(uintptr_t count)
{
    for (; count != 0; count--) {
        size_t got = 0;
        STAGE_IS(ends_get(&got), IST_OK);
        STAGE_CHECK(ends_is_message(ends_sink, got));
    }
    return 0;
}

/* L10 */
TEST(messages_of_several_threads_stay_whole)
{
    ends_connect(true);
    written_well = 0;
    player_begin(&ends_client, check_many, (uintptr_t)WRITERS * EACH);
    host_threads(WRITERS, write_in_thread, NULL);
    assert_int_equal(player_end(&ends_client), 0);
    assert_int_equal(written_well, WRITERS * EACH);
    ends_part();
}

/* ---- bytes ---- */

TEST(bytes_arrive_in_order)
{
    size_t done = 0;
    size_t got = 0;
    ends_connect(false);
    player_begin(&ends_client, ends_client_puts, ENDS_LARGEST / 8);
    for (; done < ENDS_LARGEST / 8; done += got)
        assert_int_equal(
            connection_read(ends_here, ends_sink + done, ENDS_LARGEST / 8 - done, &ends_forever, &got, &ends_error),
            IST_OK);
    assert_memory_equal(ends_sink, ends_source, done);
    assert_int_equal(player_end(&ends_client), IST_OK);
    ends_part();
}

/* P11 P13 */
TEST(a_write_of_bytes_that_times_out_says_how_many_went)
{
    size_t written = 0;
    size_t got = 0;
    ends_connect(false);
    assert_int_equal(connection_write(ends_here, ends_source, ENDS_QUOTA * 3, &ends_once, &written, &ends_error),
                     IST_TIMEOUT);
    assert_int_equal(written, ENDS_QUOTA);
    assert_int_equal(connection_write(ends_here, ends_source, 1, &ends_once, &written, &ends_error), IST_TIMEOUT);
    assert_int_equal(written, 0);
    assert_int_equal(ends_try_get(&got), IST_TIMEOUT);
    assert_int_equal(player_ask(&ends_client, ends_client_gets, ENDS_LARGEST), IST_OK);
    assert_int_equal(ends_told->moved, ENDS_QUOTA);
    ends_part();
}

/* ---- timeouts ---- */

/* P11 */
TEST(a_write_of_a_message_that_times_out_has_written_nothing)
{
    static const size_t each[] = {1, ENDS_QUOTA, ENDS_QUOTA + 1, ENDS_LARGEST};
    size_t written = 1;
    ends_connect(true);
    assert_int_equal(ends_put(ENDS_QUOTA), IST_OK);
    for (size_t n = 0; n < COUNT_OF(each); n++) {
        assert_int_equal(connection_write(ends_here, ends_source, each[n], &ends_once, &written, &ends_error),
                         IST_TIMEOUT);
        assert_int_equal(written, 0);
    }
    assert_int_equal(player_ask(&ends_client, ends_client_gets, ENDS_LARGEST), IST_OK);
    assert_int_equal(ends_told->moved, ENDS_QUOTA);
    assert_int_equal(ends_put(3), IST_OK);
    assert_int_equal(player_ask(&ends_client, ends_client_gets, ENDS_LARGEST), IST_OK);
    assert_int_equal(ends_told->moved, 3);
    ends_part();
}

static int put_until(uintptr_t argument)
{
    const patience until = {clock_steady() + ends_told->deadline, &ends_no_stop, 0};
    (void)argument;
    return (int)connection_write(ends_here, ends_source, ends_told->size, &until, &ends_told->moved, &ends_error);
}
/* The writer gives up while the reader begins: either nothing was written, or all, or the connection is broken. */
TEST(a_large_message_is_withdrawn_or_broken)
{
    uint32_t seed = 3;
    unsigned outcomes[3] = {0, 0, 0};
    ends_told->size = 200000;
    for (int round = 0; round < 300; round++) {
        size_t got = 0;
        ist_status reads = IST_TIMEOUT;
        ist_status writes = IST_OK;
        if (ends_here == NULL)
            ends_connect(true);
        ends_told->deadline = ends_random(&seed) % 1500000;
        player_begin(&ends_client, put_until, 0);
        reads = ends_get_for(ends_random(&seed) % 1000000, &got);
        while (!player_is_done(&ends_client) && (reads == IST_MORE || reads == IST_TIMEOUT))
            reads = reads == IST_MORE ? ends_get(&got) : ends_try_get(&got);
        writes = (ist_status)player_end(&ends_client);
        if (writes == IST_OK) {
            assert_int_equal(ends_told->moved, ends_told->size);
            while (reads == IST_MORE)
                reads = ends_get(&got);
            assert_int_equal(reads, IST_OK);
            outcomes[0]++;
        } else if (writes == IST_TIMEOUT) {
            assert_int_equal(ends_told->moved, 0);
            assert_int_equal(reads, IST_TIMEOUT);
            assert_int_equal(ends_try_get(&got), IST_TIMEOUT);
            outcomes[1]++;
        } else {
            assert_int_equal(writes, IST_E_BROKEN);
            assert_int_equal(ends_try_get(&got), IST_E_BROKEN);
            assert_int_equal(ends_put(1), IST_E_BROKEN);
            ends_part();
            outcomes[2]++;
        }
    }
    print_message("%u whole, %u withdrawn, %u broken\n", outcomes[0], outcomes[1], outcomes[2]);
    if (ends_here != NULL)
        ends_part();
}

/* A reader that only polls is served too. */
TEST(a_large_message_is_polled_for)
{
    size_t got = 0;
    size_t done = 0;
    ist_status status = IST_TIMEOUT;
    ends_connect(true);
    player_begin(&ends_client, ends_client_puts, 1 << 20);
    while (status != IST_OK) {
        status = connection_read(ends_here, ends_sink + done, ENDS_LARGEST, &ends_once, &got, &ends_error);
        assert_true(status == IST_OK || status == IST_MORE || (status == IST_TIMEOUT && got == 0));
        done += got;
    }
    assert_int_equal(done, 1 << 20);
    assert_memory_equal(ends_sink, ends_source, done);
    assert_int_equal(player_end(&ends_client), IST_OK);
    ends_part();
}

/* ---- cancelling ---- */

static volatile uint32_t stop;
static ist_status stopped[3];

static void block_in_thread(void *context, size_t index)
{
    const patience until = {CLOCK_NEVER, &stop, 0};
    plat_error ours;
    size_t moved = 0;
    (void)context;
    if (index == 3) {
        sleep(1);
        atomic_store_u32(&stop, 1);
        connection_stir(ends_here);
    } else if (index == 2) {
        stopped[2] = connection_write(ends_here, ends_source, ENDS_QUOTA * 2, &until, &moved, &ours);
    } else {
        stopped[index] = connection_read(ends_here, ends_sink, 1, &until, &moved, &ours);
    }
}

TEST(blocked_calls_are_cancelled)
{
    size_t got = 0;
    ends_connect(true);
    stop = 0;
    host_threads(4, block_in_thread, NULL);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(stopped[n], IST_CANCELLED);
    assert_int_equal(ends_put(1), IST_OK);
    assert_int_equal(player_ask(&ends_client, ends_client_gets, ENDS_LARGEST), IST_OK);
    assert_int_equal(ends_told->moved, 1);
    assert_int_equal(ends_try_get(&got), IST_TIMEOUT);
    ends_part();
}

/* ---- flush ---- */

/* P9 */
TEST(a_flush_waits_for_the_reader)
{
    ends_connect(true);
    assert_int_equal(connection_flush(ends_here, &ends_once, &ends_error), IST_OK);
    assert_int_equal(ends_put(100), IST_OK);
    assert_int_equal(connection_flush(ends_here, &ends_once, &ends_error), IST_TIMEOUT);
    assert_int_equal(player_ask(&ends_client, ends_client_gets, 60), IST_MORE);
    assert_int_equal(connection_flush(ends_here, &ends_once, &ends_error), IST_TIMEOUT);
    player_begin(&ends_client, ends_client_gets_rest, 10);
    assert_int_equal(player_end(&ends_client), IST_MORE);
    player_begin(&ends_client, ends_client_closes, 0);
    assert_int_equal(connection_flush(ends_here, &ends_forever, &ends_error), IST_OK);
    assert_int_equal(player_end(&ends_client), 0);
    ends_part();
}
/* ---- for an event loop ---- */

static bool is_readable(int fd)
{
    struct pollfd asked = {fd, POLLIN, 0};
    return poll(&asked, 1, 0) == 1;
}

static void wait_readable(int fd)
{
    struct pollfd asked = {fd, POLLIN, 0};
    assert_int_equal(poll(&asked, 1, (int)check_bound_ms()), 1);
}

static int put_in_bursts(uintptr_t count)
{
    for (uintptr_t n = 0; n < count; n++) {
        STAGE_IS(ends_put(n % 50), IST_OK);
        if (n % 7 == 0)
            usleep(100);
    }
    return 0;
}

TEST(the_socket_is_readable_when_something_is_there)
{
    size_t got = 0;
    size_t count = 0;
    int fd = -1;
    ends_connect(true);
    fd = connection_socket(ends_here);
    assert_int_equal(ends_try_get(&got), IST_TIMEOUT);
    assert_false(is_readable(fd));
    player_begin(&ends_client, put_in_bursts, 5000);
    while (count < 5000) {
        wait_readable(fd);
        while (ends_try_get(&got) == IST_OK) {
            assert_int_equal(got, count % 50);
            count++;
        }
    }
    assert_int_equal(player_end(&ends_client), 0);
    assert_int_equal(ends_try_get(&got), IST_TIMEOUT);
    assert_false(is_readable(fd));
    assert_int_equal(player_ask(&ends_client, ends_client_closes, 0), 0);
    assert_true(is_readable(fd));
    ends_part();
}

/* ---- looking ---- */

/* P6 */
TEST(a_peek_leaves_what_it_shows)
{
    ist_pipe_peeked out = IST_PIPE_PEEKED_INIT;
    ends_connect(true);
    assert_false(connection_has_data(ends_here));
    assert_int_equal(connection_look(ends_here, NULL, &ends_error), IST_TIMEOUT);
    assert_int_equal(player_ask(&ends_client, ends_client_puts, 10), IST_OK);
    assert_int_equal(player_ask(&ends_client, ends_client_puts, 20), IST_OK);
    assert_true(connection_has_data(ends_here));
    assert_int_equal(connection_look(ends_here, NULL, &ends_error), IST_OK);
    assert_int_equal(connection_peek(ends_here, ends_sink, 4, &out, &ends_error), IST_OK);
    assert_int_equal(out.copied_bytes, 4);
    assert_int_equal(out.message_bytes, 10);
    assert_int_equal(out.available_bytes, 30);
    ends_get_whole(10);
    ends_get_whole(20);
    assert_int_equal(connection_peek(ends_here, NULL, 0, &out, &ends_error), IST_OK);
    assert_int_equal(out.available_bytes, 0);
    assert_int_equal(player_ask(&ends_client, ends_client_closes, 0), 0);
    assert_int_equal(connection_peek(ends_here, NULL, 0, &out, &ends_error), IST_E_BROKEN);
    ends_part();
}

/* ---- A3 ---- */

static void check_refused(int bad)
{
    const connection_peer other_end = {1, geteuid(), NULL, 0, true, true};
    connection *end = NULL;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(connection_open(pair[0], bad, &ends_shape, true, true, true, &other_end, &end, &ends_error),
                     IST_E_CORRUPT);
    assert_null(end);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1);
    assert_int_equal(fcntl(bad, F_GETFD), -1);
    (void)close(pair[1]);
}

TEST(memory_that_can_be_cut_short_is_refused)
{
    int fd = -1;
    connection_shape other = {true, ENDS_QUOTA, ENDS_QUOTA + 1};
    ends_shape = (connection_shape){true, ENDS_QUOTA, ENDS_QUOTA};
    fd = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 4096 + 2 * 12288), 0);
    check_refused(fd);
    assert_int_equal(connection_memory(&other, &fd, &ends_error), IST_OK);
    check_refused(fd);
    other.outbound_bytes = ENDS_QUOTA;
    other.messages = false;
    assert_int_equal(connection_memory(&other, &fd, &ends_error), IST_OK);
    check_refused(fd);
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    check_refused(fd);
}

/* All words at random, while calls with short patience go on. */
static int damage(uintptr_t rounds)
{
    uint32_t seed = ends_told->seed;
    size_t size = 4096 + 2 * (size_t)12288;
    volatile unsigned char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ends_memory, 0);
    if (at == MAP_FAILED)
        return -1;
    for (; rounds != 0; rounds--) {
        size_t place = ends_random(&seed) % 3 != 0 ? ends_random(&seed) % 320 : ends_random(&seed) % size;
        at[place] = (unsigned char)(ends_random(&seed) % 4 == 0 ? ends_random(&seed) : ends_random(&seed) % 3);
    }
    return munmap((void *)(uintptr_t)at, size);
}

TEST(a_peer_that_writes_anything_is_survived)
{
    ist_pipe_peeked out = IST_PIPE_PEEKED_INIT;
    patience until = {0, &ends_no_stop, 0};
    for (uint32_t round = 0; round < 40; round++) {
        ends_connect(round % 3 != 0);
        ends_told->seed = round;
        player_begin(&ends_client, damage, 300000);
        while (!player_is_done(&ends_client)) {
            size_t moved = 0;
            (void)ends_get_for(50000, &moved);
            (void)connection_peek(ends_here, ends_sink, 100, &out, &ends_error);
            (void)connection_look(ends_here, NULL, &ends_error);
            until.deadline = clock_steady() + 50000;
            (void)connection_write(ends_here, ends_source, moved % 9000, &until, &moved, &ends_error);
            (void)connection_flush(ends_here, &until, &ends_error);
        }
        assert_int_equal(player_end(&ends_client), 0);
        ends_part();
    }
}

#define RUN_ENDS(name) cmocka_unit_test_setup_teardown(name, ends_setup, ends_teardown)

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ENDS(messages_of_every_size_arrive_whole),
        RUN_ENDS(a_large_message_is_read_in_parts),
        RUN_ENDS(many_messages_arrive_in_order),
        RUN_ENDS(questions_and_answers_take_turns),
        RUN_ENDS(messages_of_several_threads_stay_whole),
        RUN_ENDS(bytes_arrive_in_order),
        RUN_ENDS(a_write_of_bytes_that_times_out_says_how_many_went),
        RUN_ENDS(a_write_of_a_message_that_times_out_has_written_nothing),
        RUN_ENDS(a_large_message_is_withdrawn_or_broken),
        RUN_ENDS(a_large_message_is_polled_for),
        RUN_ENDS(blocked_calls_are_cancelled),
        RUN_ENDS(a_flush_waits_for_the_reader),
        RUN_ENDS(the_socket_is_readable_when_something_is_there),
        RUN_ENDS(a_peek_leaves_what_it_shows),
        RUN_ENDS(memory_that_can_be_cut_short_is_refused),
        RUN_ENDS(a_peer_that_writes_anything_is_survived),
    };
    return cmocka_run_group_tests_name("posix_connection", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, run_all);
}
