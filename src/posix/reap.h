/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How an object goes: ask, reap, remove, and the process's list of what it holds.
 */
#ifndef ISTHMUS_POSIX_REAP_H
#define ISTHMUS_POSIX_REAP_H

#include "posix/registry.h"

typedef enum reap_answer {
    REAP_HELD,  /* somebody holds it */
    REAP_DEAD,  /* it is dead, by this call or before */
    REAP_RACED, /* somebody joined between the question and the swap */
} reap_answer;

/* Asks through the entry's access description. */
bool reap_is_held(const registry_entry *entry);

/* Asks, and declares dead what nobody holds. The life word is mapped. */
reap_answer reap_ask(const registry_entry *entry);

/* Whether this process may remove the object: its own user's, and root everybody's. */
bool reap_is_allowed(const registry_entry *entry);

/* ---- directories: reap_remove.c ---- */

/* Opens a directory of ours by name; a symbolic link or somebody else's is not: -1. */
int reap_open_own(const scope *where, const char *name);

/* Removes an object's directory if it still holds the file that was found dead. Harmless however late. */
ist_status reap_remove(const scope *where, const char *name, const descriptor *segment, plat_error *error);

/* Deletes a private directory or one that a sweep took: nobody else's. */
void reap_discard(const scope *where, const char *name);

/* Removes an empty directory of a name, and the `w` that a removal by an older hand may have left. */
void reap_clear_remains(const scope *where, const char *name);

/* Whether a directory without a segment in it stands in the way of the name. */
bool reap_is_obstructed(const scope *where, const char *name);

/* ---- the list ---- */

/* Whether this process holds, by another handle, the object as its maker. A doubt is a yes. */
bool reap_made_here(const registry_entry *entry);

/* Puts a joined or published entry on the list of what this process holds. */
void reap_enlist(registry_entry *entry, bool made);

#endif
