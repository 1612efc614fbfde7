/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The other program.
 */
#include "native/native_win32.h"

#include <aclapi.h>
#include <wchar.h>

static void native_hear(native *who)
{
    DWORD got = 0;
    size_t length = 0;
    char byte = 0;
    while (length < sizeof who->line - 1 && ReadFile(who->output, &byte, 1, &got, NULL) && got == 1 && byte != '\n')
        who->line[length++] = byte;
    who->line[length] = '\0';
}

static void find_program(wchar_t path[NATIVE_PATH_UNITS], const wchar_t *program)
{
    wchar_t *slash = NULL;
    assert_in_range(GetModuleFileNameW(NULL, path, NATIVE_PATH_UNITS), 1, NATIVE_PATH_UNITS - 40);
    slash = wcsrchr(path, L'\\');
    (void)wcscpy(slash == NULL ? path : slash + 1, program);
}

void native_start_program(native *who, const wchar_t *program, const wchar_t *arguments)
{
    wchar_t path[NATIVE_PATH_UNITS];
    wchar_t command[2 * NATIVE_PATH_UNITS];
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    STARTUPINFOW startup;
    PROCESS_INFORMATION process;
    HANDLE input = NULL;
    HANDLE output = NULL;
    find_program(path, program);
    (void)swprintf(command, 2 * NATIVE_PATH_UNITS, L"\"%ls\" %ls", path, arguments);
    memset(&startup, 0, sizeof startup);
    assert_true(CreatePipe(&input, &who->input, &inherit, 0) && CreatePipe(&who->output, &output, &inherit, 0));
    assert_true(SetHandleInformation(who->input, HANDLE_FLAG_INHERIT, 0));
    assert_true(SetHandleInformation(who->output, HANDLE_FLAG_INHERIT, 0));
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = input;
    startup.hStdOutput = output;
    if (!CreateProcessW(path, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        CHECK_FAIL("%ls does not start: %lu", program, (unsigned long)GetLastError());
    who->process = process.hProcess;
    (void)CloseHandle(process.hThread);
    (void)CloseHandle(input);
    (void)CloseHandle(output);
    native_hear(who);
    who->failed = strcmp(who->line, "ready") != 0;
}

void native_start_wide(native *who, const wchar_t *arguments)
{
    native_start_program(who, L"win32_peer.exe", arguments);
}

void native_start(native *who, const char *verb, const char *name, const char *more)
{
    wchar_t arguments[NATIVE_PATH_UNITS];
    (void)swprintf(arguments, NATIVE_PATH_UNITS, L"%hs %hs %hs", verb, name, more == NULL ? "" : more);
    native_start_wide(who, arguments);
}

void native_begin(native *who, const char *verb, const char *name, const char *more)
{
    native_start(who, verb, name, more);
    if (who->failed)
        CHECK_FAIL("win32_peer %s: %s", verb, who->line);
}

void native_say(native *who, const char *question)
{
    char line[256];
    DWORD done = 0;
    (void)snprintf(line, sizeof line, "%s\n", question);
    assert_true(WriteFile(who->input, line, (DWORD)strlen(line), &done, NULL));
}

void native_expect(native *who, const char *answer)
{
    native_hear(who);
    assert_string_equal(who->line, answer);
}

void native_ask(native *who, const char *question, const char *answer)
{
    native_say(who, question);
    native_expect(who, answer);
}

void native_end(native *who)
{
    DWORD code = 99;
    (void)CloseHandle(who->input);
    assert_int_equal(WaitForSingleObject(who->process, check_bound_ms()), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(who->process, &code));
    assert_int_equal(code, who->failed ? 1 : 0);
    (void)CloseHandle(who->output);
    (void)CloseHandle(who->process);
}

DWORD native_rights(HANDLE object, WELL_KNOWN_SID_TYPE which)
{
    PACL list = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD bytes = sizeof sid;
    DWORD rights = 0;
    assert_true(CreateWellKnownSid(which, NULL, sid, &bytes));
    assert_int_equal(
        GetSecurityInfo(object, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL, &descriptor),
        ERROR_SUCCESS);
    assert_non_null(list);
    for (DWORD i = 0; i < list->AceCount; i++) {
        void *entry = NULL;
        assert_true(GetAce(list, i, &entry));
        ACCESS_ALLOWED_ACE *allowed = entry;
        if (EqualSid(sid, &allowed->SidStart))
            rights |= allowed->Mask;
    }
    (void)LocalFree(descriptor);
    return rights;
}

ist_mapping *make_as(const char *name, uint64_t size, ist_audience audience)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.audience = audience;
    CHECK_OK(ist_mapping_create(&mapping, name, size, &options));
    return mapping;
}

ist_view view_as(ist_mapping *mapping, ist_access access)
{
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_view(mapping, access, 0, 0, &view));
    return view;
}
