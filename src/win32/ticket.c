/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tokens (M11). To export is to put two handles into the target's table:
 *
 *     the object    with exactly the rights that were asked for; to import is to adopt this very handle;
 *     the stub      of an event that is set, resets itself, and exists for this token alone.
 *
 * The event's name *is* the token's text up to the stub's number, and cannot be changed: it binds the target (id and
 * time of creation), the object's kind and handle, the access and 128 random bits. So
 *
 *   - a text that nobody exported is refused, whatever it says: there is no such stub in this process. No handle is
 *     closed or adopted because a number stood in a text;
 *   - a token serves once: the event is taken by one wait, in whichever thread or copy of the library, and its taker
 *     closes the stub. A handle number that comes back later belongs to an object of another name;
 *   - nothing has to be remembered, here or there, and a token that is never imported goes when the target ends.
 *
 *     ist2.PPPPPPPP.BBBBBBBBBBBBBBBB.OOOOOOOO.ka.NNNNNNNNNNNNNNNN.NNNNNNNNNNNNNNNN.TTTTTTTT     (hexadecimal)
 *     form process  birth            object   |r/w random                           stub
 *                                             kind
 */
#include "win32/ticket.h"

#include <string.h>

/* The header forgets the calling convention, which counts on 32-bit. */
#define SystemFunction036 NTAPI SystemFunction036
#include <ntsecapi.h>
#undef SystemFunction036

#include "win32/access.h"
#include "win32/error.h"
#include "win32/name.h"
#include "win32/process.h"

#define FORM "ist2"
#define BODY_SIZE (4 + (1 + 8) + (1 + 16) + (1 + 8) + (1 + 2) + (1 + 16) + (1 + 16))
#define TEXT_SIZE (BODY_SIZE + (1 + 8))

_Static_assert(TEXT_SIZE < IST_TOKEN_SIZE, "a token has room for its text");

/* A token taken apart. */
typedef struct ticket {
    uint32_t process;
    uint64_t birth;
    uint32_t object; /* handle values: 32 bits of them count, in 64-bit processes too */
    uint32_t stub;
    win32_ticket_kind kind;
    ist_access access;
    uint64_t random[2];
} ticket;

/* ---- text ---- */

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);

    memcpy(at, text, length);
    return at + length;
}

static char *put_number(char *at, uint64_t value, int digits)
{
    *at++ = '.';
    while (digits-- > 0)
        *at++ = "0123456789abcdef"[value >> (4 * digits) & 0xF];
    return at;
}

/* Reads what put_number wrote; NULL if it is something else, or when at is NULL. */
static const char *get_number(const char *at, uint64_t *value, int digits)
{
    static const char alphabet[] = "0123456789abcdef";
    const char *found = NULL;

    *value = 0;
    if (at == NULL || *at++ != '.')
        return NULL;
    while (digits-- > 0) {
        found = *at != '\0' ? strchr(alphabet, *at++) : NULL;
        if (found == NULL)
            return NULL;
        *value = *value << 4 | (uint64_t)(found - alphabet);
    }
    return at;
}

static const char *get_handle(const char *at, uint32_t *value)
{
    uint64_t number = 0;

    at = get_number(at, &number, 8);
    *value = (uint32_t)number;
    /* Neither nothing, nor one of the numbers that stand for "this process" and the like, nor a second spelling: the
       system ignores the two lowest bits. */
    return *value != 0 && *value <= INT32_MAX && *value % 4 == 0 ? at : NULL;
}

static char *put_sort(char *at, win32_ticket_kind kind, ist_access access)
{
    *at++ = '.';
    *at++ = (char)kind;
    *at++ = access == IST_WRITE ? 'w' : 'r';
    return at;
}

static const char *get_sort(const char *at, win32_ticket_kind *kind, ist_access *access)
{
    static const char kinds[] = {WIN32_TICKET_MAPPING, WIN32_TICKET_MUTEX, WIN32_TICKET_SEMAPHORE,
                                 WIN32_TICKET_EVENT,   WIN32_TICKET_TIMER, '\0'};

    if (at == NULL || at[0] != '.' || at[1] == '\0' || strchr(kinds, at[1]) == NULL || (at[2] != 'r' && at[2] != 'w'))
        return NULL;
    *kind = (win32_ticket_kind)at[1];
    *access = at[2] == 'w' ? IST_WRITE : IST_READ;
    return at + 3;
}

