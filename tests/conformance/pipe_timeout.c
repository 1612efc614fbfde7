/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a timeout leaves behind (P11), and what goes without a reader (P13).
 */
#include "support/clock.h"
#include "support/pipe_peer.h"

#define LARGE 300000

static void join(pipe_ends *ends)
{
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    pipe_join(ends, &options);
}

/* W5 P11 */
TEST(a_timeout_is_never_early)
{
    static const int64_t timeouts[] = {1, 100, 999999, 1000001, 7 * CLOCK_MS + 13, 60 * CLOCK_MS};
    pipe_ends ends;
    ist_pipe *more = NULL;
    char *bytes = pipe_memory(LARGE);
    char name[NAME_SIZE];
    ist_pipe *idle = pipe_serve(name, IST_PIPE_MESSAGE);
    join(&ends);
    PIPE_PUT(ends.client, "unread");
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        size_t got = 9;
        for (int call = 0; call < 7; call++) {
            int64_t start = clock_steady_ns();
            ist_status status = call == 0   ? ist_pipe_accept(idle, timeouts[i])
                                : call == 1 ? ist_pipe_connect(&more, ends.name, IST_READ, timeouts[i])
                                : call == 2 ? ist_pipe_read(ends.client, bytes, 9, timeouts[i], &got)
                                : call == 3 ? ist_pipe_write(ends.client, bytes, LARGE, timeouts[i], &got)
                                : call == 4 ? ist_pipe_flush(ends.client, timeouts[i])
                                : call == 5
                                    ? ist_wait(ist_pipe_waitable(ends.client), timeouts[i])
                                    : ist_pipe_call(ends.name, IST_TRUST_OWNER, "", 0, bytes, 9, timeouts[i], &got);
            int64_t passed = clock_steady_ns() - start;
            CHECK_STATUS(IST_TIMEOUT, status);
            assert_true(passed >= timeouts[i]);
        }
        assert_null(more);
    }
    PIPE_GET(ends.server, "unread");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    free(bytes);
    ist_pipe_close(idle);
    pipe_part(&ends);
}

/* P11 */
TEST(a_read_that_timed_out_has_taken_nothing)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        for (int i = 0; i < 100; i++) {
            char bytes[8];
            size_t got = 9;
            CHECK_STATUS(IST_TIMEOUT, ist_pipe_read(ends.server, bytes, sizeof bytes, i % 2 == 0 ? 0 : 1000, &got));
            assert_int_equal(got, 0);
            PEER_ASK(client, "IST_OK 2", "write ab 0");
            PIPE_GET(ends.server, "ab");
        }
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P11: a large message that nobody has begun to read */
TEST(a_message_that_timed_out_unread_was_never_written)
{
    static const int64_t timeouts[] = {0, 1, 30 * CLOCK_MS};
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        pipe_ends ends;
        size_t written = 9;
        char *bytes = pipe_memory(LARGE);
        peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, LARGE, timeouts[i], &written));
        assert_int_equal(written, 0);
        PEER_ASK(client, "IST_OK 0 0 0", "peek 10");
        PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
        PIPE_PUT(ends.server, "small");
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, LARGE, timeouts[i], &written));
        PIPE_PUT(ends.server, "next");
        PEER_ASK(client, "IST_OK 5 small", "read 10 0");
        PEER_ASK(client, "IST_OK 4 next", "read 10 0");
        PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
        PEER_ASK(client, "IST_OK 4", "write back 0");
        PIPE_GET(ends.server, "back");
        free(bytes);
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P11: one that waits behind others */
TEST(a_message_that_timed_out_behind_others_was_never_written)
{
    pipe_ends ends;
    size_t written = 9;
    unsigned sent = 0;
    char bytes[1024];
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    while (pipe_fill(bytes, sizeof bytes, sent),
           ist_pipe_write(ends.server, bytes, sizeof bytes, 0, &written) == IST_OK)
        sent++;
    assert_int_equal(written, 0);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, sizeof bytes, CLOCK_MS, &written));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, sizeof bytes, 0, &written));
    for (unsigned i = 0; i < sent; i++)
        PEER_ASK(client, "IST_OK 1024 yes", "drink 2000 %u 0 0", i);
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

/* Both sides are at their end; the instance has another life. */
static void check_broken(pipe_ends *ends, peer *client, unsigned char *bytes)
{
    size_t done = 10;
    size_t got = 0;
    ist_status status = IST_MORE;
    PEER_ASK(client, "IST_E_BROKEN 0", "write x 0");
    PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 0");
    /* What was there before may still come; the message does not, and then the end does. */
    for (int i = 0; status == IST_MORE && i < 100; i++) {
        status = ist_pipe_read(ends->server, bytes, LARGE, pipe_bound_ns(), &got);
        assert_true(pipe_is_filled(bytes, got, 5, done));
        done += got;
    }
    CHECK_STATUS(IST_E_BROKEN, status);
    assert_true(done < LARGE);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(ends->server, "x", 1, 0, NULL));
    CHECK_OK(ist_pipe_disconnect(ends->server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(ends->server, 0));
    peer *next = pipe_start_client(ends->name);
    CHECK_OK(ist_pipe_accept(ends->server, pipe_bound_ns()));
    PEER_ASK(next, "IST_OK 3", "write new 0");
    PIPE_GET(ends->server, "new");
    peer_end(next);
}

/* P11: a large message that was read in part; where the reader took it off the system as a whole, it has been written
 */
