// SPDX-License-Identifier: MIT
// output: a run's output: bytes to lines, and the tail that is kept as the run's value.
// Most output comes as whole lines, which pass without a copy; only a line that is torn between two reads is put together here.

#include "daemon/runner/output.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_BLOCK 128

/* Puts bytes behind the line that waits; false without memory. */
static bool keep(struct output_stream *stream, const char *data, size_t size) {
        if (!stream->partial)
                stream->partial = malloc(OUTPUT_LINE_MAX);
        if (!stream->partial)
                return false;
        memcpy(stream->partial + stream->partial_size, data, size);
        stream->partial_size += size;
        return true;
}

static void give(struct output_stream *stream, const char *line, size_t size, enum output_end end, output_line_fn fn,
                 void *userdata) {
        fn(userdata, stream, line, size, end);
        stream->is_continued = end == OUTPUT_END_CUT;
}

static void drop_partial(struct output_stream *stream) {
        free(stream->partial);
        stream->partial = NULL;
        stream->partial_size = 0;
}

/* How much of a full piece is given: a character at its end that is not whole goes with the next. */
static size_t cut(const char *text, size_t size) {
        for (size_t n = 1; n <= 3 && n < size; n++) {
                uint8_t byte = (uint8_t)text[size - n];
                size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
                if ((byte & 0xc0) != 0x80)
                        return length > n ? size - n : size;
        }
        return size;
}

/* The line that waits is full, or at its end. */
static void give_partial(struct output_stream *stream, enum output_end end, output_line_fn fn, void *userdata) {
        size_t size = end == OUTPUT_END_CUT ? cut(stream->partial, stream->partial_size) : stream->partial_size;
        size_t rest = stream->partial_size - size;

        give(stream, stream->partial, size, end, fn, userdata);
        memmove(stream->partial, stream->partial + size, rest);
        stream->partial_size = rest;
        if (rest == 0)
                drop_partial(stream);
}

void output_flush(struct output_stream *stream, output_line_fn fn, void *userdata) {
        if (stream->partial_size > 0)
                give_partial(stream, OUTPUT_END_LAST, fn, userdata);
        drop_partial(stream);
}

/* A line, or as much of it as there is and fits. Returns the bytes taken. */
static size_t split_one(struct output_stream *stream, const char *data, size_t size, output_line_fn fn, void *userdata) {
        size_t room = OUTPUT_LINE_MAX - stream->partial_size, piece = size < room ? size : room;
        const char *newline = memchr(data, '\n', piece);
        size_t text = newline ? (size_t)(newline - data) : piece;
        bool is_full = !newline && text == room;

        if (stream->partial_size == 0 && (newline || is_full)) {
                if (is_full)
                        text = cut(data, text);
                give(stream, data, text, is_full ? OUTPUT_END_CUT : OUTPUT_END_NEWLINE, fn, userdata);
        } else if (!keep(stream, data, text))
                give(stream, data, text, OUTPUT_END_CUT, fn, userdata);
        else if (newline || is_full)
                give_partial(stream, is_full ? OUTPUT_END_CUT : OUTPUT_END_NEWLINE, fn, userdata);
        return text + (newline != NULL);
}

void output_split(struct output_stream *stream, const char *data, size_t size, output_line_fn fn, void *userdata) {
        while (size > 0) {
                size_t taken = split_one(stream, data, size, fn, userdata);
                data += taken;
                size -= taken;
        }
}

uint64_t output_skip(struct output_stream *stream, const char *data, size_t size) {
        uint64_t n = 0;
        size_t i = 0;

        drop_partial(stream);
        for (; size - i >= COUNT_BLOCK; i += COUNT_BLOCK) { /* of a fixed size, and in a byte: then all at once */
                uint8_t in_block = 0;
                for (size_t k = 0; k < COUNT_BLOCK; k++)
                        in_block += data[i + k] == '\n';
                n += in_block;
        }
        for (; i < size; i++)
                n += data[i] == '\n';
        if (size > 0)
                stream->is_continued = data[size - 1] != '\n';
        return n;
}

bool output_budget_begin(struct output_budget *budget, int64_t now_bt_us) {
        if (budget->begin_bt_us > 0 && now_bt_us - budget->begin_bt_us < OUTPUT_STRETCH_US)
                return false;
        budget->begin_bt_us = now_bt_us;
        budget->n_lines = budget->n_bytes = 0;
        return budget->n_lines_out > 0 || budget->n_bytes_out > 0;
}

bool output_budget_is_spent(const struct output_budget *budget) {
        return budget->n_lines >= OUTPUT_STRETCH_LINES_MAX || budget->n_bytes >= OUTPUT_STRETCH_BYTES_MAX;
}

bool output_budget_take(struct output_budget *budget, size_t size) {
        if (output_budget_is_spent(budget)) {
                budget->n_lines_out++;
                budget->n_bytes_out += size;
                return false;
        }
        budget->n_lines++;
        budget->n_bytes += (uint32_t)size; /* of a piece: it can't wrap */
        return true;
}

int output_level(const char **line, size_t *size, int fallback) {
        const char *s = *line;

        if (*size < 3 || s[0] != '<' || s[1] < '0' || s[1] > '7' || s[2] != '>')
                return fallback;
        *line += 3;
        *size -= 3;
        return s[1] - '0';
}

/* Grows towards the limit; false where it stays as it is. Never called once it has wrapped. */
static bool tail_grow(struct output_tail *tail, size_t wanted) {
        size_t allocated = tail->allocated ? tail->allocated : 512;

        while (allocated < wanted && allocated < tail->limit)
                allocated *= 2;
        if (allocated > tail->limit)
                allocated = tail->limit;
        if (allocated <= tail->allocated)
                return false;
        char *data = realloc(tail->data, allocated);
        if (!data)
                return false;
        tail->data = data;
        tail->allocated = allocated;
        return true;
}

void output_tail_add(struct output_tail *tail, const void *data, size_t size) {
        const char *from = data;

        if (tail->start == 0 && tail->size + size > tail->allocated && tail->allocated < tail->limit)
                tail_grow(tail, tail->size + size);
        if (tail->allocated == 0)
                return;
        if (size > tail->allocated) {
                from += size - tail->allocated;
                size = tail->allocated;
        }
        while (size > 0) {
                size_t at = (tail->start + tail->size) % tail->allocated;
                size_t n = tail->allocated - at < size ? tail->allocated - at : size;
                memcpy(tail->data + at, from, n);
                tail->size += n;
                if (tail->size > tail->allocated) {
                        tail->start = (tail->start + tail->size - tail->allocated) % tail->allocated;
                        tail->size = tail->allocated;
                }
                from += n;
                size -= n;
        }
}

size_t output_tail_read(const struct output_tail *tail, size_t offset, size_t max, const char **ret) {
        if (offset >= tail->size)
                return 0;
        size_t at = (tail->start + offset) % tail->allocated, n = tail->size - offset;
        if (n > tail->allocated - at)
                n = tail->allocated - at;
        *ret = tail->data + at;
        return n < max ? n : max;
}

void output_tail_done(struct output_tail *tail) {
        free(tail->data);
        *tail = (struct output_tail){.limit = tail->limit};
}