/* Writes all but the stub's number, which there is not yet. */
static void body_write(const ticket *from, char body[BODY_SIZE + 1])
{
    char *at = put_text(body, FORM);

    at = put_number(at, from->process, 8);
    at = put_number(at, from->birth, 16);
    at = put_number(at, from->object, 8);
    at = put_sort(at, from->kind, from->access);
    at = put_number(at, from->random[0], 16);
    at = put_number(at, from->random[1], 16);
    *at = '\0';
}

static bool ticket_read(const char *token, ticket *out)
{
    bool ours = strlen(token) == TEXT_SIZE && strncmp(token, FORM, strlen(FORM)) == 0;
    const char *at = ours ? token + strlen(FORM) : NULL;
    uint64_t process = 0;

    at = get_number(at, &process, 8);
    at = get_number(at, &out->birth, 16);
    at = get_handle(at, &out->object);
    at = get_sort(at, &out->kind, &out->access);
    at = get_number(at, &out->random[0], 16);
    at = get_number(at, &out->random[1], 16);
    at = get_handle(at, &out->stub);
    out->process = (uint32_t)process;
    return at != NULL;
}

static HANDLE handle_of(uint32_t number)
{
    return (HANDLE)(uintptr_t)number;
}

static uint32_t number_of(HANDLE handle)
{
    return (uint32_t)(uintptr_t)handle;
}

/* ---- stubs ---- */

/* The body is ASCII. */
static void stub_leaf(const char *body, WCHAR leaf[BODY_SIZE + 1])
{
    size_t at = 0;

    for (at = 0; at < BODY_SIZE; ++at)
        leaf[at] = (WCHAR)body[at];
    leaf[BODY_SIZE] = L'\0';
}

static void stub_name(const char *body, win32_name *out)
{
    plat_name name = {NULL, BODY_SIZE, false};

    name.text = body;
    win32_name_widen(&name, out);
}

/* Makes the event: set, resetting itself, and for nobody to open by its name. */
static ist_status stub_make(const char *body, HANDLE *out, plat_error *error)
{
    win32_guard guard;
    win32_name name;
    DWORD code = 0;
    ist_status status = win32_guard_unnamed(&guard, error);

    *out = NULL;
    if (status != IST_OK)
        return status;
    stub_name(body, &name);
    SetLastError(ERROR_SUCCESS);
    *out = CreateEventW(&guard.attributes, FALSE, TRUE, name.text);
    code = GetLastError();
    if (*out == NULL) {
        status = win32_error_put(error, "CreateEventW", WIN32_STEP_CREATE, code);
    } else if (code == ERROR_ALREADY_EXISTS) {
        (void)CloseHandle(*out);
        *out = NULL;
        status = win32_error_refuse(error, IST_E_OS, "a token's name is new");
    }
    return status;
}

/* A handle of our own to the stub, if it is this token's; else NULL. It pins the object: whoever takes the stub closes
   its number, and the number may come back as anything. */
static HANDLE stub_pin(const char *token, const ticket *from)
{
    HANDLE self = GetCurrentProcess();
    HANDLE stub = NULL;
    WCHAR leaf[BODY_SIZE + 1];

    stub_leaf(token, leaf);
    if (DuplicateHandle(self, handle_of(from->stub), self, &stub, SYNCHRONIZE, FALSE, 0) &&
        (!win32_handle_is(stub, L"Event") || !win32_handle_named(stub, leaf))) {
        (void)CloseHandle(stub);
        stub = NULL;
    }
    return stub;
}

/* ---- export ---- */

/* Puts a handle into another process. One that is ending refuses as if it were out of reach. */
static ist_status handle_send(HANDLE handle, HANDLE target, DWORD rights, uint32_t *number, plat_error *error)
{
    HANDLE there = NULL;
    ist_status status = IST_OK;

    if (!DuplicateHandle(GetCurrentProcess(), handle, target, &there, rights, FALSE, 0))
        status = win32_error_take(error, "DuplicateHandle", WIN32_STEP_HANDLE);
    if (status == IST_E_ACCESS && win32_process_ended(target))
        status = win32_error_refuse(error, IST_E_ARG, "no such process");
    *number = number_of(there);
    return status;
}

static void handle_recall(HANDLE target, uint32_t number)
{
    if (number != 0)
        (void)DuplicateHandle(target, handle_of(number), NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE);
}

