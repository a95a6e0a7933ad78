// SPDX-License-Identifier: MIT
// output: a run's output: bytes to lines, and the tail that is kept as the run's value. Bounded by a line's length and CaptureMax.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/duration.h"
#include "config/job.h"
#include "daemon/core/loop.h"

#define OUTPUT_LINE_MAX 8192        /* a longer line is cut into pieces */
#define OUTPUT_READ_MAX (64 * 1024) /* bytes read of one stream in one pass */

/* What of a run goes to the journal in a stretch of time. */
#define OUTPUT_STRETCH_US        (10 * USEC_PER_SEC)
#define OUTPUT_STRETCH_LINES_MAX 10000
#define OUTPUT_STRETCH_BYTES_MAX (4 * 1024 * 1024)

struct run;

/* One pipe. */
struct output_stream {
        int fd;         /* our end, -1: none or at its end */
        uint8_t number; /* 1 or 2 */
        struct loop_source *source;
        struct run *run;
        char *partial; /* a line without its end, on the heap once there was one */
        size_t partial_size;
        bool is_continued; /* the next piece is not the first of its line, */
        uint8_t level;     /* which has this one */
};

enum output_end {
        OUTPUT_END_NEWLINE,
        OUTPUT_END_CUT,  /* the line is too long and goes on */
        OUTPUT_END_LAST, /* of a stream without a newline at its end */
};

/* Gets each line without its newline, or piece; borrowed for the call. is_continued is of this piece. */
typedef void (*output_line_fn)(void *userdata, struct output_stream *stream, const char *line, size_t size,
                               enum output_end end);

/* Splits what came; a last line without newline waits for more. Without memory it is given as it is. No character of UTF-8 is cut. */
void output_split(struct output_stream *stream, const char *data, size_t size, output_line_fn fn, void *userdata);
/* Gives the line that waits, if any. */
void output_flush(struct output_stream *stream, output_line_fn fn, void *userdata);
/* Leaves out what came, and the line that waits. Returns how many lines ended in it. */
uint64_t output_skip(struct output_stream *stream, const char *data, size_t size);

/* What a run has written to the journal in a stretch, and what was left out of it since that was told. Zero-initialised. */
struct output_budget {
        int64_t begin_bt_us;
        uint32_t n_lines, n_bytes;
        uint64_t n_lines_out, n_bytes_out;
};

/* A new stretch begins where the last one is over: true if it does, and something was left out that is to be told. */
bool output_budget_begin(struct output_budget *budget, int64_t now_bt_us);
/* True where no more goes in this stretch. */
bool output_budget_is_spent(const struct output_budget *budget);
/* Takes a line into it; false: it is counted as left out. */
bool output_budget_take(struct output_budget *budget, size_t size);

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
