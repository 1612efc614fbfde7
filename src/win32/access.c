/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Security descriptors are put together from their parts on the stack: there is nothing to free and no text to parse.
 */
#include "win32/access.h"

#include <string.h>

#include <sddl.h>

#include "win32/error.h"

/* ---- who we are ---- */

/* The token that native calls of this thread are judged by: the thread's while it acts for a client. */
static ist_status token_open(HANDLE *out, plat_error *error)
{
    if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, out))
        return IST_OK;
    if (GetLastError() != ERROR_NO_TOKEN) /* acts for somebody, and may not know for whom */
        return win32_error_take(error, "OpenThreadToken", WIN32_STEP_HANDLE);
    return OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, out)
               ? IST_OK
               : win32_error_take(error, "OpenProcessToken", WIN32_STEP_HANDLE);
}

static ist_status token_ask(HANDLE token, TOKEN_INFORMATION_CLASS what, win32_identity *out, plat_error *error)
{
    DWORD bytes = 0;

    memset(out, 0, sizeof *out);
    return GetTokenInformation(token, what, out, (DWORD)sizeof *out, &bytes)
               ? IST_OK
               : win32_error_take(error, "GetTokenInformation", WIN32_STEP_HANDLE);
}

/* One identity of the caller. */
static ist_status self_ask(TOKEN_INFORMATION_CLASS what, win32_identity *out, plat_error *error)
{
    HANDLE token = NULL;
    ist_status status = token_open(&token, error);

    if (status == IST_OK) {
        status = token_ask(token, what, out, error);
        (void)CloseHandle(token);
    }
    return status;
}

static ist_status known_sid(WELL_KNOWN_SID_TYPE which, win32_sid *out, plat_error *error)
{
    DWORD bytes = (DWORD)sizeof *out;

    return CreateWellKnownSid(which, NULL, &out->sid, &bytes)
               ? IST_OK
               : win32_error_take(error, "CreateWellKnownSid", WIN32_STEP_HANDLE);
}

/* ---- guards ---- */

static ist_status guard_admit(win32_guard *guard, PSID who, DWORD rights, plat_error *error)
{
    return AddAccessAllowedAce(&guard->list.list, ACL_REVISION, rights, who)
               ? IST_OK
               : win32_error_take(error, "AddAccessAllowedAce", WIN32_STEP_HANDLE);
}

static ist_status guard_admit_known(win32_guard *guard, WELL_KNOWN_SID_TYPE which, DWORD rights, plat_error *error)
{
    win32_sid who;
    ist_status status = known_sid(which, &who, error);

    return status == IST_OK ? guard_admit(guard, &who.sid, rights, error) : status;
}

static ist_status guard_admit_group(win32_guard *guard, DWORD rights, plat_error *error)
{
    win32_identity self;
    ist_status status = self_ask(TokenPrimaryGroup, &self, error);

    return status == IST_OK ? guard_admit(guard, self.group.PrimaryGroup, rights, error) : status;
}

static ist_status guard_admit_audience(win32_guard *guard, const win32_rights *rights, ist_audience audience,
                                       plat_error *error)
{
    ist_status status = IST_OK;

    switch (audience) {
    case IST_AUDIENCE_GROUP_READ:
        status = guard_admit_group(guard, rights->reader, error);
        break;
    case IST_AUDIENCE_GROUP_WRITE:
        status = guard_admit_group(guard, rights->writer, error);
        break;
    case IST_AUDIENCE_EVERYONE_READ:
        status = guard_admit_known(guard, WinWorldSid, rights->reader, error);
        break;
    case IST_AUDIENCE_EVERYONE_WRITE:
        status = guard_admit_known(guard, WinWorldSid, rights->writer, error);
        break;
    case IST_AUDIENCE_OWNER:
    default:
        break;
    }
    return status;
}

/* A descriptor owned by the user, with an empty list that stands for itself: entries may still be added to it. */
static ist_status guard_begin(win32_guard *guard, plat_error *error)
{
    SECURITY_DESCRIPTOR *descriptor = &guard->descriptor;
    ist_status status = IST_OK;

    memset(guard, 0, sizeof *guard);
    guard->attributes.nLength = (DWORD)sizeof guard->attributes;
    guard->attributes.lpSecurityDescriptor = descriptor;
    guard->attributes.bInheritHandle = FALSE;
    status = self_ask(TokenUser, &guard->user, error);
    if (status == IST_OK && (!InitializeAcl(&guard->list.list, (DWORD)sizeof guard->list, ACL_REVISION) ||
                             !InitializeSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION) ||
                             !SetSecurityDescriptorOwner(descriptor, guard->user.user.User.Sid, FALSE) ||
                             !SetSecurityDescriptorDacl(descriptor, TRUE, &guard->list.list, FALSE) ||
                             !SetSecurityDescriptorControl(descriptor, SE_DACL_PROTECTED, SE_DACL_PROTECTED)))
        status = win32_error_take(error, "InitializeSecurityDescriptor", WIN32_STEP_HANDLE);
    return status;
}

