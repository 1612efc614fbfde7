/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The registry: how a name comes to stand for an object, for whom, and how it goes. docs/posix-registry.md is the
 * protocol; the function names here are its words.
 *
 * Every function runs between gate_enter() and gate_leave(). Entries are zeroed before they are first given.
 */
#ifndef ISTHMUS_POSIX_REGISTRY_H
#define ISTHMUS_POSIX_REGISTRY_H

#include "core/plat.h"
#include "posix/descriptor.h"
#include "posix/name.h"
#include "posix/scope.h"
#include "posix/segment.h"

/* One handle's place in the registry. */
typedef struct registry_entry {
    scope where;
    char name[NAME_ENTRY_SIZE];       /* of the object's directory */
    char full_name[IST_NAME_MAX + 8]; /* as in the header: with its prefix; empty for an unnamed object */
    descriptor hold;                  /* carries the lock; never mapped */
    descriptor access;                /* of the same file: views are mapped from it, and asked through it */
    segment_life life;
    segment_header header; /* a checked copy */
    uid_t owner;
    bool made;   /* by this handle */
    bool listed; /* on the process's list; whoever takes it off lets the hold go */
    struct registry_entry *previous;
    struct registry_entry *next; /* of the process's handles, for the exit */
} registry_entry;

/* What a joiner asks for. */
typedef struct registry_want {
    segment_kind kind;
    ist_access access; /* IST_READ or IST_WRITE */
    bool trust_everyone;
    uint64_t id;   /* only this object, or 0 */
    bool creating; /* what may not be removed is in the way, not nothing */
} registry_want;

/* What a maker makes. */
typedef struct registry_plan {
    uint64_t size;
    uint32_t flags;
    ist_audience audience;
    segment_content content;
    uint64_t file_device;
    uint64_t file_inode;
    bool alone; /* nobody else ever holds it: LOCK_HANDLE is locked exclusively */
} registry_plan;

/* Joins what somebody holds: IST_OK, or IST_E_NOT_FOUND where nobody does. */
ist_status registry_open(registry_entry *entry, const plat_name *name, const registry_want *want, plat_error *error);

/* The same for an object whose directory entry is known, out of a ticket; want->id says which object it must be. */
ist_status registry_open_known(registry_entry *entry, const scope *where, const char *name, const registry_want *want,
                               plat_error *error);

/* The same for the object with the id that is wanted, under whatever name, if it is this owner's. It looks at every
   entry of the scope; IST_E_NOT_FOUND is certain. */
ist_status registry_open_by_id(registry_entry *entry, const scope *where, uid_t owner, const registry_want *want,
                               plat_error *error);

/* Looks at what somebody holds, without holding it: what a client of a pipe does, and a writer of a mailslot. The entry
   has its header, its life page mapped and `access`; it is on no list and ends with registry_unlook(). *directory is a
   descriptor of the object's own directory, for the caller to drop. */
ist_status registry_look(registry_entry *entry, const plat_name *name, const registry_want *want, int *directory,
                         plat_error *error);
void registry_unlook(registry_entry *entry);

/* Joins (IST_EXISTED) or makes (IST_OK). name NULL makes an unnamed one. */
ist_status registry_create(registry_entry *entry, const plat_name *name, const registry_want *want,
                           const registry_plan *plan, plat_error *error);

/* The same for one of the library's own objects, whose entry is `name` behind the scope's prefix. One that is not
   shared is never joined: its name must be new. */
ist_status registry_create_own(registry_entry *entry, bool global, const char *name, bool shared,
                               const registry_want *want, const registry_plan *plan, plat_error *error);

/* Makes an object's handle of a token, and spends it; *access is what the token gives. */
ist_status registry_import(registry_entry *entry, const char *token, segment_kind kind, ist_access *access,
                           plat_error *error);

/* Lets go; the last one out removes the object. Never fails. */
void registry_close(registry_entry *entry);

/* The same, but the page stays mapped until segment_life_unmap. */
void registry_leave(registry_entry *entry);

/* Declares the object dead, whoever holds it. The handle is to be closed then. */
void registry_condemn(registry_entry *entry);

/* In a forked child: the object stays the parent's alone. */
void registry_forget(registry_entry *entry);

/* Shows this process's handles to `visitor` until it has found what it looks for; false if it has not. No handle is
   closed meanwhile. */
typedef bool registry_visitor(void *context, registry_entry *entry);
bool registry_visit(registry_visitor *visitor, void *context);

/* Lets go of everything this process holds, at its normal exit. */
void registry_close_all(void);

/* Looks whether an entry's object is dead and removes it if so and if it is this user's. For the sweep. */
void registry_reap_if_dead(const scope *where, const char *name);

/* In a forked child. */
void registry_reset_after_fork(void);

#endif
