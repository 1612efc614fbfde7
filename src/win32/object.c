/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes, semaphores, events and timers are the kernel's, under the kernel's names: any Win32 program meets us there.
 * The kernel counts the handles, so the name goes with the last of them however its process ends (L1), and tells
 * waiters of an owner's end at once (X3).
 *
 * What an access stands for:
 *
 *     IST_WRITE   to wait, to look and to change;
 *     IST_READ    to look; and to wait where that takes nothing. Of a mutex and a semaphore it always does, so there
 *                 the handle has no right to wait. Of an event the system tells the sort. Of a timer it does not: ours
 *                 bear a mark in their lists, and of a synchronization timer that a native program made, or that came
 *                 by token for everything, a handle for reading waits.
 *
 * A native creator's list may grant less; what it grants is taken.
 */
#include "win32/object.h"

#include "win32/access.h"
#include "win32/error.h"
#include "win32/name.h"
#include "win32/registry.h"

/* ---- rights ---- */

static DWORD writing_rights(const win32_kind *kind)
{
    return SYNCHRONIZE | WIN32_STATE_QUERY | kind->modify;
}

static DWORD reading_rights(bool takes)
{
    return takes ? WIN32_STATE_QUERY : SYNCHRONIZE | WIN32_STATE_QUERY;
}

#define WISHES_MAX 4

/* The rights to ask for, the best first: what comes next is for lists that grant less. Tells how many there are. The
   sight of the list is for its mark. */
static size_t rights_wishes(const win32_kind *kind, ist_access access, DWORD wishes[WISHES_MAX])
{
    size_t count = 0;
    bool sorts = kind->takes != NULL;
    DWORD rights = access == IST_WRITE ? writing_rights(kind) : reading_rights(!sorts);

    if (kind->marks)
        wishes[count++] = rights | READ_CONTROL;
    wishes[count++] = rights;
    if (access == IST_READ && sorts) {
        wishes[count++] = reading_rights(true);
        wishes[count++] = SYNCHRONIZE;
    } else if (access == IST_WRITE) {
        wishes[count++] = rights & ~WIN32_STATE_QUERY;
    }
    return count;
}

/* A handle for reading does not wait where that takes something. */
static void rights_settle(plat_object *object)
{
    if (object->access == IST_READ && object->takes)
        object->rights &= ~(DWORD)SYNCHRONIZE;
}

ist_status win32_object_changes(const plat_object *object, plat_error *error)
{
    return object->access == IST_WRITE ? IST_OK : win32_error_refuse(error, IST_E_ACCESS, "a handle for everything");
}

/* ---- state ---- */

ist_status win32_object_ask(HANDLE handle, win32_state_query which, void *out, size_t bytes, plat_error *error)
{
    static const char *const calls[] = {"NtQueryMutant", "NtQuerySemaphore", "NtQueryEvent", "NtQueryTimer"};
    DWORD code = win32_state_ask(handle, which, out, bytes);
    ist_status status = IST_OK;

    if (code != ERROR_SUCCESS)
        status = win32_error_put(error, calls[which], WIN32_STEP_HANDLE, code);
    return status == IST_E_ACCESS ? IST_E_UNSUPPORTED : status;
}

ist_status plat_object_query(plat_object *object, plat_object_state *out, plat_error *error)
{
    return object->kind->query(object->handle, out, error);
}

static bool object_takes(const plat_object *object)
{
    return object->kind->takes == NULL || object->kind->takes(object->handle);
}

/* ---- joining ---- */

static void handle_drop(plat_object *object)
{
    if (object->handle != NULL)
        (void)CloseHandle(object->handle);
    object->handle = NULL;
}

/* Opens with the best rights that are to be had. Without trust the owner has to be seen, which is a right of its own.
 */
static ist_status handle_open(const WCHAR *name, bool trust_everyone, plat_object *object, plat_error *error)
{
    DWORD wishes[WISHES_MAX];
    size_t count = rights_wishes(object->kind, object->access, wishes);
    ist_status status = IST_E_ACCESS;

    for (size_t at = 0; at < count && status == IST_E_ACCESS; ++at) {
        object->rights = wishes[at];
        object->handle = object->kind->open(wishes[at] | (trust_everyone ? 0 : READ_CONTROL), name);
        status = object->handle != NULL ? IST_OK : win32_error_take(error, object->kind->open_call, WIN32_STEP_OPEN);
    }
    return status;
}

