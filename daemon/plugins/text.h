// SPDX-License-Identifier: MIT
// text: text built into memory of a fixed size, for values and lines. What does not fit is left out, and is_cut says so.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
        char *to; /* borrowed; always ends with a NUL */
        size_t size, used;
        bool is_cut;
};

/* Begins an empty text in this array. */
#define TEXT_IN(array) ((struct text){.to = memset(array, 0, 1), .size = sizeof(array)})

/* Appends; a piece that does not fit is left out whole. */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a JSON string with its quotes. What is not valid UTF-8 becomes U+FFFD, byte by byte. */
void text_add_json(struct text *t, const char *string);

/* Appends a wall-clock instant as 2026-11-22T07:29:22.123456Z, the fraction where it has one; before the year 0 and after 9999 in
 * microseconds since 1970. */
void text_add_time(struct text *t, int64_t rt_us);

/* Puts '?' in place of every byte that is not printable ASCII: for messages with words of strangers. */
void text_tame(char *string);
