/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A plain Win32 program that knows nothing of isthmus: it neither includes nor links it. win32_objects.c meets it.
 *
 *     win32_objects_peer make KIND NAME             a new object
 *     win32_objects_peer owned KIND NAME            the same, and the main thread acquires it
 *     win32_objects_peer guarded KIND NAME RIGHTS   the same, and it grants everybody these rights (hexadecimal)
 *     win32_objects_peer open KIND NAME             an object that is there, for everything
 *
 * KIND is mutex, semaphore (1 of 2), event, manual (an event), timer or manual-timer. It says "ready", then answers
 * lines until there are no more, with the code of the system's error or 0:
 *
 *     wait MS      what WaitForSingleObject answered: 0, 128 (abandoned) or 258 (the time is over)
 *     abandon      the same, by a thread that ends with what it took
 *     release      of a mutex or a semaphore
 *     set          and
 *     reset        of an event
 *     due MS       of a timer, from now on
 *     end          (nothing: the process is terminated)
 *
 * When it cannot do what its command line says it answers "failed CALL CODE" and ends.
 */
#if !defined(UNICODE)
#define UNICODE
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#if !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0602
#endif
#include <windows.h>

#include <process.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define LINE_SIZE 256
#define WORDS_MAX 5

/* ---- talk ---- */

static void say(const char *text)
{
    DWORD done = 0;

    (void)WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, (DWORD)strlen(text), &done, NULL);
}

static void say_number(DWORD number)
{
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "%lu\n", (unsigned long)number);
    say(line);
}

static void fail(const char *call)
{
    DWORD code = GetLastError();
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "failed %s %lu\n", call, (unsigned long)code);
    say(line);
    ExitProcess(1);
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

/* ---- objects ---- */

static HANDLE make(const wchar_t *kind, const wchar_t *name, SECURITY_ATTRIBUTES *attributes)
{
    HANDLE object = NULL;

    if (wcscmp(kind, L"mutex") == 0)
        object = CreateMutexW(attributes, FALSE, name);
    else if (wcscmp(kind, L"semaphore") == 0)
        object = CreateSemaphoreW(attributes, 1, 2, name);
    else if (wcscmp(kind, L"event") == 0 || wcscmp(kind, L"manual") == 0)
        object = CreateEventW(attributes, kind[0] == L'm', FALSE, name);
    else
        object = CreateWaitableTimerW(attributes, kind[0] == L'm', name);
    if (object == NULL)
        fail("Create");
    return object;
}

static HANDLE make_guarded(const wchar_t *kind, const wchar_t *name, const wchar_t *rights)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    wchar_t description[LINE_SIZE];

    (void)swprintf(description, LINE_SIZE, L"D:P(A;;0x%ls;;;WD)", rights);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(description, SDDL_REVISION_1,
                                                              &attributes.lpSecurityDescriptor, NULL))
        fail("ConvertStringSecurityDescriptorToSecurityDescriptorW");
    return make(kind, name, &attributes);
}

static HANDLE open(const wchar_t *kind, const wchar_t *name)
{
    HANDLE object = NULL;

    if (wcscmp(kind, L"mutex") == 0)
        object = OpenMutexW(MUTEX_ALL_ACCESS, FALSE, name);
    else if (wcscmp(kind, L"semaphore") == 0)
        object = OpenSemaphoreW(SEMAPHORE_ALL_ACCESS, FALSE, name);
    else if (wcscmp(kind, L"event") == 0 || wcscmp(kind, L"manual") == 0)
        object = OpenEventW(EVENT_ALL_ACCESS, FALSE, name);
    else
        object = OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, name);
    if (object == NULL)
        fail("Open");
    return object;
}

static HANDLE obtain(wchar_t *words[WORDS_MAX])
{
    HANDLE object = NULL;

    if (wcscmp(words[1], L"open") == 0)
        object = open(words[2], words[3]);
    else if (wcscmp(words[1], L"guarded") == 0)
        object = make_guarded(words[2], words[3], words[4]);
    else
        object = make(words[2], words[3], NULL);
    if (wcscmp(words[1], L"owned") == 0 && WaitForSingleObject(object, 0) != WAIT_OBJECT_0)
        fail("WaitForSingleObject");
    return object;
}

/* ---- lines ---- */

static unsigned __stdcall take(void *object)
{
    return WaitForSingleObject(object, INFINITE);
}

static DWORD abandon(HANDLE object)
{
    DWORD answer = WAIT_FAILED;
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, take, object, 0, NULL);

    if (thread != NULL) {
        (void)WaitForSingleObject(thread, INFINITE);
        (void)GetExitCodeThread(thread, &answer);
        (void)CloseHandle(thread);
    }
    return answer;
}

static BOOL set_due(HANDLE timer, unsigned long ms)
{
    LARGE_INTEGER due;

    due.QuadPart = -10000 * (LONGLONG)ms;
    return SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE);
}

static DWORD code_of(BOOL done)
{
    return done ? ERROR_SUCCESS : GetLastError();
}

static void answer(HANDLE object, int is_mutex)
{
    char line[LINE_SIZE];

    say("ready\n");
    while (listen(line)) {
        if (strncmp(line, "wait ", 5) == 0)
            say_number(WaitForSingleObject(object, strtoul(line + 5, NULL, 10)));
        else if (strcmp(line, "abandon") == 0)
            say_number(abandon(object));
        else if (strcmp(line, "release") == 0)
            say_number(code_of(is_mutex ? ReleaseMutex(object) : ReleaseSemaphore(object, 1, NULL)));
        else if (strcmp(line, "set") == 0)
            say_number(code_of(SetEvent(object)));
        else if (strcmp(line, "reset") == 0)
            say_number(code_of(ResetEvent(object)));
        else if (strncmp(line, "due ", 4) == 0)
            say_number(code_of(set_due(object, strtoul(line + 4, NULL, 10))));
        else if (strcmp(line, "end") == 0)
            (void)TerminateProcess(GetCurrentProcess(), 0);
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

int main(void)
{
    static wchar_t nothing[] = L"0";
    wchar_t *words[WORDS_MAX] = {nothing, nothing, nothing, nothing, nothing};

    if (split(GetCommandLineW(), words) < 4) {
        say("failed usage 0\n");
        return 2;
    }
    answer(obtain(words), wcscmp(words[2], L"mutex") == 0);
    return 0;
}
