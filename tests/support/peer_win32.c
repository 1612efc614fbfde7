/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Peers on Windows: CreateProcessW of this binary with two pipes as its standard input and output. The list of what is
 * inherited holds the two pipe ends only, so the peer keeps neither the runner's output nor another peer's pipes open.
 * Our end of the output is a named pipe, since only those can be read with a bound.
 */
#if !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0602
#endif
#define WIN32_LEAN_AND_MEAN

#include <windows.h>

#include "peer_os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_SIZE 4096

typedef LONG(WINAPI *suspend_function)(HANDLE process);

static wchar_t self_path[MAX_PATH * 2];

static HANDLE to_handle(intptr_t value)
{
    return (HANDLE)value;
}

void peer_os_prepare(const char *self)
{
    (void)self;
    (void)GetModuleFileNameW(NULL, self_path, MAX_PATH * 2);
    /* Output is read by a runner as it comes; a crash must not swallow it. */
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    (void)setvbuf(stderr, NULL, _IONBF, 0);
}

static LONG WINAPI end_at_once(EXCEPTION_POINTERS *what)
{
    (void)what;
    (void)TerminateProcess(GetCurrentProcess(), 0xC1);
    return EXCEPTION_EXECUTE_HANDLER;
}

void peer_os_settle(void)
{
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    (void)SetUnhandledExceptionFilter(end_at_once);
}

/* The peer reads `theirs`, we write `ours`; only `theirs` can be inherited. */
static bool make_input(HANDLE *theirs, HANDLE *ours)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    return CreatePipe(theirs, ours, &inherit, 0) && SetHandleInformation(*ours, HANDLE_FLAG_INHERIT, 0);
}

/* The peer writes `theirs`, we read `ours`, overlapped. */
static bool make_output(HANDLE *theirs, HANDLE *ours)
{
    static unsigned counter;
    wchar_t name[80];
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    counter++;
    (void)swprintf(name, 80, L"\\\\.\\pipe\\isthmus-test-%lu-%u", (unsigned long)GetCurrentProcessId(), counter);
    *ours = CreateNamedPipeW(name, PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                             PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT, 1, 65536, 65536, 0, NULL);
    if (*ours == INVALID_HANDLE_VALUE) {
        return false;
    }
    *theirs = CreateFileW(name, GENERIC_WRITE, 0, &inherit, OPEN_EXISTING, 0, NULL);
    return *theirs != INVALID_HANDLE_VALUE;
}

static void make_command(wchar_t command[COMMAND_SIZE], const char *const *argv)
{
    int length = swprintf(command, COMMAND_SIZE, L"\"%ls\"", self_path);
    for (; *argv != NULL && length > 0; argv++) {
        /* The words are ASCII without spaces and quotes. */
        length += swprintf(command + length, (size_t)(COMMAND_SIZE - length), L" %hs", *argv);
    }
}

#define START_TRIES 5

/* Wine now and then fails to start one under load. */
static bool make_process(wchar_t *command, DWORD flags, STARTUPINFOW *startup, PROCESS_INFORMATION *process)
{
    for (int n = 0; n < START_TRIES; n++) {
        if (CreateProcessW(self_path, command, NULL, NULL, TRUE, flags, NULL, NULL, startup, process))
            return true;
        (void)fprintf(stderr, "CreateProcessW: error %lu\n", GetLastError());
        Sleep(100);
    }
    return false;
}

/* Starts this binary with the given standard streams. With a list, exactly those two are inherited; without, whatever
   can be. */
static bool start(const char *const *argv, HANDLE input, HANDLE output, bool list, PROCESS_INFORMATION *process)
{
    wchar_t command[COMMAND_SIZE];
    HANDLE inherited[2];
    STARTUPINFOEXW startup;
    SIZE_T size = 0;
    memset(&startup, 0, sizeof startup);
    startup.StartupInfo.cb = sizeof startup;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = input;
    startup.StartupInfo.hStdOutput = output;
    startup.StartupInfo.hStdError = NULL;
    inherited[0] = input;
    inherited[1] = output;
    make_command(command, argv);
    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = calloc(1, size);
    bool done = startup.lpAttributeList != NULL &&
                InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size) &&
                (!list || UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                                    inherited, sizeof inherited, NULL, NULL));
    if (!list) {
        startup.StartupInfo.cb = sizeof startup.StartupInfo;
    }
    done = done && make_process(command, list ? EXTENDED_STARTUPINFO_PRESENT : 0, &startup.StartupInfo, process);
    if (startup.lpAttributeList != NULL)
        DeleteProcThreadAttributeList(startup.lpAttributeList);
    free(startup.lpAttributeList);
    return done;
}