/* Opens what somebody holds; object->kind and ->access are set. */
static ist_status object_join(const WCHAR *name, bool trust_everyone, plat_object *object, plat_error *error)
{
    ist_status status = handle_open(name, trust_everyone, object, error);

    if (status == IST_OK && !trust_everyone)
        status = win32_owner_check(object->handle, error);
    if (status == IST_OK) {
        object->takes = object_takes(object);
        rights_settle(object);
    } else {
        handle_drop(object);
    }
    return status;
}

/* ---- making ---- */

static ist_status guard_for(const WCHAR *name, const win32_kind *kind, const plat_object_request *request,
                            win32_guard *guard, plat_error *error)
{
    win32_rights rights = {kind->all, READ_CONTROL, READ_CONTROL, false};
    bool takes = kind->takes == NULL || !request->manual_reset;

    rights.reader |= reading_rights(takes);
    rights.writer |= writing_rights(kind);
    rights.marked = kind->marks && takes;
    return name != NULL ? win32_guard_named(guard, &rights, request->audience, error)
                        : win32_guard_unnamed(guard, error);
}

/* Makes it; object->kind is set. If somebody was faster, IST_EXISTED and no handle: see registry.c. The native create
   of a mutex that exists gives nobody ownership (X4). */
static ist_status object_make(const WCHAR *name, const plat_object_request *request, plat_object *object,
                              plat_error *error)
{
    win32_guard guard;
    DWORD code = 0;
    ist_status status = guard_for(name, object->kind, request, &guard, error);

    if (status != IST_OK)
        return status;
    SetLastError(ERROR_SUCCESS);
    object->handle = object->kind->make(name, request, &guard.attributes);
    code = GetLastError();
    if (object->handle == NULL)
        status = win32_error_put(error, object->kind->make_call, WIN32_STEP_CREATE, code);
    else if (code == ERROR_ALREADY_EXISTS)
        status = IST_EXISTED;
    if (status != IST_OK)
        handle_drop(object);
    object->rights = object->kind->all;
    object->takes = object->kind->takes == NULL || !request->manual_reset;
    return status;
}

/* What a create by name is about. */
typedef struct object_creation {
    const WCHAR *name;
    const plat_object_request *request;
    plat_object *object;
} object_creation;

static ist_status creation_join(void *context, plat_error *error)
{
    object_creation *creation = context;

    return object_join(creation->name, creation->request->trust_everyone, creation->object, error);
}

static ist_status creation_make(void *context, plat_error *error)
{
    object_creation *creation = context;

    return object_make(creation->name, creation->request, creation->object, error);
}

/* ---- life ---- */

static const win32_kind *kind_of(plat_kind kind)
{
    const win32_kind *found = NULL;

    switch (kind) {
    case PLAT_MUTEX:
        found = &win32_mutex_kind;
        break;
    case PLAT_SEMAPHORE:
        found = &win32_semaphore_kind;
        break;
    case PLAT_EVENT:
        found = &win32_event_kind;
        break;
    case PLAT_TIMER:
        found = &win32_timer_kind;
        break;
    case PLAT_FOREIGN:
    case PLAT_CHANNEL:
    default:
        break;
    }
    return found;
}

ist_status win32_object_take(plat_kind kind, ist_access access, plat_object **out, plat_error *error)
{
    plat_object *object = plat_memory_take(sizeof *object);

    *out = object;
    if (object == NULL)
        return win32_error_refuse(error, IST_E_MEMORY, "memory for a handle");
    InitializeSRWLock(&object->lock);
    object->holds = 1;
    object->kind = kind_of(kind);
    object->access = access;
    return IST_OK;
}

ist_status win32_object_settle(ist_status status, plat_object *object, plat_object **out)
{
    if (status >= 0)
        *out = object;
    else
        plat_memory_give(object);
    return status;
}

void win32_object_hold(plat_object *object)
{
    (void)InterlockedIncrement(&object->holds);
}

