/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes between a plain Win32 program and isthmus, in both directions, and what a pipe of ours is to the system. Only
 * on Windows.
 */
#include "support/host.h"
#include "support/pipe_peer.h"

#include <isthmus/win32.h>

#include "native/native_win32.h"

#include <wchar.h>

#define REQUEST L"Default request from client"
#define RESPONSE L"Default response from server"
#define BUFFER_SIZE 1024

static void begin(native *who, const char *verb, const char *name)
{
    wchar_t arguments[NATIVE_PATH_UNITS];
    (void)swprintf(arguments, NATIVE_PATH_UNITS, L"%hs %hs", verb, name);
    native_start_program(who, L"win32_pipe_peer.exe", arguments);
    if (who->failed)
        CHECK_FAIL("win32_pipe_peer %s: %s", verb, who->line);
}

static ist_pipe *sample_serve(const char *name, ist_audience audience)
{
    ist_pipe *server = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = IST_PIPE_MESSAGE;
    options.audience = audience;
    CHECK_OK(ist_pipe_serve(&server, name, &options));
    return server;
}

static HANDLE handle_of(ist_pipe *pipe)
{
    intptr_t handle = 0;
    CHECK_OK(ist_pipe_native(pipe, &handle));
    return (HANDLE)handle;
}

/* ---- their client ---- */

static void serve_one(ist_pipe *server, native *other)
{
    wchar_t request[BUFFER_SIZE / sizeof(wchar_t)] = L"";
    size_t got = 0;
    native_say(other, "ask");
    CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
    CHECK_OK(ist_pipe_read(server, request, sizeof request, pipe_bound_ns(), &got));
    assert_int_equal(got, sizeof REQUEST);
    assert_memory_equal(request, REQUEST, sizeof REQUEST);
    CHECK_OK(ist_pipe_write(server, RESPONSE, sizeof RESPONSE, pipe_bound_ns(), NULL));
    CHECK_OK(ist_pipe_flush(server, pipe_bound_ns()));
    native_expect(other, "Default response from server");
}

/* P5 P10 P17 */
TEST(a_native_client_transacts_with_our_server)
{
    native other;
    ist_pipe *server = sample_serve("\\\\.\\pipe\\SamplePipe", IST_AUDIENCE_OWNER);
    begin(&other, "connect", "SamplePipe");
    serve_one(server, &other);
    serve_one(server, &other);
    native_end(&other);
    ist_pipe_close(server);
}

/* P4 P8 */
TEST(a_native_client_calls_our_server_as_often_as_it_accepts)
{
    char name[NAME_SIZE];
    native other;
    unique_name(name, "", "called");
    ist_pipe *server = sample_serve(name, IST_AUDIENCE_OWNER);
    begin(&other, "call", name);
    for (int i = 0; i < 3; i++) {
        serve_one(server, &other);
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    }
    native_end(&other);
    ist_pipe_close(server);
}

/* ---- their server ---- */

/* P3 P10 */
TEST(our_client_transacts_with_a_native_server)
{
    char name[NAME_SIZE];
    native other;
    unique_name(name, "", "theirs");
    begin(&other, "serve", name);
    for (int i = 0; i < 3; i++) {
        wchar_t response[BUFFER_SIZE / sizeof(wchar_t)] = L"";
        size_t got = 0;
        native_say(&other, "next");
        CHECK_OK(ist_pipe_call(name, IST_TRUST_OWNER, REQUEST, sizeof REQUEST, response, sizeof response,
                               pipe_bound_ns(), &got));
        assert_int_equal(got, sizeof RESPONSE);
        assert_memory_equal(response, RESPONSE, sizeof RESPONSE);
        native_expect(&other, "Default request from client");
    }
    native_end(&other);
}

