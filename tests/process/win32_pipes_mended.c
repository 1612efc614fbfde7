/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends of pipes between two steps: threads that are suspended there, and the steps done by hand. Only on Windows.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/pipe_peer.h"

#include "core/object.h"
#include "win32/pipe.h"

#include <string.h>
#include <wchar.h>

#define FOREVER_MS 60000

/* ---- a call in a thread ---- */

typedef struct caller {
    HANDLE thread;
    ist_pipe *pipe;
    plat_pipe *end;
    char *bytes;
    size_t size;
    size_t done;
    ist_status status;
} caller;

static DWORD WINAPI read_run(void *context)
{
    caller *self = context;
    self->status = ist_pipe_read(self->pipe, self->bytes, self->size, pipe_bound_ns(), &self->done);
    return 0;
}

static DWORD WINAPI write_run(void *context)
{
    caller *self = context;
    self->status = ist_pipe_write(self->pipe, self->bytes, self->size, pipe_bound_ns(), &self->done);
    return 0;
}

static DWORD WINAPI transact_run(void *context)
{
    caller *self = context;
    plat_error error;
    self->status = plat_pipe_transact(self->end, "q", 1, self->bytes, self->size, IST_FOREVER, &self->done, &error);
    return 0;
}

static void begin(caller *self, LPTHREAD_START_ROUTINE run)
{
    self->thread = CreateThread(NULL, 0, run, self, 0, NULL);
    assert_non_null(self->thread);
}

static void end(caller *self)
{
    assert_int_equal(WaitForSingleObject(self->thread, FOREVER_MS), WAIT_OBJECT_0);
    (void)CloseHandle(self->thread);
}

/* It stands wherever it had come to: in its wait, as a rule. */
static void suspend(const caller *self)
{
    Sleep(300);
    assert_true(SuspendThread(self->thread) != (DWORD)-1);
}

static void change_clients(ist_pipe *server, const char *name, ist_pipe **client)
{
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    CHECK_OK(ist_pipe_connect(client, name, IST_READ | IST_WRITE, 0));
    CHECK_OK(ist_pipe_accept(server, 0));
}

/* ---- clients ---- */

/* P8 */
TEST(a_read_for_one_client_gives_nothing_of_the_next)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        ist_pipe_options options = pipe_options((ist_pipe_type)type);
        ist_pipe *second = NULL;
        char bytes[8] = "";
        size_t got = 0;
        pipe_join(&ends, &options);
        caller reader = {NULL, ends.server, NULL, bytes, sizeof bytes, 0, IST_OK};
        begin(&reader, read_run);
        suspend(&reader);
        change_clients(ends.server, ends.name, &second);
        PIPE_PUT(second, "second");
        (void)ResumeThread(reader.thread);
        end(&reader);
        assert_int_equal(reader.status, IST_E_BROKEN);
        CHECK_OK(ist_pipe_read(ends.server, bytes, sizeof bytes, pipe_bound_ns(), &got));
        assert_int_equal(got, 6);
        ist_pipe_close(second);
        pipe_part(&ends);
    }
}

/* P8: bytes that go in pieces */
TEST(a_write_for_one_client_gives_nothing_to_the_next)
{
    pipe_ends ends;
    ist_pipe_options options = pipe_options(IST_PIPE_BYTE);
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    ist_pipe *second = NULL;
    size_t got = 0;
    char *bytes = pipe_memory(40960);
    char *sink = pipe_memory(40960);
    pipe_join(&ends, &options);
    caller writer = {NULL, ends.server, NULL, bytes, 40960, 0, IST_OK};
    begin(&writer, write_run);
    suspend(&writer);
    while (ist_pipe_read(ends.client, sink, 40960, 300 * CLOCK_MS, &got) == IST_OK)
        continue;
    change_clients(ends.server, ends.name, &second);
    (void)ResumeThread(writer.thread);
    end(&writer);
    assert_int_equal(writer.status, IST_E_BROKEN);
    CHECK_OK(ist_pipe_peek(second, NULL, 0, &peeked));
    assert_int_equal(peeked.available_bytes, 0);
    free(bytes);
    free(sink);
    ist_pipe_close(second);
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

static bool is_set(const plat_pipe *end)
{
    return WaitForSingleObject(end->object.handle, 0) == WAIT_OBJECT_0;
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
    pair(&ends);
    ends.client->phase = PIPE_BROKEN; /* the first step of win32_pipe_break() */
    caller late = {NULL, NULL, ends.client, reply, sizeof reply, 0, IST_OK};
    begin(&late, transact_run);
    end(&late);
    assert_int_equal(late.status, IST_E_BROKEN);
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
    plat_pipe *end = (plat_pipe *)ist_pipe_waitable(ends.server)->plat;
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
        RUN(a_read_for_one_client_gives_nothing_of_the_next),
        RUN(a_write_for_one_client_gives_nothing_to_the_next),
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
