// SPDX-License-Identifier: MIT
// check_pattern: what the tests of calendars and crons ask of a row: that it reads and prints, is refused with a reason, or warns.
#pragma once

#include <check.h>
#include <errno.h>
#include <string.h>

#include "config/pattern.h"

typedef int (*pattern_reader)(const char *text, struct pattern **ret, struct pattern_error *ret_error);

struct refusal {
        const char *text;
        size_t at;
        const char *why; /* part of it */
};

struct warning {
        const char *text, *warning; /* NULL: none */
};

/* Reads what must be readable; given to the caller. */
static inline struct pattern *must_read(pattern_reader read, const char *text) {
        struct pattern *p = NULL;
        struct pattern_error error;

        if (read(text, &p, &error) < 0)
                ck_abort_msg("\"%s\": %zu: %s", text, error.at, error.text);
        return p;
}

static inline void check_printed(pattern_reader read, const char *text, const char *printed, bool is_fixed) {
        struct pattern *p = must_read(read, text), *back = must_read(read, p->text);

        ck_assert_msg(strcmp(p->text, printed) == 0, "\"%s\": %s", text, p->text);
        ck_assert_msg(p->is_fixed == is_fixed, "\"%s\"", text);
        ck_assert_str_eq(back->text, p->text);
        ck_assert_int_eq(back->is_fixed, p->is_fixed);
        ck_assert_ptr_null(pattern_free(p));
        pattern_free(back);
}

static inline void check_refusal(pattern_reader read, const struct refusal *row) {
        struct pattern *p = NULL;
        struct pattern_error error = {.at = SIZE_MAX};

        ck_assert_msg(read(row->text, &p, &error) == -EINVAL, "\"%s\"", row->text);
        ck_assert_ptr_null(p);
        ck_assert_msg(strstr(error.text, row->why) && error.at == row->at, "\"%s\": %zu: %s", row->text, error.at, error.text);
}

static inline void check_warning(pattern_reader read, const struct warning *row) {
        struct pattern *p = must_read(read, row->text);

        ck_assert_msg(!p->warning == !row->warning && (!row->warning || strcmp(p->warning, row->warning) == 0), "\"%s\": %s",
                      row->text, p->warning);
        pattern_free(p);
}
