/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A plain Win32 program that knows nothing of isthmus: it neither includes nor links it. win32_pipes.c and
 * win32_mailslots.c meet it. Pipes are of messages, with buffers of 1,024 bytes, as in Microsoft's samples.
 *
 *     win32_pipe_peer serve NAME     one instance
 *     win32_pipe_peer connect NAME   a client
 *     win32_pipe_peer call NAME      nothing yet
 *     win32_pipe_peer slot NAME      a mailslot
 *     win32_pipe_peer post NAME      a writer to a mailslot
 *
 * It says "ready", then answers lines until there are no more: "next" serves one client and says what it asked, "ask"
 * asks and says the answer, "part BYTES" reads no more than that and says how much it got, "write" writes to the slot
 * "Message 1 for mailslot" and two like it and says ok, "read" says the slot's next message or "none". Whatever the
 * system refuses, it says "failed CALL CODE" and ends.
 */
#if !defined(UNICODE)
#define UNICODE
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define BUFFER_SIZE 1024
#define LINE_SIZE 1024
#define PATH_UNITS 300
#define WORDS_MAX 3
#define REQUEST L"Default request from client"
#define RESPONSE L"Default response from server"

/* ---- talk ---- */

static void say(const char *text)
{
    DWORD done = 0;

    (void)WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, (DWORD)strlen(text), &done, NULL);
}

static void fail(const char *call)
{
    DWORD code = GetLastError();
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "failed %s %lu\n", call, (unsigned long)code);
    say(line);
    ExitProcess(1);
}

static void say_text(const wchar_t *text)
{
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "%.200ls\n", text);
    say(line);
}

/* Reads a line without its end; 0 when there are no more. */
static int listen(char line[LINE_SIZE])
{
    DWORD got = 0;
    size_t length = 0;
    char byte = 0;

    while (length < LINE_SIZE - 1 && ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &got, NULL) && got == 1 &&
           byte != '\n')
        line[length++] = byte;
    line[length] = '\0';
    return byte == '\n';
}

/* ---- pipes ---- */

static HANDLE serve(const wchar_t *path)
{
    HANDLE pipe = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT,
                                   PIPE_UNLIMITED_INSTANCES, BUFFER_SIZE, BUFFER_SIZE, 5000, NULL);

    if (pipe == INVALID_HANDLE_VALUE)
        fail("CreateNamedPipeW");
    return pipe;
}

static HANDLE connect_to(const wchar_t *path)
{
    DWORD mode = PIPE_READMODE_MESSAGE;
    HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

    if (pipe == INVALID_HANDLE_VALUE)
        fail("CreateFileW");
    if (!SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
        fail("SetNamedPipeHandleState");
    return pipe;
}

static void next_client(HANDLE pipe)
{
    wchar_t request[BUFFER_SIZE / sizeof(wchar_t)] = L"";
    DWORD done = 0;

    if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
        fail("ConnectNamedPipe");
    if (!ReadFile(pipe, request, sizeof request, &done, NULL))
        fail("ReadFile");
    if (!WriteFile(pipe, RESPONSE, sizeof RESPONSE, &done, NULL))
        fail("WriteFile");
    if (!FlushFileBuffers(pipe))
        fail("FlushFileBuffers");
    if (!DisconnectNamedPipe(pipe))
        fail("DisconnectNamedPipe");
    say_text(request);
}

static void ask(HANDLE pipe, const wchar_t *path)
{
    wchar_t request[] = REQUEST;
    wchar_t response[BUFFER_SIZE / sizeof(wchar_t)] = L"";
    DWORD done = 0;

    if (pipe != NULL && !TransactNamedPipe(pipe, request, sizeof request, response, sizeof response, &done, NULL))
        fail("TransactNamedPipe");
    if (pipe == NULL && !CallNamedPipeW(path, request, sizeof request, response, sizeof response, &done, 10000))
        fail("CallNamedPipeW");
    say_text(response);
}

static void read_part(HANDLE pipe, const char *size)
{
    char bytes[BUFFER_SIZE];
    char line[LINE_SIZE];
    DWORD got = 0;

    if (!ReadFile(pipe, bytes, strtoul(size, NULL, 10), &got, NULL) && GetLastError() != ERROR_MORE_DATA)
        fail("ReadFile");
    (void)snprintf(line, sizeof line, "%lu\n", (unsigned long)got);
    say(line);
}

/* ---- mailslots ---- */

static HANDLE make_slot(const wchar_t *path)
{
    HANDLE slot = CreateMailslotW(path, 0, MAILSLOT_WAIT_FOREVER, NULL);

    if (slot == INVALID_HANDLE_VALUE)
        fail("CreateMailslotW");
    return slot;
}

static HANDLE open_slot(const wchar_t *path)
{
    HANDLE slot = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);

    if (slot == INVALID_HANDLE_VALUE)
        fail("CreateFileW");
    return slot;
}