/* Any random number does that is not drawn twice: it is no secret. */
static ist_status ticket_begin(ticket *out, HANDLE target, plat_error *error)
{
    out->process = GetProcessId(target);
    return RtlGenRandom(out->random, (ULONG)sizeof out->random) ? win32_process_birth(target, &out->birth, error)
                                                                : win32_error_refuse(error, IST_E_OS, "RtlGenRandom");
}

/* Sends the stub, which names the object's handle and so comes after it. */
static ist_status stub_send(ticket *from, HANDLE target, char *token, plat_error *error)
{
    HANDLE stub = NULL;
    ist_status status = IST_OK;

    body_write(from, token);
    status = stub_make(token, &stub, error);
    if (status == IST_OK) {
        status = handle_send(stub, target, SYNCHRONIZE, &from->stub, error);
        (void)CloseHandle(stub);
    }
    if (status == IST_OK)
        *put_number(token + BODY_SIZE, from->stub, 8) = '\0';
    return status;
}

ist_status win32_ticket_issue(const win32_ticket_wish *wish, uint64_t process_id, char *token, plat_error *error)
{
    ticket made = {0, 0, 0, 0, wish->kind, wish->access, {0, 0}};
    HANDLE target = NULL;
    ist_status status = win32_process_open(process_id, &target, error);

    if (status != IST_OK)
        return status;
    status = ticket_begin(&made, target, error);
    if (status == IST_OK)
        status = handle_send(wish->handle, target, wish->rights, &made.object, error);
    if (status == IST_OK)
        status = stub_send(&made, target, token, error);
    if (status != IST_OK)
        handle_recall(target, made.object);
    (void)CloseHandle(target);
    return status;
}

/* ---- import ---- */

static bool ticket_is_for_us(const ticket *from)
{
    plat_error unused = {IST_CODES_NONE, 0, NULL, {0}};
    uint64_t birth = 0;

    return from->process == GetCurrentProcessId() &&
           win32_process_birth(GetCurrentProcess(), &birth, &unused) == IST_OK && birth == from->birth;
}

static const WCHAR *kernel_type(win32_ticket_kind kind)
{
    const WCHAR *type = L"Section";

    if (kind == WIN32_TICKET_MUTEX)
        type = L"Mutant";
    else if (kind == WIN32_TICKET_SEMAPHORE)
        type = L"Semaphore";
    else if (kind == WIN32_TICKET_EVENT)
        type = L"Event";
    else if (kind == WIN32_TICKET_TIMER)
        type = L"Timer";
    return type;
}

/* The object's handle is looked at only when the stub has vouched for the text. */
static ist_status ticket_check(const ticket *from, win32_ticket_kind kind, plat_error *error)
{
    ist_status status = IST_OK;

    if (from->kind != kind)
        status = win32_error_refuse(error, IST_E_KIND, "a token of this kind");
    else if (!win32_handle_is(handle_of(from->object), kernel_type(kind)))
        status = win32_error_refuse(error, IST_E_BROKEN, "the handle that the token stands for");
    return status;
}

ist_status win32_ticket_read(const char *token, win32_ticket_kind kind, win32_ticket *out, plat_error *error)
{
    ticket from = {0, 0, 0, 0, kind, 0, {0, 0}};
    ist_status status = IST_OK;

    if (!ticket_read(token, &from))
        return win32_error_refuse(error, IST_E_ARG, "a token's form");
    if (!ticket_is_for_us(&from))
        return win32_error_refuse(error, IST_E_ARG, "a token for this process");
    out->pinned = stub_pin(token, &from);
    if (out->pinned == NULL)
        return win32_error_refuse(error, IST_E_ARG, "a token that is not used up");
    out->stub = handle_of(from.stub);
    out->handle = handle_of(from.object);
    out->access = from.access;
    status = ticket_check(&from, kind, error);
    if (status != IST_OK)
        (void)CloseHandle(out->pinned);
    return status;
}

/* The stub's taker closes its number. */
ist_status win32_ticket_settle(win32_ticket *from, ist_status status, plat_error *error)
{
    bool taken = status == IST_OK && WaitForSingleObject(from->pinned, 0) == WAIT_OBJECT_0;

    if (taken)
        (void)CloseHandle(from->stub);
    else if (status == IST_OK)
        status = win32_error_refuse(error, IST_E_ARG, "a token that is not used up");
    (void)CloseHandle(from->pinned);
    return status;
}
