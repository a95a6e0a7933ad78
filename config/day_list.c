// SPDX-License-Identifier: MIT
// day_list: the days of one [calendar NAME]. Dates and ranges of them are two numbers; all else is a calendar event without a time.

#include "config/day_list.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/civil.h"
#include "config/timestamp.h"

#define BLANKS    " \t\n"
#define DATE_SIZE 10 /* bytes of 2026-12-24 */
#define DAY_US    (CIVIL_DAY_S * INT64_C(1000000))

struct day_item {
        int64_t first, last;
        struct pattern *pattern; /* of no dates; NULL: all from first to last */
};

void day_list_done(struct day_list *list) {
        for (size_t i = 0; i < list->n; i++)
                pattern_free(list->items[i].pattern);
        free(list->items);
        pack_done(&list->text);
        *list = (struct day_list){};
}

__attribute__((format(printf, 2, 3))) static int refuse(struct pattern_error *error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        vsnprintf(error->text, sizeof(error->text), format, ap);
        va_end(ap);
        error->at = 0;
        return -EINVAL;
}

static bool is_date(const char *text) {
        for (int i = 0; i < DATE_SIZE; i++)
                if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
                        return false;
        return !text[DATE_SIZE];
}

static int date_parse(const char *text, int64_t *ret_day, struct pattern_error *error) {
        struct timestamp t;
        const char *why;

        if (timestamp_read(text, &t, &why) < 0 || t.us >= DAY_LIST_END * DAY_US)
                return refuse(error, "%.10s is no date of the years %d to %d", text, PATTERN_YEAR_FIRST, PATTERN_YEAR_LAST);
        *ret_day = t.us / DAY_US;
        return 0;
}

/* "FIRST..LAST", dots is where the range has them. */
static int range_parse(char *word, char *dots, struct day_item *ret, struct pattern_error *error) {
        *dots = 0;
        if (!is_date(word) || !is_date(dots + 2))
                return refuse(
                        error,
                        "a range leads from one date to another, as 2026-12-31..2027-01-02; *-12-24..31 is of every year");
        int e = date_parse(word, &ret->first, error);
        if (!e)
                e = date_parse(dots + 2, &ret->last, error);
        if (!e && ret->last < ret->first)
                e = refuse(error, "the range goes backwards: %s is after %s", word, dots + 2);
        return e;
}

static int word_parse(char *word, struct day_item *ret, struct pattern_error *error) {
        char *dots = strstr(word, "..");
        int n_dashes = 0;

        for (const char *p = word; *p; p++)
                n_dashes += *p == '-';
        if (is_date(word)) {
                int e = date_parse(word, &ret->first, error);
                ret->last = ret->first;
                return e;
        }
        if (dots && n_dashes > 2) /* an event has two at most */
                return range_parse(word, dots, ret, error);
        return calendar_parse_days(word, &ret->pattern, error);
}

/* Adds the item and its canonical text. */
static int item_take(struct day_list *list, const struct day_item *item, struct pattern_error *error) {
        char text[2 * DATE_SIZE + 3];
        const char *from = item->pattern ? item->pattern->text : text;

        if (!item->pattern) {
                struct civil first = civil_of_days(item->first), last = civil_of_days(item->last);
                size_t n = (size_t)snprintf(text, sizeof(text), "%04d-%02d-%02d", (int)first.year, first.month, first.day);
                if (item->last > item->first)
                        snprintf(text + n, sizeof(text) - n, "..%04d-%02d-%02d", (int)last.year, last.month, last.day);
        }
        if (list->text.size + strlen(from) + 1 > DAY_LIST_TEXT_MAX) {
                refuse(error, "too many days in one calendar: they may have %d bytes", DAY_LIST_TEXT_MAX);
                return 1;
        }
        struct day_item *items = reallocarray(list->items, list->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;
        pack_raw(&list->text, " ", list->n > 0);
        pack_raw(&list->text, from, strlen(from) + 1);
        if (pack_result(&list->text) < 0)
                return -ENOMEM;
        list->text.size--; /* the end is written over */
        items[list->n++] = *item;
        return 0;
}

int day_list_add(struct day_list *list, const char *words, struct pattern_error *ret_error) {
        for (const char *at = words + strspn(words, BLANKS); *at; at += strspn(at, BLANKS)) {
                struct day_item item = {};
                char word[PATTERN_TEXT_MAX + 1];
                size_t size = strcspn(at, BLANKS);
                int e = size < sizeof(word) ? 0 : refuse(ret_error, "\"%.40s...\" is too long; blanks separate days", at);

                if (!e) {
                        memcpy(word, at, size);
                        word[size] = 0;
                        e = word_parse(word, &item, ret_error);
                }
                if (!e)
                        e = item_take(list, &item, ret_error);
                if (e) {
                        pattern_free(item.pattern);
                        ret_error->at += (size_t)(at - words);
                        return e;
                }
                at += size;
        }
        return 0;
}

const char *day_list_text(const struct day_list *list) {
        return list->n > 0 ? (const char *)list->text.data : "";
}

static int64_t item_next(const struct day_item *item, int64_t day) {
        if (!item->pattern)
                return day > item->last ? DAY_LIST_NEVER : day > item->first ? day : item->first;
        int64_t civil_us = pattern_next_civil(item->pattern, day * DAY_US);
        return civil_us == PATTERN_NEVER ? DAY_LIST_NEVER : civil_us / DAY_US;
}

int64_t day_list_next(const struct day_list *list, int64_t day) {
        int64_t found = DAY_LIST_NEVER;

        for (size_t i = 0; i < list->n; i++) {
                int64_t next = item_next(&list->items[i], day);
                if (next < found)
                        found = next;
        }
        return found;
}

void day_list_mark(const struct day_list *list, uint64_t bits[static DAY_LIST_WORDS]) {
        for (size_t i = 0; i < list->n; i++)
                for (int64_t day = item_next(&list->items[i], 0); day < DAY_LIST_END; day = item_next(&list->items[i], day + 1))
                        bits[day / 64] |= UINT64_C(1) << day % 64;
}

int64_t day_list_last(const struct day_list *list) {
        uint64_t bits[DAY_LIST_WORDS] = {};
        int64_t last = DAY_LIST_END - 1;

        day_list_mark(list, bits);
        while (last >= 0 && !(bits[last / 64] >> last % 64 & 1))
                last--;
        return last;
}
