/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends of pipes between two steps of a call, which are taken by hand. Only on Windows.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/pipe_peer.h"

#include "core/object.h"
#include "win32/pipe.h"

#include <string.h>
#include <wchar.h>

#define FOREVER_MS 60000

static plat_pipe *end_of(ist_pipe *pipe)
{
    return (plat_pipe *)ist_pipe_waitable(pipe)->plat;
}

static bool is_set(const plat_pipe *end)
{
    return WaitForSingleObject(end->object.handle, 0) == WAIT_OBJECT_0;
}

static void change_clients(ist_pipe *server, const char *name, ist_pipe **client)
{
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    CHECK_OK(ist_pipe_connect(client, name, IST_READ | IST_WRITE, 0));
    CHECK_OK(ist_pipe_accept(server, 0));
}

/* A call that looks and is about to sleep, where nothing sets the event; and its end. */
static void begin_to_look(plat_pipe *end, win32_call *call)
{
    plat_error error;
    CHECK_OK(win32_pipe_enter(end, pipe_bound_ns(), call, &error));
    win32_call_looks(call);
}

static ist_status look_again(plat_pipe *end, win32_call *call)
{
    plat_error error;
    assert_false(is_set(end));
    ist_status status = win32_call_look(call, end->object.handle, &error);
    CHECK_OK(win32_pipe_leave(end, call, IST_OK, &error));
    return status;
}

/* ---- clients ---- */

/* P8: calls that had begun for the first look again when the second is there. */
TEST(what_began_for_one_client_is_not_for_the_next)
{
    pipe_ends ends;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    ist_pipe *second = NULL;
    char bytes[8] = "";
    size_t moved = 0;
    bool torn = false;
    win32_call call;
    plat_error error;
    pipe_join(&ends, &options);
    plat_pipe *end = end_of(ends.server);
    uint32_t first = win32_pipe_disconnects(end);
    change_clients(ends.server, ends.name, &second);
    PIPE_PUT(second, "second");
    CHECK_OK(win32_pipe_enter(end, 0, &call, &error));
    assert_int_equal(win32_pipe_get(end, first, bytes, sizeof bytes, &call, &moved, &error), IST_E_BROKEN);
    assert_int_equal(win32_pipe_put(end, first, false, "x", 1, &call, &moved, &torn, &error), IST_E_BROKEN);
    assert_false(torn);
    CHECK_OK(win32_pipe_leave(end, &call, IST_OK, &error));
    PIPE_GET(ends.server, "second");
    PIPE_GET_NOTHING(second, IST_TIMEOUT);
    ist_pipe_close(second);
    pipe_part(&ends);
}

/* P8: the event is set and reset before it sleeps. */
TEST(who_is_about_to_sleep_is_told_of_a_disconnect)
{
    pipe_ends ends;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    win32_call call;
    pipe_join(&ends, &options);
    begin_to_look(end_of(ends.server), &call);
    CHECK_OK(ist_pipe_disconnect(ends.server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(ends.server, 0));
    assert_int_equal(look_again(end_of(ends.server), &call), IST_OK);
    pipe_part(&ends);
}

/* P4: the client came, and somebody has begun to read. */
TEST(who_is_about_to_sleep_is_told_of_a_client)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    ist_pipe *client = NULL;
    win32_call call;
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    begin_to_look(end_of(server), &call);
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    PIPE_GET_NOTHING(server, IST_TIMEOUT);
    assert_int_equal(look_again(end_of(server), &call), IST_OK);
    ist_pipe_close(client);
    ist_pipe_close(server);
}

/* P4: a nudge is not a cancellation, and a cancellation not a nudge. */
TEST(a_cancellation_stays_one)
{
    pipe_ends ends;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    win32_call call;
    pipe_join(&ends, &options);
    plat_pipe *end = end_of(ends.server);
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT); /* nothing is there, and the event says so */
    begin_to_look(end, &call);
    win32_calls_nudge(&end->calls);
    ist_pipe_cancel(ends.server);
    win32_calls_nudge(&end->calls);
    assert_int_equal(look_again(end, &call), IST_CANCELLED);
    pipe_part(&ends);
}

/* ---- a server without a buffer ---- */

/* P11 */
TEST(a_write_to_a_native_server_without_a_buffer_ends_in_time)
{
    char name[NAME_SIZE];
    wchar_t path[NAME_SIZE + 16];
    char got[8];
    size_t written = 9;
    DWORD bytes = 0;
    OVERLAPPED reading;
    ist_pipe *client = NULL;
    unique_name(name, "", "bare");
    (void)swprintf(path, COUNT_OF(path), L"\\\\.\\pipe\\%hs", name);
    HANDLE server = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 1, 0, 0, 0, NULL);
    assert_true(server != INVALID_HANDLE_VALUE);
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE | IST_TRUST_EVERYONE, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(client, "hello", 5, 20 * CLOCK_MS, &written));
    assert_int_equal(written, 0);
    memset(&reading, 0, sizeof reading);
    reading.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    (void)ReadFile(server, got, sizeof got, NULL, &reading);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(client, "hello", 5, 20 * CLOCK_MS, &written));
    assert_true(GetOverlappedResult(server, &reading, &bytes, TRUE));
    assert_int_equal(bytes, written);
    assert_int_equal(got[0], 'h');
    ist_pipe_close(client);
    (void)CloseHandle(reading.hEvent);
    (void)CloseHandle(server);
}

