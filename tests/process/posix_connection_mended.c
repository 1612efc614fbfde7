/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends in a program that forks, limits its files, or puts its own in the place of ours; and peers that do what they may
 * not. The re-check is an hour away.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "support/host.h"
#include "support/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix/clock.h"
#include "posix/connection_end.h"
#include "stage/ends.h"
#include "stage/filter.h"
#include "stage/stage.h"
#include "stage/trace.h"

/* ---- both ends in one process ---- */

static connection *client;
static int memories[2];

static void open_both(bool client_writes)
{
    const connection_peer server_end = {(uint64_t)getpid(), geteuid(), NULL, 0, true, true};
    const connection_peer client_end = {(uint64_t)getpid(), geteuid(), NULL, 0, true, client_writes};
    int pair[2];
    ends_shape = (connection_shape){true, ENDS_QUOTA, ENDS_QUOTA};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(connection_memory(&ends_shape, &memories[0], &ends_error), IST_OK);
    memories[1] = fcntl(memories[0], F_DUPFD_CLOEXEC, 3);
    assert_true(memories[1] >= 0);
    assert_int_equal(
        connection_open(pair[0], memories[0], &ends_shape, true, true, true, &client_end, &ends_here, &ends_error),
        IST_OK);
    assert_int_equal(
        connection_open(pair[1], memories[1], &ends_shape, false, true, true, &server_end, &client, &ends_error),
        IST_OK);
}

static void close_both(void)
{
    connection_release(client);
    connection_release(ends_here);
    ends_here = NULL;
}

static bool shows(int fd, short event)
{
    struct pollfd asked = {fd, event, 0};
    return poll(&asked, 1, 0) == 1 && (asked.revents & event) != 0;
}

TEST(a_closed_end_has_no_descriptors)
{
    int fd = -1;
    open_both(true);
    fd = connection_socket(ends_here);
    connection_close(ends_here);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(fcntl(memories[0], F_GETFD), -1);
    assert_int_equal(connection_inherit(ends_here, &fd, &fd, &ends_error), IST_E_BROKEN);
    close_both();
}

/* A1 */
TEST(what_a_client_writes_that_may_not_is_not_read)
{
    ist_pipe_peeked out = IST_PIPE_PEEKED_INIT;
    size_t moved = 1;
    open_both(false);
    assert_int_equal(connection_write(client, "x", 1, &ends_once, &moved, &ends_error), IST_OK);
    assert_int_equal(ends_try_get(&moved), IST_TIMEOUT);
    assert_int_equal(moved, 0);
    assert_false(connection_has_data(ends_here));
    assert_int_equal(connection_look(ends_here, NULL, &ends_error), IST_TIMEOUT);
    assert_int_equal(connection_peek(ends_here, ends_sink, 1, &out, &ends_error), IST_OK);
    assert_int_equal(out.available_bytes, 0);
    assert_int_equal(ends_put(5), IST_OK);
    assert_int_equal(connection_read(client, ends_sink, 5, &ends_once, &moved, &ends_error), IST_OK);
    connection_close(client);
    assert_int_equal(ends_get(&moved), IST_E_BROKEN);
    assert_int_equal(connection_peek(ends_here, ends_sink, 1, &out, &ends_error), IST_E_BROKEN);
    close_both();
}

/* P8 */
TEST(a_drop_shows_at_the_peers_socket_whoever_has_ours_by_fork)
{
    pid_t child = 0;
    open_both(true);
    child = stage_fork();
    if (child == 0) {
        connection_close(client);
        for (;;)
            (void)pause();
    }
    assert_false(shows(connection_socket(client), POLLHUP));
    connection_drop(ends_here);
    assert_true(shows(connection_socket(client), POLLHUP));
    stage_kill(child);
    close_both();
}

