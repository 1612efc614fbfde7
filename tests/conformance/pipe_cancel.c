/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Calls that another thread cancels, and those of a disconnect: P8, P11.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/pipe_peer.h"

#define LARGE 500000

typedef enum deed { DEED_ACCEPT, DEED_READ, DEED_WRITE, DEED_FLUSH, DEED_TRANSACT, DEEDS } deed;

/* A call that blocks in one thread, and what another does about it. */
typedef struct blocked_call {
    ist_pipe *pipe;
    deed what;
    void (*about)(ist_pipe *pipe);
    ist_event *over;
    void *bytes;
    size_t n; /* got or written */
    ist_status status;
    ist_status others; /* what else went wrong */
} blocked_call;

static ist_status block(blocked_call *call)
{
    switch (call->what) {
    case DEED_ACCEPT:
        return ist_pipe_accept(call->pipe, pipe_bound_ns());
    case DEED_READ:
        return ist_pipe_read(call->pipe, call->bytes, LARGE, pipe_bound_ns(), &call->n);
    case DEED_WRITE:
        return ist_pipe_write(call->pipe, call->bytes, LARGE, pipe_bound_ns(), &call->n);
    case DEED_FLUSH:
        return ist_pipe_flush(call->pipe, pipe_bound_ns());
    default:
        return ist_pipe_transact(call->pipe, "q", 1, call->bytes, LARGE, pipe_bound_ns(), &call->n);
    }
}

/* A thread cannot see that the other is blocked: it does it again until the call is over. */
static void run_threads(void *context, size_t index)
{
    blocked_call *call = context;
    if (index == 0) {
        call->status = block(call);
        call->others = ist_event_set(call->over);
        return;
    }
    do {
        call->about(call->pipe);
    } while (ist_wait(ist_event_waitable(call->over), 2 * CLOCK_MS) == IST_TIMEOUT);
}

static void cancel(ist_pipe *pipe)
{
    (void)ist_pipe_cancel(pipe);
}

/* Of an instance that nobody is at, it does no harm. */
static void disconnect(ist_pipe *pipe)
{
    pipe_pause();
    (void)ist_pipe_disconnect(pipe);
}

static void run(blocked_call *call, ist_pipe *pipe, deed what, void (*about)(ist_pipe *pipe))
{
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    memset(call, 0, sizeof *call);
    options.manual_reset = 1;
    CHECK_OK(ist_event_create(&call->over, NULL, &options));
    call->pipe = pipe;
    call->what = what;
    call->about = about;
    call->bytes = pipe_memory(LARGE);
    pipe_fill(call->bytes, LARGE, 1);
    call->status = IST_E_OS;
    host_threads(2, run_threads, call);
    ist_event_close(call->over);
    free(call->bytes);
    CHECK_OK(call->others);
}

TEST(an_accept_is_cancelled_and_the_instance_still_listens)
{
    char name[NAME_SIZE];
    blocked_call call;
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    for (int i = 0; i < 5; i++) {
        run(&call, server, DEED_ACCEPT, cancel);
        CHECK_STATUS(IST_CANCELLED, call.status);
    }
    peer *client = pipe_start_client(name);
    CHECK_OK(ist_pipe_accept(server, 0));
    peer_end(client);
    ist_pipe_close(server);
}

/* P11 */
TEST(a_read_is_cancelled_and_has_taken_nothing)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        blocked_call call;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        for (int i = 0; i < 5; i++) {
            run(&call, ends.server, DEED_READ, cancel);
            CHECK_STATUS(IST_CANCELLED, call.status);
            assert_int_equal(call.n, 0);
            PEER_ASK(client, "IST_OK 1", "write x 0");
            PIPE_GET(ends.server, "x");
        }
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P11 */
TEST(a_write_of_a_message_is_cancelled_and_was_never_written)
{
    pipe_ends ends;
    blocked_call call;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    for (int i = 0; i < 5; i++) {
        run(&call, ends.server, DEED_WRITE, cancel);
        CHECK_STATUS(IST_CANCELLED, call.status);
        assert_int_equal(call.n, 0);
        PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
        PIPE_PUT(ends.server, "next");
        PEER_ASK(client, "IST_OK 4 next", "read 10 0");
    }
    peer_end(client);
    pipe_part(&ends);
}

/* P11 */
TEST(a_write_of_bytes_is_cancelled_and_says_how_much_went)
{
    pipe_ends ends;
    blocked_call call;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    run(&call, ends.server, DEED_WRITE, cancel);
    CHECK_STATUS(IST_CANCELLED, call.status);
    assert_true(call.n < LARGE);
    for (size_t done = 0; done < call.n;) {
        char answer[PEER_LINE_SIZE];
        size_t got = 0;
        peer_query(client, answer, "drink %d 1 %zu 0", LARGE, done);
        assert_int_equal(sscanf(answer, "IST_OK %zu yes", &got), 1);
        assert_true(got > 0 && strstr(answer, " yes") != NULL);
        done += got;
        assert_true(done <= call.n);
    }
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

TEST(a_flush_is_cancelled_and_what_is_unread_stays)
{
    pipe_ends ends;
    blocked_call call;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "unread");
    for (int i = 0; i < 5; i++) {
        run(&call, ends.server, DEED_FLUSH, cancel);
        CHECK_STATUS(IST_CANCELLED, call.status);
    }
    PEER_ASK(client, "IST_OK 6 unread", "read 10 0");
    CHECK_OK(ist_pipe_flush(ends.server, 0));
    peer_end(client);
    pipe_part(&ends);
}

