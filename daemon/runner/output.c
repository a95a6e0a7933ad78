// SPDX-License-Identifier: MIT
// output: a run's output: bytes to lines, and the tail that is kept as the run's value.
// Most output comes as whole lines, which pass without a copy; only a line that is torn between two reads is put together here.

#include "daemon/runner/output.h"

#include <stdlib.h>
#include <string.h>

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

void output_flush(struct output_stream *stream, output_line_fn fn, void *userdata) {
        if (stream->partial_size > 0)
                fn(userdata, stream, stream->partial, stream->partial_size);
        free(stream->partial);
        stream->partial = NULL;
        stream->partial_size = 0;
}

void output_split(struct output_stream *stream, const char *data, size_t size, output_line_fn fn, void *userdata) {
        while (size > 0) {
                size_t room = OUTPUT_LINE_MAX - stream->partial_size, piece = size < room ? size : room;
                const char *newline = memchr(data, '\n', piece);
                size_t taken = newline ? (size_t)(newline - data) + 1 : piece;
                size_t text = newline ? taken - 1 : taken;

                if (stream->partial_size > 0 || (!newline && text < OUTPUT_LINE_MAX)) {
                        if (!keep(stream, data, text))
                                fn(userdata, stream, data, text);
                        if ((newline || stream->partial_size == OUTPUT_LINE_MAX) && stream->partial_size > 0)
                                output_flush(stream, fn, userdata);
                } else
                        fn(userdata, stream, data, text);
                data += taken;
                size -= taken;
        }
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
