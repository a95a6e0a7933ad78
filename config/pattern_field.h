// SPDX-License-Identifier: MIT
// pattern_field: what the fields of calendars and crontabs have in common: numbers, names, ranges and steps, read and printed.
// For the parsers of patterns only. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pack.h"
#include "config/pattern.h"

/* How a language writes its fields. */
struct field_notation {
        const char *range;  /* between the ends of a range: ".." or "-" */
        bool has_star_step; /* "*" can have a step */
};

/* One field of a language; a row of a table. */
struct field_syntax {
        const char *name; /* as messages call it: "minute" */
        const struct field_notation *notation;
        int32_t unit;        /* 1, or 1000000 where six digits of a fraction are kept */
        int32_t first, last; /* of the values, in units */
        int32_t cycle;       /* units until the values begin again; 0: they never do */
        int width;           /* digits that are printed at least */
        const char *advice;
        const char *names; /* of three letters each, from `named` on, case ignored; NULL: none */
        int32_t named;
        bool is_year;     /* two digits are 1970..2069 */
        bool is_from_end; /* values count backwards: a step without an end leads to the first */
};

enum field_shape {
        FIELD_ONE,
        FIELD_RANGE,
        FIELD_OPEN, /* a value and a step, to the end */
        FIELD_STAR,
};

/* Values: first, then by step (> 0) up, or down, to last; first is as it was written. */
struct field_item {
        enum field_shape shape;
        int32_t first, last, step;
};

/* An expression on its way to a pattern: what is read, and what has come of it. */
struct pattern_draft {
        const char *text, *at; /* borrowed; at moves */
        struct pattern *pattern;
        struct pack out;                 /* its canonical text */
        char warning[PATTERN_ERROR_MAX]; /* the first one; empty: none */
        struct pattern_error *error;
        const void *userdata;
};

/* What both parsers do around their reading: `read` gets a draft of an empty pattern of all years, fills sets and text, and returns 0, -EINVAL
 * with the error noted, or -ENOMEM. Results as those of calendar_parse(). */
int pattern_read(const char *text, int (*read)(struct pattern_draft *d), const void *userdata, struct pattern **ret,
                 struct pattern_error *ret_error);
/* Notes what is wrong at a byte of the text. Returns -EINVAL. */
int pattern_error(struct pattern_draft *d, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Where the words of a text begin; each ends before a blank or the end. Returns how many there are; the first `max` are set, and one
 * too many is, too, as the last: ret has room for max + 1. */
size_t words_split(const char *text, size_t max, const char **ret);
size_t word_size(const char *word);
/* How many bytes of it a message shows. */
int word_shown(const char *word);
/* Whether it is this one, case ignored. */
bool word_is(const char *word, const char *name);
/* Adds to the canonical text, what it prints has at most 63 bytes. */
void field_print(struct pattern_draft *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads one item of a list and stops behind it; the caller looks at what follows. Ranges end with a value that their step
 * meets, and one that holds a single value is FIELD_ONE. Returns 0 or -EINVAL with the error noted. */
int field_item_parse(const struct field_syntax *s, struct pattern_draft *d, struct field_item *ret);
void field_item_print(const struct field_syntax *s, const struct field_item *item, struct pattern_draft *d);
/* Those of its values that are base..base + 63, as bits from base on; for a unit of 1. */
uint64_t field_item_mask(const struct field_item *item, int32_t base);
/* Adds its values to the seconds of the pattern; for a unit of a million. Returns 0 or -ENOMEM. */
int field_item_add_run(const struct field_item *item, struct pattern *p);
/* Whether neither "*" nor "/" stands in it. */
bool field_item_is_fixed(const struct field_syntax *s, const struct field_item *item);
/* Warns where a step to the end of the field leaves a shorter one behind it (7 of 60). */
void field_item_warn(const struct field_syntax *s, const struct field_item *item, struct pattern_draft *d);
