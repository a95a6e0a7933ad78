// SPDX-License-Identifier: MIT
// terminal: what the run of a try writes goes on to our own standard output and standard error, byte for byte.
#pragma once

#include "daemon/core/loop.h"

struct terminal;

/* All that was written to number is taken. 0, or a negative error that ends the loop. */
typedef int (*terminal_fn)(void *userdata, int number);

/* 0, -ENOMEM. SIGPIPE must be ignored. */
int terminal_new(struct loop *loop, terminal_fn on_room, void *userdata, struct terminal **ret);
struct terminal *terminal_free(struct terminal *t);

/* Passes bytes on to number, 1 or 2, and never blocks. False where not all is taken yet: it waits here, and what it came from is to rest
 * until on_room. Where nobody reads any more, or nothing can be written, it is dropped. */
bool terminal_write(struct terminal *t, int number, const void *data, size_t size);
/* Whether nothing waits. */
bool terminal_has_room(const struct terminal *t, int number);
/* 0, or a negative error that was met in writing; that nobody reads any more is none. */
int terminal_error(const struct terminal *t);
