/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A plain Win32 program that knows nothing of isthmus: it neither includes nor links it. win32_native.c meets it.
 *
 *     win32_peer create NAME           256 bytes of memory, as in Microsoft's tutorial
 *     win32_peer reserve NAME BYTES    memory that is only reserved
 *     win32_peer file NAME PATH        an existing file, as large as it is
 *     win32_peer guarded NAME RIGHTS   memory that grants everybody these rights (hexadecimal), and no others
 *     win32_peer owned NAME SID        memory that belongs to somebody else
 *     win32_peer mutex NAME            a mutex
 *     win32_peer read NAME             opens a mapping for reading
 *     win32_peer write NAME            opens a mapping for everything
 *
 * It says "ready", then answers lines until there are no more: "text" with the text at the beginning of the mapping,
 * "say WORDS" by writing them there, "touch OFFSET" with the byte at that (hexadecimal) offset. Whatever the system
 * refuses, it says "failed CALL CODE" and ends. Words have neither spaces nor quotes.
 */
#if !defined(UNICODE)
#define UNICODE
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define BUFFER_SIZE 256
#define LINE_SIZE 1024
#define WORDS_MAX 4

typedef struct request {
    const wchar_t *verb;
    const wchar_t *name;
    const wchar_t *more;
} request;

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

static HANDLE make_memory(const wchar_t *name, SECURITY_ATTRIBUTES *attributes, DWORD flags, DWORD bytes)
{
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, attributes, PAGE_READWRITE | flags, 0, bytes, name);

    if (mapping == NULL)
        fail("CreateFileMappingW");
    return mapping;
}

static HANDLE make_described(const wchar_t *name, const wchar_t *description)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(description, SDDL_REVISION_1,
                                                              &attributes.lpSecurityDescriptor, NULL))
        fail("ConvertStringSecurityDescriptorToSecurityDescriptorW");
    return make_memory(name, &attributes, 0, BUFFER_SIZE);
}

static HANDLE make_guarded(const wchar_t *name, const wchar_t *rights)
{
    wchar_t description[LINE_SIZE];

    (void)swprintf(description, LINE_SIZE, L"D:P(A;;0x%ls;;;WD)", rights);
    return make_described(name, description);
}

static HANDLE make_owned(const wchar_t *name, const wchar_t *sid)
{
    wchar_t description[LINE_SIZE];

    (void)swprintf(description, LINE_SIZE, L"O:%lsD:P(A;;GA;;;WD)", sid);
    return make_described(name, description);
}

static HANDLE make_file(const wchar_t *name, const wchar_t *path)
{
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    HANDLE mapping = NULL;

    if (file == INVALID_HANDLE_VALUE)
        fail("CreateFileW");
    mapping = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 0, name);
    if (mapping == NULL)
        fail("CreateFileMappingW");
    return mapping;
}

static HANDLE open_mapping(const wchar_t *name, DWORD access)
{
    HANDLE mapping = OpenFileMappingW(access, FALSE, name);

    if (mapping == NULL)
        fail("OpenFileMappingW");
    return mapping;
}

static HANDLE make(const request *asked)
{
    HANDLE object = NULL;

    if (wcscmp(asked->verb, L"create") == 0)
        object = make_memory(asked->name, NULL, 0, BUFFER_SIZE);
    else if (wcscmp(asked->verb, L"reserve") == 0)
        object = make_memory(asked->name, NULL, SEC_RESERVE, wcstoul(asked->more, NULL, 10));
    else if (wcscmp(asked->verb, L"file") == 0)
        object = make_file(asked->name, asked->more);
    else if (wcscmp(asked->verb, L"guarded") == 0)
        object = make_guarded(asked->name, asked->more);
    else if (wcscmp(asked->verb, L"owned") == 0)
        object = make_owned(asked->name, asked->more);
    else if (wcscmp(asked->verb, L"read") == 0)
        object = open_mapping(asked->name, FILE_MAP_READ);
    else if (wcscmp(asked->verb, L"write") == 0)
        object = open_mapping(asked->name, FILE_MAP_ALL_ACCESS);
    else if (wcscmp(asked->verb, L"mutex") == 0 && (object = CreateMutexW(NULL, FALSE, asked->name)) == NULL)
        fail("CreateMutexW");
    return object;
}

/* What makes memory of one's own maps it for everything; what opens, or is guarded, for no more than it asked. */
static wchar_t *map(const request *asked, HANDLE object)
{
    DWORD access = wcscmp(asked->verb, L"read") == 0 ? FILE_MAP_READ : FILE_MAP_ALL_ACCESS;
    wchar_t *view = NULL;

    if (wcscmp(asked->verb, L"mutex") == 0)
        return NULL;
    view = MapViewOfFile(object, access, 0, 0, 0);
    if (view == NULL)
        fail("MapViewOfFile");
    if (wcscmp(asked->verb, L"create") == 0)
        (void)wcscpy(view, L"Message from first process");
    return view;
}

/* ---- lines ---- */

static void tell_text(const wchar_t *view)
{
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "%.100ls\n", view);
    say(line);
}

static void write_text(wchar_t *view, const char *words)
{
    (void)swprintf(view, BUFFER_SIZE / sizeof(wchar_t), L"%hs", words);
    say("ok\n");
}

static void tell_byte(const wchar_t *view, const char *offset)
{
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "%u\n", ((const unsigned char *)view)[strtoul(offset, NULL, 16)]);
    say(line);
}

static void answer(wchar_t *view)
{
    char line[LINE_SIZE];

    say("ready\n");
    while (listen(line)) {
        if (strcmp(line, "text") == 0)
            tell_text(view);
        else if (strncmp(line, "say ", 4) == 0)
            write_text(view, line + 4);
        else if (strncmp(line, "touch ", 6) == 0)
            tell_byte(view, line + 6);
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
    wchar_t *words[WORDS_MAX] = {NULL, NULL, NULL, NULL};
    int count = split(GetCommandLineW(), words);
    request asked = {NULL, NULL, L"0"};
    HANDLE object = NULL;

    asked.verb = words[1];
    asked.name = words[2];
    if (words[3] != NULL)
        asked.more = words[3];
    if (count >= 3)
        object = make(&asked);
    if (object == NULL) {
        say("failed usage 0\n");
        return 2;
    }
    answer(map(&asked, object));
    return 0;
}