void win32_object_let_go(plat_object *object)
{
    if (InterlockedDecrement(&object->holds) == 0) {
        if (object->face != NULL)
            handle_drop(object);
        plat_memory_give(object);
    }
}

/* The lock keeps the number from being closed, and given to another object, between the look and the call. */
ist_status win32_object_duplicate(plat_object *object, HANDLE *out, plat_error *error)
{
    HANDLE self = GetCurrentProcess();
    ist_status status = IST_OK;

    *out = NULL;
    AcquireSRWLockShared(&object->lock);
    if (object->handle == NULL)
        status = win32_error_refuse(error, IST_E_BROKEN, "a handle that is open");
    else if (!DuplicateHandle(self, object->handle, self, out, SYNCHRONIZE, FALSE, 0))
        status = win32_error_take(error, "DuplicateHandle", WIN32_STEP_HANDLE);
    ReleaseSRWLockShared(&object->lock);
    return status;
}

/* The native handle goes now, and with the last one the name; a blocked wait keeps the kernel's object itself (L5). */
void plat_object_close(plat_object *object)
{
    AcquireSRWLockExclusive(&object->lock);
    handle_drop(object);
    ReleaseSRWLockExclusive(&object->lock);
    win32_object_let_go(object);
}

/* ---- the contract ---- */

ist_status plat_object_create(const plat_name *name, const plat_object_request *request, plat_object **out,
                              plat_error *error)
{
    win32_name wide;
    object_creation creation = {wide.text, request, NULL};
    plat_object *object = NULL;
    ist_status status = win32_object_take(request->kind, IST_WRITE, &object, error);

    if (status != IST_OK)
        return status;
    if (name != NULL) {
        creation.object = object;
        win32_name_widen(name, &wide);
        status = win32_registry_create(creation_join, creation_make, &creation, error);
    } else {
        status = object_make(NULL, request, object, error);
    }
    return win32_object_settle(status, object, out);
}

ist_status plat_object_open(const plat_name *name, plat_kind kind, ist_access access, bool trust_everyone,
                            plat_object **out, plat_error *error)
{
    win32_name wide;
    plat_object *object = NULL;
    ist_status status = win32_object_take(kind, access, &object, error);

    if (status != IST_OK)
        return status;
    win32_name_widen(name, &wide);
    return win32_object_settle(object_join(wide.text, trust_everyone, object, error), object, out);
}

ist_status plat_object_export(plat_object *object, uint64_t process_id, ist_access access, char *token,
                              plat_error *error)
{
    win32_ticket_wish wish = {object->handle, object->kind->ticket, access, 0};
    ist_status status = access == IST_WRITE ? win32_object_changes(object, error) : IST_OK;

    if (status != IST_OK)
        return status;
    wish.rights = access == IST_WRITE ? writing_rights(object->kind) : reading_rights(object->takes);
    wish.rights &= object->rights;
    return win32_ticket_issue(&wish, process_id, token, error);
}

/* The handle's own rights tell what the exporter's allowed. */
static void handle_adopt(const win32_ticket *ticket, plat_object *object)
{
    object->handle = ticket->handle;
    object->access = ticket->access;
    if (!win32_handle_grants(object->handle, &object->rights))
        object->rights = writing_rights(object->kind);
    object->takes = object_takes(object);
    rights_settle(object);
}

/* The token is taken last: until then nothing is changed, and from then on nothing can fail. */
ist_status plat_object_import(const char *token, plat_kind kind, plat_object **out, plat_error *error)
{
    win32_ticket ticket;
    plat_object *object = NULL;
    ist_status status = win32_object_take(kind, IST_READ, &object, error);

    if (status != IST_OK)
        return status;
    status = win32_ticket_read(token, object->kind->ticket, &ticket, error);
    if (status == IST_OK) {
        handle_adopt(&ticket, object);
        status = win32_ticket_settle(&ticket, status, error);
    }
    return win32_object_settle(status, object, out);
}

/* The event of a channel says nothing unless a wait has armed it. */
void *plat_object_native(const plat_object *object)
{
    return object->face == NULL ? object->handle : NULL;
}