TEST(a_message_that_timed_out_in_part_read_breaks_the_connection_for_both)
{
    pipe_ends ends;
    char answer[PEER_LINE_SIZE];
    size_t got = 0;
    unsigned char *bytes = pipe_memory(LARGE);
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_begin(client, "pour 300000 5 3000");
    CHECK_STATUS(IST_MORE, ist_pipe_read(ends.server, bytes, 10, pipe_bound_ns(), &got));
    assert_int_equal(got, 10);
    assert_true(pipe_is_filled(bytes, 10, 5, 0));
    peer_hear(client, answer);
    if (strcmp(answer, "IST_OK 300000") == 0) {
        CHECK_OK(ist_pipe_read(ends.server, bytes, LARGE, 0, &got));
        assert_int_equal(got, LARGE - 10);
        assert_true(pipe_is_filled(bytes, got, 5, 10));
    } else {
        assert_string_equal(answer, "IST_E_BROKEN 0");
        check_broken(&ends, client, bytes);
    }
    free(bytes);
    peer_end(client);
    pipe_part(&ends);
}

/* P11: reading it in time is all that is asked for */
TEST(a_large_message_read_in_time_goes_whatever_the_timeout)
{
    pipe_ends ends;
    unsigned char *bytes = pipe_memory(LARGE);
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    for (unsigned i = 0; i < 20; i++) {
        size_t got = 0;
        peer_say(client, "pour 300000 %u 60000", i);
        CHECK_OK(ist_pipe_read(ends.server, bytes, LARGE, pipe_bound_ns(), &got));
        assert_int_equal(got, LARGE);
        assert_true(pipe_is_filled(bytes, LARGE, i, 0));
        PIPE_HEAR(client, "IST_OK 300000");
    }
    free(bytes);
    peer_end(client);
    pipe_part(&ends);
}

/* Writes messages of this size until no more go without a reader. */
static void check_room(const ist_pipe_options *options, uint32_t least, size_t size)
{
    pipe_ends ends;
    size_t count = 0;
    size_t written = 9;
    unsigned char *bytes = pipe_memory(size);
    pipe_join(&ends, options);
    ist_status status = IST_OK;
    while (count < ((size_t)1 << 22)) {
        pipe_fill(bytes, size, (unsigned)count);
        status = ist_pipe_write(ends.client, bytes, size, 0, &written);
        if (status != IST_OK)
            break;
        assert_int_equal(written, size);
        count++;
    }
    CHECK_STATUS(IST_TIMEOUT, status);
    assert_int_equal(written, 0);
    assert_true(count * size + size > least);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.client, bytes, size, CLOCK_MS, &written));
    for (size_t i = 0; i < count; i++) {
        size_t got = 0;
        CHECK_OK(ist_pipe_read(ends.server, bytes, size, 0, &got));
        assert_int_equal(got, size);
        assert_true(pipe_is_filled(bytes, size, (unsigned)i, 0));
    }
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    CHECK_OK(ist_pipe_write(ends.client, bytes, size, 0, &written));
    free(bytes);
    pipe_part(&ends);
}

/* P13 */
TEST(messages_go_without_a_reader_until_the_buffer_is_full)
{
    static const uint32_t buffers[] = {0, 4096, 5000, 65536};
    static const size_t sizes[] = {1, 2, 100, 1024, 4096};
    for (size_t i = 0; i < COUNT_OF(buffers); i++) {
        for (size_t k = 0; k < COUNT_OF(sizes); k++) {
            ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
            if (buffers[i] / sizes[k] > 5000)
                continue; /* nothing new, and a minute under Wine */
            options.inbound_bytes = buffers[i];
            check_room(&options, buffers[i] == 0 ? IST_PIPE_BUFFER_MIN : buffers[i], sizes[k]);
        }
    }
}

/* P13: of its own direction's buffer */
TEST(each_direction_has_a_buffer_of_its_own)
{
    pipe_ends ends;
    size_t written = 9;
    unsigned char *bytes = pipe_memory(100000);
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    options.inbound_bytes = 100000;
    options.outbound_bytes = 4096;
    pipe_join(&ends, &options);
    CHECK_OK(ist_pipe_write(ends.client, bytes, 100000, 0, &written));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, 100000, 0, &written));
    CHECK_OK(ist_pipe_write(ends.server, bytes, 4096, 0, &written));
    PIPE_CHECK_PEEK(ends.server, 100000, 100000);
    PIPE_CHECK_PEEK(ends.client, 4096, 4096);
    free(bytes);
    pipe_part(&ends);
}

/* P13: a larger one waits for the reader, and goes when he comes */
TEST(a_message_that_waits_for_room_goes_when_there_is_some)
{
    pipe_ends ends;
    char bytes[4096];
    size_t got = 0;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 4000", "pour 4000 1 0");
    pipe_begin(client, "pour 4000 2 forever");
    CHECK_OK(ist_pipe_read(ends.server, bytes, sizeof bytes, pipe_bound_ns(), &got));
    assert_int_equal(got, 4000);
    PIPE_HEAR(client, "IST_OK 4000");
    CHECK_OK(ist_pipe_read(ends.server, bytes, sizeof bytes, pipe_bound_ns(), &got));
    assert_int_equal(got, 4000);
    assert_true(pipe_is_filled(bytes, got, 2, 0));
    peer_end(client);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_timeout_is_never_early),
        RUN(a_read_that_timed_out_has_taken_nothing),
        RUN(a_message_that_timed_out_unread_was_never_written),
        RUN(a_message_that_timed_out_behind_others_was_never_written),
        RUN(a_message_that_timed_out_in_part_read_breaks_the_connection_for_both),
        RUN(a_large_message_read_in_time_goes_whatever_the_timeout),
        RUN(messages_go_without_a_reader_until_the_buffer_is_full),
        RUN(each_direction_has_a_buffer_of_its_own),
        RUN(a_message_that_waits_for_room_goes_when_there_is_some),
    };
    return cmocka_run_group_tests_name("pipe_timeout", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
