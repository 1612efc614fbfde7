/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What only ntdll tells. Every process has ntdll from its first instruction, so it is looked up, not linked: no import
 * library of the driver kit is needed. Nothing is kept: a lookup costs less than the call that follows.
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

typedef LONG(NTAPI *native_query_section)(HANDLE section, int what, void *out, SIZE_T room, SIZE_T *needed);
typedef LONG(NTAPI *native_query_object)(HANDLE object, int what, void *out, ULONG room, ULONG *needed);

#define SECTION_BASIC 0
#define OBJECT_NAME 1
#define OBJECT_TYPE 2

/* SEC_FILE, which some kits leave out. */
#define MADE_OVER_FILE 0x00800000u

/* Room for the text and, in a type's answer, for the counters behind it. */
typedef union native_answer {
    native_text text;
    WCHAR room[512];
} native_answer;

/* The cast goes by way of a plain function pointer, as the conversion of any function pointer may. */
static void (*native_call(const char *name))(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

    return ntdll != NULL ? (void (*)(void))GetProcAddress(ntdll, name) : NULL;
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
