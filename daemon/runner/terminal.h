// SPDX-License-Identifier: MIT
// terminal: what the run of a try writes goes on to our own standard output and standard error, byte for byte.
#pragma once

#include "daemon/core/loop.h"
#include "daemon/runner/output.h"

struct terminal;

/* The stream may be read again. 0, or a negative error that ends the loop. */
typedef int (*terminal_fn)(void *userdata, struct output_stream *stream);

/* 0, -ENOMEM. SIGPIPE must be ignored. */
int terminal_new(struct loop *loop, terminal_fn on_room, void *userdata, struct terminal **ret);
struct terminal *terminal_free(struct terminal *t);

/* Passes on what was read of a stream, at most OUTPUT_READ_MAX bytes. False where it is not all taken yet: the stream is to rest until
 * on_room; what is passed on before that waits here. Where nobody reads any more, or nothing can be written, it is dropped. */
bool terminal_write(struct terminal *t, struct output_stream *stream, const void *data, size_t size);
/* Waits until all is taken. 0, or a negative error that was met in writing; that nobody reads any more is none. */
int terminal_finish(struct terminal *t);