TEST(memory_beyond_the_limit_of_files_is_no_room)
{
    struct rlimit all;
    struct rlimit few;
    int fd = -1;
    ends_shape = (connection_shape){true, ENDS_QUOTA, ENDS_QUOTA};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    few = (struct rlimit){8192, all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    assert_int_equal(connection_memory(&ends_shape, &fd, &ends_error), IST_E_SPACE);
    assert_int_equal(fd, -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
}

/* ---- the memory ---- */

/* As a container's filter may forbid it. */
static int make_without(void *code)
{
    int fd = -1;
    STAGE_CHECK(filter_refuse(SYS_memfd_create, *(const unsigned *)code));
    STAGE_IS(connection_memory(&ends_shape, &fd, &ends_error), IST_OK);
    STAGE_CHECK(connection_is_sealed(fd)); /* as far as can be */
    return close(fd);
}

TEST(memory_has_a_name_for_an_instant_where_the_system_forbids_another)
{
    static const unsigned codes[] = {ENOSYS, EPERM};
    const char *why = NULL;
    if (!filter_works(&why))
        SKIP(memory_has_a_name_for_an_instant_where_the_system_forbids_another, why);
    ends_shape = (connection_shape){true, ENDS_QUOTA, ENDS_QUOTA};
    for (size_t n = 0; n < COUNT_OF(codes); n++) {
        unsigned code = codes[n];
        assert_int_equal(stage_run(make_without, &code), 0);
        assert_int_equal(stage_failures(), 0);
    }
}

/* Of a hostile client: all in order, but for the seals. */
static int make_unsealed(void)
{
    int fd = memfd_create("unsealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    connection_words words;
    memset((void *)&words, 0, sizeof words);
    words.magic = CONNECTION_MAGIC;
    words.layout = CONNECTION_LAYOUT;
    words.messages = 1;
    words.inbound_bytes = ENDS_QUOTA;
    words.outbound_bytes = ENDS_QUOTA;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)connection_size(&ends_shape)), 0);
    assert_int_equal(pwrite(fd, (const void *)&words, sizeof words, 0), sizeof words);
    return fd;
}

static void open_end(int socket, int memory)
{
    const connection_peer far_end = {1, geteuid(), NULL, 0, true, true};
    trace_join();
    if (connection_open(socket, memory, &ends_shape, true, true, true, &far_end, &ends_here, &ends_error) == IST_OK)
        (void)ends_put(ENDS_QUOTA);
    trace_mark();
    _exit(0);
}

/* A3: it cuts its memory short and seals it then, while the server looks at it. */
TEST(memory_that_is_cut_before_it_is_sealed_is_refused)
{
    const char *why = NULL;
    unsigned stops = 0;
    bool ended = false;
    ends_shape = (connection_shape){true, ENDS_QUOTA, ENDS_QUOTA};
    if (!trace_works(&why))
        SKIP(memory_that_is_cut_before_it_is_sealed_is_refused, why);
    for (; !ended; stops++) {
        trace server;
        int pair[2];
        int memory = make_unsealed();
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        pid_t pid = stage_fork();
        if (pid == 0)
            open_end(pair[0], memory);
        trace_begin(&server, pid);
        ended = !trace_steps(&server, stops);
        assert_int_equal(ftruncate(memory, CONNECTION_DATA), 0);
        assert_int_equal(fcntl(memory, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW), 0);
        assert_int_equal(trace_finish(&server), 0);
        (void)close(pair[0]);
        (void)close(pair[1]);
        (void)close(memory);
    }
    assert_true(stops > 3);
}

/* ---- who has the end too, and was killed ---- */

/* The server's event loop has been told that nothing is there. */
static int watch_server(void)
{
    int fd = connection_socket(ends_here);
    size_t got = 0;
    assert_int_equal(ends_try_get(&got), IST_TIMEOUT);
    assert_false(shows(fd, POLLIN));
    return fd;
}

static ist_status client_puts(size_t size)
{
    size_t written = 0;
    return connection_write(client, ends_source, size, &ends_once, &written, &ends_error);
}

TEST(a_bell_that_its_ringer_did_not_sound_is_rung_by_the_next)
{
    int fd = -1;
    open_both(true);
    fd = watch_server();
    client->out.words->bell = RING_RINGING;
    assert_int_equal(client_puts(1), IST_OK);
    assert_true(shows(fd, POLLIN));
    ends_get_whole(1);
    (void)watch_server();
    close_both();
}

