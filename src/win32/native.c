/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What is looked up, not linked: what only ntdll tells, without an import library of the driver kit, and what older
 * systems lack. Every process has both modules from its first instruction. Nothing is kept: a lookup costs less than
 * the call that follows.
 */
#include "win32/native.h"

#include <string.h>
#include <wchar.h>

/* The declarations of <winternl.h> differ between kits; these are the published forms. */
typedef struct native_text {
    USHORT bytes;
    USHORT capacity;
    WCHAR *units;
} native_text;

typedef struct native_section {
    void *base;
    ULONG attributes;
    LARGE_INTEGER size;
} native_section;

/* Only the second field is looked at. */
typedef struct native_basic {
    ULONG attributes;
    ACCESS_MASK granted;
    ULONG counters[12];
} native_basic;

typedef LONG(NTAPI *native_query_section)(HANDLE section, int what, void *out, SIZE_T room, SIZE_T *needed);
typedef LONG(NTAPI *native_query_object)(HANDLE object, int what, void *out, ULONG room, ULONG *needed);

typedef LONG(NTAPI *native_query_state)(HANDLE object, int what, void *out, ULONG room, ULONG *needed);
typedef LONG(NTAPI *native_query_file)(HANDLE file, void *answer, void *out, ULONG room, int what);
typedef ULONG(NTAPI *native_code)(LONG status);
typedef BOOL(WINAPI *native_compare)(HANDLE left, HANDLE right);
typedef void(WINAPI *native_time)(ULONGLONG *out);

#define SECTION_BASIC 0
#define STATE_BASIC 0
#define OBJECT_BASIC 0
#define OBJECT_NAME 1
#define OBJECT_TYPE 2
#define FILE_PIPE_LOCAL 24

/* SEC_FILE, which some kits leave out. */
#define MADE_OVER_FILE 0x00800000u

/* Room for the text and, in a type's answer, for the counters behind it. */
typedef union native_answer {
    native_text text;
    WCHAR room[512];
} native_answer;

/* The cast goes by way of a plain function pointer, as the conversion of any function pointer may. */
static void (*module_call(const WCHAR *module, const char *name))(void)
{
    HMODULE loaded = GetModuleHandleW(module);

    return loaded != NULL ? (void (*)(void))GetProcAddress(loaded, name) : NULL;
}

static void (*native_call(const char *name))(void)
{
    return module_call(L"ntdll.dll", name);
}

static void (*base_call(const char *name))(void)
{
    return module_call(L"kernelbase.dll", name);
}

bool win32_section_query(HANDLE section, win32_section_facts *out)
{
    native_query_section query = (native_query_section)native_call("NtQuerySection");
    native_section basic;
    bool told = false;

    memset(&basic, 0, sizeof basic);
    if (query != NULL && query(section, SECTION_BASIC, &basic, sizeof basic, NULL) >= 0) {
        out->size = (uint64_t)basic.size.QuadPart;
        out->over_file = (basic.attributes & MADE_OVER_FILE) != 0;
        told = true;
    }
    return told;
}

/* Gets a text about an object; false when there is none. */
static bool object_text(HANDLE object, int what, native_answer *out)
{
    native_query_object query = (native_query_object)native_call("NtQueryObject");

    memset(out, 0, sizeof *out);
    return query != NULL && query(object, what, out, (ULONG)sizeof *out, NULL) >= 0 && out->text.units != NULL;
}

/* Compares the end of a counted text, from `start` on, with a terminated one. */
static bool text_ends(const native_text *text, size_t start, const WCHAR *expected)
{
    size_t units = text->bytes / sizeof(WCHAR) - start;

    return units == wcslen(expected) && memcmp(text->units + start, expected, units * sizeof(WCHAR)) == 0;
}

bool win32_handle_is(HANDLE handle, const WCHAR *type)
{
    native_answer answer;

    return object_text(handle, OBJECT_TYPE, &answer) && text_ends(&answer.text, 0, type);
}

bool win32_handle_named(HANDLE handle, const WCHAR *leaf)
{
    native_answer answer;
    bool named = object_text(handle, OBJECT_NAME, &answer);
    size_t start = named ? answer.text.bytes / sizeof(WCHAR) : 0;

    while (start > 0 && answer.text.units[start - 1] != L'\\')
        --start;
    return named && text_ends(&answer.text, start, leaf);
}

bool win32_handle_grants(HANDLE handle, DWORD *rights)
{
    native_query_object query = (native_query_object)native_call("NtQueryObject");
    native_basic basic;
    bool told = false;

    memset(&basic, 0, sizeof basic);
    if (query != NULL && query(handle, OBJECT_BASIC, &basic, (ULONG)sizeof basic, NULL) >= 0) {
        *rights = basic.granted;
        told = true;
    }
    return told;
}

bool win32_handles_same(HANDLE left, HANDLE right)
{
    native_compare compare = (native_compare)base_call("CompareObjectHandles");

    return compare != NULL && compare(left, right);
}

DWORD win32_state_ask(HANDLE handle, win32_state_query which, void *out, size_t bytes)
{
    static const char *const names[] = {"NtQueryMutant", "NtQuerySemaphore", "NtQueryEvent", "NtQueryTimer"};
    native_query_state query = (native_query_state)native_call(names[which]);
    native_code code = (native_code)native_call("RtlNtStatusToDosError");
    LONG status = 0;

    if (query == NULL || code == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    status = query(handle, STATE_BASIC, out, (ULONG)bytes, NULL);
    return status >= 0 ? ERROR_SUCCESS : code(status);
}

bool win32_pipe_ask(HANDLE pipe, win32_pipe_facts *out)
{
    native_query_file query = (native_query_file)native_call("NtQueryInformationFile");
    ULONG_PTR answer[2] = {0, 0};

    memset(out, 0, sizeof *out);
    return query != NULL && query(pipe, answer, out, (ULONG)sizeof *out, FILE_PIPE_LOCAL) >= 0;
}

bool win32_interrupt_times(uint64_t *coarse, uint64_t *precise)
{
    native_time read_coarse = (native_time)base_call("QueryInterruptTime");
    native_time read_precise = (native_time)base_call("QueryInterruptTimePrecise");
    ULONGLONG ticked = 0;
    ULONGLONG exact = 0;

    if (read_coarse == NULL || read_precise == NULL)
        return false;
    read_coarse(&ticked);
    read_precise(&exact);
    *coarse = ticked;
    *precise = exact;
    return true;
}