bool peer_os_start(peer_os *os, const char *const *argv)
{
    HANDLE input = INVALID_HANDLE_VALUE;
    HANDLE output = INVALID_HANDLE_VALUE;
    HANDLE our_input = INVALID_HANDLE_VALUE;
    HANDLE our_output = INVALID_HANDLE_VALUE;
    PROCESS_INFORMATION process;
    if (!make_input(&input, &our_input) || !make_output(&output, &our_output)) {
        return false;
    }
    bool started = start(argv, input, output, !os->inherits, &process);
    (void)CloseHandle(input);
    (void)CloseHandle(output);
    os->input = (intptr_t)our_input;
    os->output = (intptr_t)our_output;
    os->over = !started;
    if (started) {
        (void)CloseHandle(process.hThread);
        os->process = (intptr_t)process.hProcess;
        os->id = process.dwProcessId;
    }
    return started;
}

static bool write_all(HANDLE file, const char *bytes, size_t size)
{
    while (size > 0) {
        DWORD done = 0;
        if (!WriteFile(file, bytes, (DWORD)size, &done, NULL) || done == 0) {
            return false;
        }
        bytes += done;
        size -= done;
    }
    return true;
}

bool peer_os_write(peer_os *os, const char *bytes, size_t size)
{
    return os->input != -1 && write_all(to_handle(os->input), bytes, size);
}

int peer_os_read(peer_os *os, char *bytes, size_t size, unsigned bound_ms)
{
    OVERLAPPED overlapped;
    DWORD got = 0;
    bool in_time = true;
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    BOOL done = ReadFile(to_handle(os->output), bytes, (DWORD)size, NULL, &overlapped);
    if (!done && GetLastError() == ERROR_IO_PENDING) {
        in_time = WaitForSingleObject(overlapped.hEvent, bound_ms) == WAIT_OBJECT_0;
        if (!in_time) {
            (void)CancelIo(to_handle(os->output));
        }
        done = TRUE;
    }
    if (done) {
        done = GetOverlappedResult(to_handle(os->output), &overlapped, &got, TRUE);
    }
    (void)CloseHandle(overlapped.hEvent);
    if (done && got > 0) {
        return (int)got;
    }
    return in_time ? 0 : -1;
}

static void close_end(intptr_t *end)
{
    if (*end != -1) {
        (void)CloseHandle(to_handle(*end));
        *end = -1;
    }
}

void peer_os_close_input(peer_os *os)
{
    close_end(&os->input);
}

void peer_os_close_output(peer_os *os)
{
    close_end(&os->output);
}

void peer_os_kill(peer_os *os)
{
    if (!os->over) {
        (void)TerminateProcess(to_handle(os->process), 0xC2);
    }
}

static void call_native(const peer_os *os, const char *function)
{
    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    FARPROC address = module == NULL ? NULL : GetProcAddress(module, function);
    suspend_function call = NULL;
    if (address != NULL && !os->over) {
        memcpy(&call, &address, sizeof call);
        (void)call(to_handle(os->process));
    }
}

void peer_os_stop(peer_os *os)
{
    call_native(os, "NtSuspendProcess");
}

void peer_os_go(peer_os *os)
{
    call_native(os, "NtResumeProcess");
}

bool peer_os_wait(peer_os *os, unsigned bound_ms)
{
    if (os->over) {
        return true;
    }
    if (WaitForSingleObject(to_handle(os->process), bound_ms) != WAIT_OBJECT_0) {
        return false;
    }
    DWORD code = 0;
    os->over = true;
    os->exit_code = GetExitCodeProcess(to_handle(os->process), &code) && code < 256 ? (int)code : -1;
    (void)CloseHandle(to_handle(os->process));
    return true;
}

int peer_os_listen(char *bytes, size_t size)
{
    DWORD got = 0;
    return ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, (DWORD)size, &got, NULL) ? (int)got : 0;
}

bool peer_os_answer(const char *bytes, size_t size)
{
    return write_all(GetStdHandle(STD_OUTPUT_HANDLE), bytes, size);
}

bool peer_os_leave_heir(const char *const *argv)
{
    PROCESS_INFORMATION process;
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    (void)SetHandleInformation(input, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    (void)SetHandleInformation(output, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    if (!start(argv, input, output, false, &process)) {
        return false;
    }
    (void)WaitForSingleObject(process.hProcess, INFINITE);
    (void)CloseHandle(process.hThread);
    (void)CloseHandle(process.hProcess);
    return true;
}

int peer_os_fork(void)
{
    return -1;
}

void peer_os_become(const char *const *argv)
{
    (void)argv;
}

void peer_os_vanish(void)
{
    (void)TerminateProcess(GetCurrentProcess(), 0);
}