/* ---- sleepers ---- */

typedef struct both_ends {
    plat_pipe *server;
    plat_pipe *client;
    plat_error error;
} both_ends;

static void pair(both_ends *out)
{
    const plat_pipe_request request = {.type = IST_PIPE_MESSAGE,
                                       .direction = IST_PIPE_DUPLEX,
                                       .inbound_bytes = IST_PIPE_BUFFER_MIN,
                                       .outbound_bytes = IST_PIPE_BUFFER_MIN};
    plat_pipe_sort sorts[2];
    CHECK_OK(plat_pipe_pair(&request, &out->server, &out->client, sorts, &out->error));
}

static void part(both_ends *ends)
{
    plat_pipe_close(ends->client);
    plat_pipe_close(ends->server);
}

/* L10: who has looked and is going to sleep finds the event set, or a call pending that will set it. */
TEST(whatever_others_do_a_sleeper_is_woken)
{
    both_ends ends;
    bool ready = true;
    size_t written = 0;
    pair(&ends);
    CHECK_OK(win32_pipe_face.arm(&ends.server->object, &ready, &ends.error));
    assert_false(ready);
    assert_false(is_set(ends.server));
    CHECK_OK(plat_pipe_accept(ends.server, 0, &ends.error)); /* somebody else: takes the watch back */
    CHECK_OK(plat_pipe_write(ends.client, "x", 1, 0, &written, &ends.error));
    assert_true(is_set(ends.server));
    part(&ends);
}

/* An event that is set without a reason would keep sleepers busy. */
TEST(an_event_that_was_set_late_is_reset_by_the_next_look)
{
    both_ends ends;
    bool ready = true;
    size_t written = 0;
    pair(&ends);
    CHECK_OK(win32_pipe_face.arm(&ends.server->object, &ready, &ends.error));
    (void)SetEvent(ends.server->object.handle);
    CHECK_OK(win32_pipe_face.arm(&ends.server->object, &ready, &ends.error));
    assert_false(ready);
    assert_false(is_set(ends.server));
    CHECK_OK(plat_pipe_write(ends.client, "x", 1, 0, &written, &ends.error));
    assert_int_equal(WaitForSingleObject(ends.server->object.handle, FOREVER_MS), WAIT_OBJECT_0);
    part(&ends);
}

/* P11: it would keep the end, and the peer decided for how long. */
TEST(a_call_that_comes_while_the_end_is_broken_is_over_at_once)
{
    both_ends ends;
    char reply[8];
    size_t got = 0;
    pair(&ends);
    ends.client->phase = PIPE_BROKEN; /* the first step of win32_pipe_break() */
    assert_int_equal(plat_pipe_transact(ends.client, "q", 1, reply, sizeof reply, 0, &got, &ends.error), IST_E_BROKEN);
    assert_int_equal(plat_pipe_flush(ends.client, 0, &ends.error), IST_E_BROKEN);
    part(&ends);
}

/* P11: of the client who was there when the write began, and not of the next. */
TEST(a_break_that_comes_late_spares_the_next_client)
{
    pipe_ends ends;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    ist_pipe *second = NULL;
    plat_error error;
    pipe_join(&ends, &options);
    plat_pipe *end = end_of(ends.server);
    uint32_t disconnects = win32_pipe_disconnects(end);
    change_clients(ends.server, ends.name, &second);
    assert_int_equal(win32_pipe_break(end, disconnects, &error), IST_E_BROKEN);
    PIPE_PUT(second, "there");
    PIPE_GET(ends.server, "there");
    assert_int_equal(win32_pipe_break(end, disconnects + 1, &error), IST_E_BROKEN);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(ends.server, 0)); /* a disconnect comes first */
    ist_pipe_close(second);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_began_for_one_client_is_not_for_the_next),
        RUN(who_is_about_to_sleep_is_told_of_a_disconnect),
        RUN(who_is_about_to_sleep_is_told_of_a_client),
        RUN(a_cancellation_stays_one),
        RUN(a_write_to_a_native_server_without_a_buffer_ends_in_time),
        RUN(whatever_others_do_a_sleeper_is_woken),
        RUN(an_event_that_was_set_late_is_reset_by_the_next_look),
        RUN(a_call_that_comes_while_the_end_is_broken_is_over_at_once),
        RUN(a_break_that_comes_late_spares_the_next_client),
    };
    return cmocka_run_group_tests_name("win32_pipes_mended", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
