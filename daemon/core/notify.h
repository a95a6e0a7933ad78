// SPDX-License-Identifier: MIT
// notify: what the service manager that started us is told: that we are ready, a line on how things are, and that the loop still turns.
// As in sd_notify(3), but it never waits for a manager that does not read.
#pragma once

#include <stddef.h>

#include "daemon/core/loop.h"

#define NOTIFY_STATUS_MAX 256

struct notify;

/* Prints the line, without a newline; asked for every ten seconds at least, and sent where it is another one. */
typedef void (*notify_status_fn)(void *userdata, char text[static NOTIFY_STATUS_MAX]);

/* Begins to feed the watchdog, where WATCHDOG_USEC asks for it. *ret is NULL where nobody wants to be told ($NOTIFY_SOCKET) or can be; all take NULL.
 * 0 or a negative error. */
int notify_new(struct loop *loop, notify_status_fn print_status, void *userdata, struct notify **ret);
struct notify *notify_free(struct notify *n);
/* Each is told in any case, if not now then soon. While it stops the manager hears that it goes on, and waits. */
void notify_ready(struct notify *n);
void notify_stopping(struct notify *n);