ist_status win32_guard_named(win32_guard *guard, const win32_rights *rights, ist_audience audience, plat_error *error)
{
    ist_status status = guard_begin(guard, error);

    if (status == IST_OK)
        status = guard_admit(guard, guard->user.user.User.Sid, rights->full, error);
    if (status == IST_OK)
        status = guard_admit_known(guard, WinLocalSystemSid, rights->full, error);
    if (status == IST_OK)
        status = guard_admit_known(guard, WinBuiltinAdministratorsSid, rights->full, error);
    if (status == IST_OK)
        status = guard_admit_audience(guard, rights, audience, error);
    if (status == IST_OK && rights->marked)
        status = guard_admit_known(guard, WinNullSid, READ_CONTROL, error);
    return status;
}

/* Enough for a list of ours in the system's own form. A longer one is not ours. */
typedef union list_answer {
    SECURITY_DESCRIPTOR_RELATIVE descriptor;
    BYTE room[sizeof(SECURITY_DESCRIPTOR_RELATIVE) + sizeof(win32_list)];
} list_answer;

bool win32_list_marked(HANDLE object)
{
    plat_error unused = {IST_CODES_NONE, 0, NULL, {0}};
    list_answer answer;
    win32_sid nobody;
    ACL *list = NULL;
    void *entry = NULL;
    DWORD bytes = 0;
    DWORD at = 0;
    BOOL present = FALSE;
    BOOL defaulted = FALSE;
    bool marked = false;

    if (known_sid(WinNullSid, &nobody, &unused) == IST_OK &&
        GetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, &answer, (DWORD)sizeof answer, &bytes) &&
        GetSecurityDescriptorDacl(&answer, &present, &list, &defaulted) && present && list != NULL)
        for (at = 0; at < list->AceCount && GetAce(list, at, &entry); ++at)
            marked = marked || (((ACE_HEADER *)entry)->AceType == ACCESS_ALLOWED_ACE_TYPE &&
                                EqualSid(&((ACCESS_ALLOWED_ACE *)entry)->SidStart, &nobody.sid));
    return marked;
}

/* Duplicating a handle for more than it grants is judged by the object's list. An empty one refuses, and the entry for
   the owner takes from it what an owner has unasked: the right to write another list. */
ist_status win32_guard_unnamed(win32_guard *guard, plat_error *error)
{
    ist_status status = guard_begin(guard, error);

    if (status == IST_OK)
        status = guard_admit_known(guard, WinCreatorOwnerRightsSid, READ_CONTROL, error);
    return status;
}

/* ---- trust ---- */

/* Room for a descriptor that holds an owner only, in the system's own form. */
typedef union owner_answer {
    SECURITY_DESCRIPTOR_RELATIVE descriptor;
    BYTE room[sizeof(SECURITY_DESCRIPTOR_RELATIVE) + SECURITY_MAX_SID_SIZE];
} owner_answer;

static ist_status owner_ask(HANDLE object, owner_answer *answer, PSID *owner, plat_error *error)
{
    DWORD bytes = 0;
    BOOL defaulted = FALSE;

    return GetKernelObjectSecurity(object, OWNER_SECURITY_INFORMATION, answer, (DWORD)sizeof *answer, &bytes) &&
                   GetSecurityDescriptorOwner(answer, owner, &defaulted)
               ? IST_OK
               : win32_error_take(error, "GetKernelObjectSecurity", WIN32_STEP_HANDLE);
}

/* Says in the note whose object it is, in the system's notation for identities: plain ASCII. */
static ist_status owner_refuse(PSID owner, plat_error *error)
{
    static const char words[] = "owned by ";
    size_t end = sizeof words - 1;
    WCHAR *text = NULL;
    size_t at = 0;

    (void)win32_error_refuse(error, IST_E_ACCESS, "the owner is not this user");
    if (ConvertSidToStringSidW(owner, &text)) {
        memcpy(error->note, words, sizeof words);
        for (at = 0; text[at] != L'\0' && end < sizeof error->note - 1; ++at)
            error->note[end++] = (char)text[at];
        error->note[end] = '\0';
        (void)LocalFree(text);
    }
    return IST_E_ACCESS;
}

/* The user, or what its token gives to objects made without a word about owners: an elevated native program's belong
   to the administrators. */
ist_status win32_owner_check(HANDLE object, plat_error *error)
{
    owner_answer answer;
    win32_identity user;
    win32_identity by_default;
    PSID owner = NULL;
    ist_status status = owner_ask(object, &answer, &owner, error);

    if (status == IST_OK)
        status = self_ask(TokenUser, &user, error);
    if (status == IST_OK)
        status = self_ask(TokenOwner, &by_default, error);
    /* Windows gives every named object an owner. Wine gives none where the creator said nothing, and a Wine prefix has
       one user. */
    if (status == IST_OK && owner != NULL && !EqualSid(owner, user.user.User.Sid) &&
        !EqualSid(owner, by_default.owner.Owner))
        status = owner_refuse(owner, error);
    return status;
}