/* P10 */
TEST(a_transact_is_cancelled)
{
    pipe_ends ends;
    blocked_call call;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    run(&call, ends.server, DEED_TRANSACT, cancel);
    CHECK_STATUS(IST_CANCELLED, call.status);
    assert_int_equal(call.n, 0);
    peer_end(client);
    pipe_part(&ends);
}

/* The client's calls as well. */
TEST(a_client_cancels_its_own_calls)
{
    char name[NAME_SIZE];
    unique_name(name, "", "cancel");
    peer *server = pipe_start_server(name, "message");
    for (int what = DEED_READ; what < DEEDS; what++) {
        ist_pipe *client = NULL;
        blocked_call call;
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        if (what == DEED_FLUSH)
            PIPE_PUT(client, "unread");
        run(&call, client, (deed)what, cancel);
        CHECK_STATUS(IST_CANCELLED, call.status);
        ist_pipe_close(client);
        PEER_ASK(server, "IST_OK", "disconnect");
        PEER_ASK(server, "IST_TIMEOUT", "accept 0");
    }
    peer_end(server);
}

TEST(a_cancel_does_nothing_to_a_call_that_begins_later)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    CHECK_OK(ist_pipe_cancel(ends.server));
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    CHECK_OK(ist_pipe_cancel(ends.server));
    peer_say(client, "later write x 0");
    PIPE_GET(ends.server, "x");
    PIPE_HEAR(client, "IST_OK 1");
    peer_end(client);
    pipe_part(&ends);
}

typedef struct blocked_crowd {
    ist_pipe *pipe;
    ist_semaphore *over;
    ist_status seen[3];
} blocked_crowd;

static void run_crowd(void *context, size_t index)
{
    blocked_crowd *all = context;
    char bytes[8];
    size_t got = 0;
    if (index < COUNT_OF(all->seen)) {
        all->seen[index] = ist_pipe_read(all->pipe, bytes, sizeof bytes, pipe_bound_ns(), &got);
        (void)ist_semaphore_release(all->over, 1, NULL);
        return;
    }
    for (size_t ended = 0; ended < COUNT_OF(all->seen);) {
        (void)ist_pipe_cancel(all->pipe);
        if (ist_wait(ist_semaphore_waitable(all->over), 2 * CLOCK_MS) == IST_OK)
            ended++;
    }
}

/* L10 */
TEST(all_calls_that_are_blocked_on_an_end_are_cancelled)
{
    pipe_ends ends;
    blocked_crowd all;
    ist_semaphore *over = NULL;
    pipe_join(&ends, NULL);
    CHECK_OK(ist_semaphore_create(&over, NULL, NULL));
    all.pipe = ends.server;
    all.over = over;
    host_threads(COUNT_OF(all.seen) + 1, run_crowd, &all);
    for (size_t i = 0; i < COUNT_OF(all.seen); i++)
        CHECK_STATUS(IST_CANCELLED, all.seen[i]);
    ist_semaphore_close(over);
    pipe_part(&ends);
}

/* P8 */
TEST(a_disconnect_breaks_what_other_threads_are_blocked_in)
{
    for (int what = DEED_ACCEPT; what < DEEDS; what++) {
        pipe_ends ends;
        blocked_call call;
        peer *client = NULL;
        if (what == DEED_ACCEPT)
            ends.server = pipe_serve(ends.name, IST_PIPE_MESSAGE);
        else
            client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
        if (what == DEED_FLUSH)
            PIPE_PUT(ends.server, "unread");
        run(&call, ends.server, (deed)what, disconnect);
        assert_int_equal(call.status, IST_E_BROKEN);
        if (client != NULL) {
            PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 0");
            peer_end(client);
        }
        ist_pipe_close(ends.server);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_accept_is_cancelled_and_the_instance_still_listens),
        RUN(a_read_is_cancelled_and_has_taken_nothing),
        RUN(a_write_of_a_message_is_cancelled_and_was_never_written),
        RUN(a_write_of_bytes_is_cancelled_and_says_how_much_went),
        RUN(a_flush_is_cancelled_and_what_is_unread_stays),
        RUN(a_transact_is_cancelled),
        RUN(a_client_cancels_its_own_calls),
        RUN(a_cancel_does_nothing_to_a_call_that_begins_later),
        RUN(all_calls_that_are_blocked_on_an_end_are_cancelled),
        RUN(a_disconnect_breaks_what_other_threads_are_blocked_in),
    };
    return cmocka_run_group_tests_name("pipe_cancel", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