/* P12 P17 */
TEST(our_client_reads_a_native_server_by_messages_and_knows_its_process)
{
    char name[NAME_SIZE];
    char bytes[10];
    size_t got = 0;
    native other;
    ist_pipe *client = NULL;
    ist_pipe_peer_facts peer_facts = IST_PIPE_PEER_FACTS_INIT;
    unique_name(name, "", "theirs");
    begin(&other, "serve", name);
    native_say(&other, "next");
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, pipe_bound_ns()));
    CHECK_OK(ist_pipe_peer(client, &peer_facts));
    assert_int_equal(peer_facts.process_id, GetProcessId(other.process));
    assert_int_equal(peer_facts.same_user, 1);
    CHECK_OK(ist_pipe_write(client, REQUEST, sizeof REQUEST, pipe_bound_ns(), NULL));
    CHECK_OK(ist_wait(ist_pipe_waitable(client), pipe_bound_ns()));
    CHECK_STATUS(IST_MORE, ist_pipe_read(client, bytes, sizeof bytes, 0, &got));
    assert_memory_equal(bytes, RESPONSE, sizeof bytes);
    wchar_t rest[BUFFER_SIZE / sizeof(wchar_t)];
    CHECK_OK(ist_pipe_read(client, rest, sizeof rest, 0, &got));
    assert_int_equal(got, sizeof RESPONSE - sizeof bytes);
    native_expect(&other, "Default request from client");
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_read(client, rest, sizeof rest, pipe_bound_ns(), &got));
    ist_pipe_close(client);
    native_end(&other);
}

/* P11: nobody tells a writer how far a native reader has come */
TEST(a_large_message_that_a_native_program_read_in_part_breaks_the_connection_for_both)
{
    char name[NAME_SIZE];
    char *bytes = calloc(1, 300000);
    size_t got = 0;
    native other;
    assert_non_null(bytes);
    unique_name(name, "", "torn");
    ist_pipe *server = sample_serve(name, IST_AUDIENCE_OWNER);
    begin(&other, "connect", name);
    CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
    native_say(&other, "part 10");
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(server, bytes, 300000, INT64_C(300000000), &got));
    assert_int_equal(got, 0);
    native_expect(&other, "10");
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(server, "x", 1, 0, NULL));
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(server, 0));
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    native_end(&other);
    ist_pipe_close(server);
    free(bytes);
}

/* ---- rights ---- */

typedef LONG(NTAPI *query_object)(HANDLE handle, int what, void *out, ULONG room, ULONG *needed);

static DWORD granted(HANDLE handle)
{
    query_object query = (query_object)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryObject");
    DWORD answer[14] = {0};
    assert_int_equal(query(handle, 0, answer, (ULONG)sizeof answer, NULL), 0);
    return answer[1];
}

/* P16: a client that could make instances could serve the name */
TEST(neither_our_client_nor_an_audience_has_the_right_to_make_instances)
{
    static const ist_audience audiences[] = {IST_AUDIENCE_EVERYONE_READ, IST_AUDIENCE_EVERYONE_WRITE};
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        char name[NAME_SIZE];
        ist_pipe *client = NULL;
        unique_name(name, "", "rights");
        ist_pipe *server = sample_serve(name, audiences[i]);
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        assert_int_equal(granted(handle_of(client)) & FILE_CREATE_PIPE_INSTANCE, 0);
        DWORD everyone = native_rights(handle_of(server), WinWorldSid);
        assert_true((everyone & FILE_READ_DATA) != 0);
        assert_int_equal(everyone & (FILE_CREATE_PIPE_INSTANCE | WRITE_DAC | WRITE_OWNER | DELETE), 0);
        assert_true((everyone & FILE_WRITE_DATA) == (i == 0 ? 0 : FILE_WRITE_DATA));
        ist_pipe_close(client);
        ist_pipe_close(server);
    }
}

/* A1 */
TEST(by_default_everyone_has_no_right_at_all)
{
    char name[NAME_SIZE];
    unique_name(name, "", "rights");
    ist_pipe *server = sample_serve(name, IST_AUDIENCE_OWNER);
    assert_int_equal(native_rights(handle_of(server), WinWorldSid), 0);
    ist_pipe_close(server);
}

