/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Everything portable in one include. <isthmus/win32.h> is apart.
 */
#ifndef ISTHMUS_ISTHMUS_H
#define ISTHMUS_ISTHMUS_H

#include <isthmus/access.h>
#include <isthmus/event.h>
#include <isthmus/export.h>
#include <isthmus/mailslot.h>
#include <isthmus/mapping.h>
#include <isthmus/mutex.h>
#include <isthmus/name.h>
#include <isthmus/pipe.h>
#include <isthmus/semaphore.h>
#include <isthmus/status.h>
#include <isthmus/text.h>
#include <isthmus/timer.h>
#include <isthmus/traits.h>
#include <isthmus/version.h>
#include <isthmus/wait.h>

#endif