static void write_messages(HANDLE slot)
{
    static const wchar_t *const messages[] = {L"Message 1 for mailslot", L"Message 2 for mailslot",
                                              L"Message 3 for mailslot"};
    DWORD done = 0;
    int at = 0;

    for (at = 0; at < 3; ++at)
        if (!WriteFile(slot, messages[at], (DWORD)((wcslen(messages[at]) + 1) * sizeof(wchar_t)), &done, NULL))
            fail("WriteFile");
    say("ok\n");
}

static void read_message(HANDLE slot)
{
    wchar_t text[BUFFER_SIZE / sizeof(wchar_t)] = L"none";
    DWORD next = 0;
    DWORD count = 0;
    DWORD got = 0;

    if (!GetMailslotInfo(slot, NULL, &next, &count, NULL))
        fail("GetMailslotInfo");
    if (next != MAILSLOT_NO_MESSAGE && (next > sizeof text || !ReadFile(slot, text, next, &got, NULL)))
        fail("ReadFile");
    say_text(text);
}

/* ---- lines ---- */

static void answer(HANDLE end, const wchar_t *path)
{
    char line[LINE_SIZE];

    say("ready\n");
    while (listen(line)) {
        if (strcmp(line, "next") == 0)
            next_client(end);
        else if (strcmp(line, "ask") == 0)
            ask(end, path);
        else if (strncmp(line, "part ", 5) == 0)
            read_part(end, line + 5);
        else if (strcmp(line, "write") == 0)
            write_messages(end);
        else if (strcmp(line, "read") == 0)
            read_message(end);
    }
}

/* ---- the command line, which is UTF-16 ---- */

/* Splits at spaces. The program's own path may be quoted. */
static int split(wchar_t *line, wchar_t *words[WORDS_MAX])
{
    int count = 0;
    wchar_t end = L' ';

    while (*line != L'\0' && count < WORDS_MAX) {
        end = *line == L'"' ? L'"' : L' ';
        line += end == L'"';
        words[count++] = line;
        while (*line != L'\0' && *line != end)
            ++line;
        if (*line != L'\0')
            *line++ = L'\0';
        while (*line == L' ')
            ++line;
    }
    return count;
}

static HANDLE make(const wchar_t *verb, const wchar_t *path)
{
    HANDLE end = NULL;

    if (wcscmp(verb, L"serve") == 0)
        end = serve(path);
    else if (wcscmp(verb, L"connect") == 0)
        end = connect_to(path);
    else if (wcscmp(verb, L"slot") == 0)
        end = make_slot(path);
    else if (wcscmp(verb, L"post") == 0)
        end = open_slot(path);
    return end;
}

int main(void)
{
    wchar_t *words[WORDS_MAX] = {NULL, NULL, NULL};
    wchar_t path[PATH_UNITS];
    const wchar_t *kind = L"pipe";
    HANDLE end = NULL;

    if (split(GetCommandLineW(), words) < WORDS_MAX) {
        say("failed usage 0\n");
        return 1;
    }
    if (wcscmp(words[1], L"slot") == 0 || wcscmp(words[1], L"post") == 0)
        kind = L"mailslot";
    (void)swprintf(path, PATH_UNITS, L"\\\\.\\%ls\\%ls", kind, words[2]);
    end = make(words[1], path);
    answer(end, path);
    if (end != NULL)
        (void)CloseHandle(end);
    return 0;
}