/* P16 */
TEST(a_native_server_sees_who_our_client_is_and_cannot_act_as_it)
{
    char name[NAME_SIZE];
    wchar_t path[NATIVE_PATH_UNITS];
    char byte = 0;
    DWORD done = 0;
    HANDLE token = NULL;
    SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
    ist_pipe *client = NULL;
    if (host_emulator() != NULL)
        SKIP(a_native_server_sees_who_our_client_is_and_cannot_act_as_it,
             "Wine gives a server its own identity for the client's");
    unique_name(name, "", "identity");
    (void)swprintf(path, NATIVE_PATH_UNITS, L"\\\\.\\pipe\\%hs", name);
    HANDLE server = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, 0, 1, 4096, 4096, 0, NULL);
    assert_true(server != INVALID_HANDLE_VALUE);
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    CHECK_OK(ist_pipe_write(client, "x", 1, 0, NULL));
    assert_true(ReadFile(server, &byte, 1, &done, NULL));
    assert_true(ImpersonateNamedPipeClient(server));
    assert_true(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    assert_true(GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &done));
    assert_true(RevertToSelf());
    assert_int_equal(level, SecurityIdentification);
    (void)CloseHandle(token);
    (void)CloseHandle(server);
    ist_pipe_close(client);
}

/* ---- event loops ---- */

/* The handle is for overlapped I/O: a program may bind it to a port, which hears of its own calls and of none of ours.
 */
TEST(a_native_handle_serves_an_event_loop_which_our_calls_leave_alone)
{
    pipe_ends ends;
    char byte = 0;
    DWORD done = 0;
    ULONG_PTR key = 0;
    OVERLAPPED watch;
    OVERLAPPED *over = NULL;
    ist_pipe_options options = pipe_options(IST_PIPE_BYTE);
    pipe_join(&ends, &options);
    HANDLE handle = handle_of(ends.server);
    HANDLE port = CreateIoCompletionPort(handle, NULL, 7, 0);
    assert_non_null(port);
    PIPE_PUT(ends.client, "one");
    PIPE_GET(ends.server, "one");
    PIPE_PUT(ends.server, "two");
    PIPE_GET(ends.client, "two");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_pipe_waitable(ends.server), 0));
    PIPE_PUT(ends.client, "three");
    CHECK_OK(ist_wait(ist_pipe_waitable(ends.server), pipe_bound_ns()));
    PIPE_GET(ends.server, "three");
    assert_false(GetQueuedCompletionStatus(port, &done, &key, &over, 0));
    memset(&watch, 0, sizeof watch);
    assert_false(ReadFile(handle, &byte, 0, NULL, &watch));
    assert_int_equal(GetLastError(), ERROR_IO_PENDING);
    PIPE_PUT(ends.client, "four");
    assert_true(GetQueuedCompletionStatus(port, &done, &key, &over, check_bound_ms()));
    assert_true(over == &watch && key == 7);
    PIPE_GET(ends.server, "four");
    (void)CloseHandle(port);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_native_client_transacts_with_our_server),
        RUN(a_native_client_calls_our_server_as_often_as_it_accepts),
        RUN(our_client_transacts_with_a_native_server),
        RUN(our_client_reads_a_native_server_by_messages_and_knows_its_process),
        RUN(a_large_message_that_a_native_program_read_in_part_breaks_the_connection_for_both),
        RUN(neither_our_client_nor_an_audience_has_the_right_to_make_instances),
        RUN(by_default_everyone_has_no_right_at_all),
        RUN(a_native_server_sees_who_our_client_is_and_cannot_act_as_it),
        RUN(a_native_handle_serves_an_event_loop_which_our_calls_leave_alone),
    };
    return cmocka_run_group_tests_name("win32_pipes", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
