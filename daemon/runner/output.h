// SPDX-License-Identifier: MIT
// output: a run's output: bytes to lines, and the tail that is kept as the run's value. Bounded by a line's length and CaptureMax.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/job.h"
#include "daemon/core/loop.h"

#define OUTPUT_LINE_MAX 8192        /* a longer line is cut into pieces */
#define OUTPUT_READ_MAX (64 * 1024) /* bytes read of one stream in one pass */

struct run;

/* One pipe. */
struct output_stream {
        int fd;         /* our end, -1: none or at its end */
        uint8_t number; /* 1 or 2 */
        struct loop_source *source;
        struct run *run;
        char *partial; /* a line without its end, on the heap once there was one */
        size_t partial_size;
};

/* Gets each line without its newline, or piece; borrowed for the call. */
typedef void (*output_line_fn)(void *userdata, struct output_stream *stream, const char *line, size_t size);

/* Splits what came; a last line without newline waits for more. Without memory it is given as it is. */
void output_split(struct output_stream *stream, const char *data, size_t size, output_line_fn fn, void *userdata);
/* Gives the line that waits, if any. */
void output_flush(struct output_stream *stream, output_line_fn fn, void *userdata);

/* The level of a line that begins as "<N>", which is taken off, else fallback. */
int output_level(const char **line, size_t *size, int fallback);

/* The last `limit` bytes. Zero-initialised with its limit it is empty; grows with what it holds. */
struct output_tail {
        char *data;
        size_t size, allocated, limit;
        size_t start; /* where the oldest byte is, once it is full */
};

/* Adds; without memory the oldest bytes go early. */
void output_tail_add(struct output_tail *tail, const void *data, size_t size);
/* Up to max bytes from offset that lie together; *ret is borrowed. Returns how many, 0 at the end. */
size_t output_tail_read(const struct output_tail *tail, size_t offset, size_t max, const char **ret);
void output_tail_done(struct output_tail *tail);
