// SPDX-License-Identifier: MIT
// day_list: the days of one [calendar NAME]: dates, ranges of dates, dates of every year, weekdays.
// Pure. Days are counted from 1970-01-01; there are none before it, and none after PATTERN_YEAR_LAST.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pack.h"
#include "config/pattern.h"

#define DAY_LIST_TEXT_MAX 4000           /* bytes of a calendar's days, printed */
#define DAY_LIST_END      INT64_C(84006) /* 2200-01-01 */
#define DAY_LIST_NEVER    DAY_LIST_END
#define DAY_LIST_WORDS    ((DAY_LIST_END + 63) / 64)

struct day_item;

/* Zero-initialise. */
struct day_list {
        struct day_item *items;
        size_t n;
        struct pack text;
};

void day_list_done(struct day_list *list);
/* Adds days, words separated by blanks: 2026-12-24, 2026-12-31..2027-01-02, what else is the date of a calendar event (*-12-25, *-*-01,
 * *-*~1), Sat or Mon..Fri. Returns 0; -EINVAL with the error set at the first word that is none, or 1 at the first that does not fit, where
 * those before it are added; -ENOMEM. */
int day_list_add(struct day_list *list, const char *words, struct pattern_error *ret_error);
/* Its days as canonical words, "" where it has none: they read back as the same text. Borrowed until the next is added. */
const char *day_list_text(const struct day_list *list);
/* The first of its days at or after a day, or DAY_LIST_NEVER. */
int64_t day_list_next(const struct day_list *list, int64_t day);
/* Sets the bit of each of its days; bit 0 is 1970-01-01. */
void day_list_mark(const struct day_list *list, uint64_t bits[static DAY_LIST_WORDS]);
/* The last of its days, -1 where it has none. */
int64_t day_list_last(const struct day_list *list);