/* Also where the next can write nothing, and where he only flushes. */
TEST(what_was_shown_and_not_told_is_told_by_the_next)
{
    for (int flushes = 0; flushes < 2; flushes++) {
        plat_error error;
        size_t put = 0;
        int fd = -1;
        open_both(true);
        fd = watch_server();
        assert_int_equal(ring_write(&client->out, ends_source, ENDS_QUOTA, &put, &error), IST_OK);
        assert_false(shows(fd, POLLIN));
        assert_int_equal(flushes != 0 ? connection_flush(client, &ends_once, &error) : client_puts(1), IST_TIMEOUT);
        assert_true(shows(fd, POLLIN));
        ends_get_whole(ENDS_QUOTA);
        close_both();
    }
}

/* P11 */
TEST(an_event_loop_is_told_of_a_message_that_will_never_be_whole)
{
    plat_error error;
    size_t got = 0;
    int fd = -1;
    open_both(true);
    fd = watch_server();
    assert_int_equal(ring_offer(&client->out, ends_source, ENDS_QUOTA * 4, &error), IST_OK);
    assert_int_equal(ends_try_get(&got), IST_MORE);
    (void)watch_server();
    assert_int_equal(client_puts(1), IST_E_BROKEN);
    assert_true(shows(fd, POLLIN));
    assert_int_equal(ends_try_get(&got), IST_E_BROKEN);
    close_both();
}

/* P9 */
TEST(a_flush_that_its_own_end_s_drop_ends_has_failed)
{
    open_both(true);
    assert_int_equal(client_puts(1), IST_OK);
    connection_drop(client);
    assert_int_equal(connection_flush(client, &ends_once, &ends_error), IST_E_BROKEN);
    close_both();
}

/* ---- ends in two ---- */

static int take_number(void)
{
    int fd = connection_socket(ends_here);
    int own = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(dup2(own, fd), fd);
    (void)close(own);
    return fd;
}

TEST(a_death_is_seen_without_the_socket)
{
    for (int waits = 0; waits < 2; waits++) {
        life_watch watch = {{NULL, 0}, NULL};
        size_t got = 0;
        int fd = -1;
        ends_connect(true);
        fd = take_number();
        player_kill(&ends_client);
        assert_int_equal(waits != 0 ? connection_look(ends_here, &watch, &ends_error) : IST_OK, IST_OK);
        assert_int_equal(ends_get(&got), IST_E_BROKEN);
        assert_true(connection_peer_is_gone(ends_here));
        life_unwatch(&watch);
        ends_part();
        assert_int_not_equal(fcntl(fd, F_GETFD), -1);
        (void)close(fd);
    }
}

TEST(a_message_cut_short_by_its_writers_death_is_none)
{
    size_t got = 1;
    ends_connect(true);
    player_begin(&ends_client, ends_client_puts, ENDS_LARGEST);
    assert_int_equal(connection_read(ends_here, ends_sink, 100, &ends_forever, &got, &ends_error), IST_MORE);
    assert_int_equal(got, 100);
    player_kill(&ends_client);
    assert_int_equal(ends_get(&got), IST_E_BROKEN);
    assert_int_equal(got, 0);
    ends_part();
}

#define RUN_ENDS(name) cmocka_unit_test_setup_teardown(name, ends_setup, ends_teardown)

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ENDS(a_closed_end_has_no_descriptors),
        RUN_ENDS(what_a_client_writes_that_may_not_is_not_read),
        RUN_ENDS(a_drop_shows_at_the_peers_socket_whoever_has_ours_by_fork),
        RUN_ENDS(memory_beyond_the_limit_of_files_is_no_room),
        RUN_ENDS(memory_has_a_name_for_an_instant_where_the_system_forbids_another),
        RUN_ENDS(memory_that_is_cut_before_it_is_sealed_is_refused),
        RUN_ENDS(a_bell_that_its_ringer_did_not_sound_is_rung_by_the_next),
        RUN_ENDS(what_was_shown_and_not_told_is_told_by_the_next),
        RUN_ENDS(an_event_loop_is_told_of_a_message_that_will_never_be_whole),
        RUN_ENDS(a_flush_that_its_own_end_s_drop_ends_has_failed),
        RUN_ENDS(a_death_is_seen_without_the_socket),
        RUN_ENDS(a_message_cut_short_by_its_writers_death_is_none),
    };
    return cmocka_run_group_tests_name("posix_connection_mended", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, run_all);
}
