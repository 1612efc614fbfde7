/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Who may come in, as security descriptors (A1), and whose objects are accepted (A2).
 */
#ifndef ISTHMUS_WIN32_ACCESS_H
#define ISTHMUS_WIN32_ACCESS_H

#include "core/plat.h"
#include "win32/native.h"

/* The rights that each of three sorts of callers gets of a kind of object. */
typedef struct win32_rights {
    DWORD full;   /* the creator, and whoever rules the machine */
    DWORD reader; /* an audience that reads */
    DWORD writer; /* an audience that writes */
    bool marked;  /* leave the mark that win32_list_marked() finds */
} win32_rights;

/* What GetTokenInformation tells about one identity. */
typedef union win32_identity {
    TOKEN_USER user;
    TOKEN_OWNER owner;
    TOKEN_PRIMARY_GROUP group;
    BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
} win32_identity;

typedef union win32_sid {
    SID sid;
    BYTE room[SECURITY_MAX_SID_SIZE];
} win32_sid;

/* Enough for five entries of the longest identity. */
typedef union win32_list {
    ACL list;
    BYTE room[512];
} win32_list;

/* A security descriptor with all it points at. It points into itself: made in place and never copied. */
typedef struct win32_guard {
    SECURITY_ATTRIBUTES attributes; /* for the native create; never inheritable (L9) */
    SECURITY_DESCRIPTOR descriptor;
    win32_identity user;
    win32_list list;
} win32_guard;

/* For an object with a name: owned by the user itself, so that it makes no difference whether a process is elevated;
   its list admits the user, the system, the administrators and the audience, and inherits nothing. The mark is an entry
   for an identity that nobody has. */
ist_status win32_guard_named(win32_guard *guard, const win32_rights *rights, ist_audience audience, plat_error *error);

/* For an object without a name, which is reached by handle alone: nobody may get more than a handle was given. */
ist_status win32_guard_unnamed(win32_guard *guard, plat_error *error);

/* Whether the object's list has the mark, which says what the maker of each kind of object means by it: an entry for
   nobody. The handle needs READ_CONTROL; without it the answer is no. */
bool win32_list_marked(HANDLE object);

/* IST_OK if the object's owner is the user that this thread acts as, else IST_E_ACCESS and a note that says who it
   is. The handle needs READ_CONTROL. */
ist_status win32_owner_check(HANDLE object, plat_error *error);

#endif
