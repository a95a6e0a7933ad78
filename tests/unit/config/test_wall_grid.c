// SPDX-License-Identifier: MIT
// wall_grid: timeline V6's line, and grids over the changes of many zones against their plain definition, minute by minute.

#include <check.h>
#include <stdlib.h>

#include "config/civil.h"
#include "config/timestamp.h"
#include "config/wall_grid.h"
#include "tests/unit/run_suite.h"

#define ROWS(table)  (int)(sizeof(table) / sizeof((table)[0]))
#define MINUTE_US    INT64_C(60000000)
#define HOUR_US      (60 * MINUTE_US)
#define DAY_US       (24 * HOUR_US)
#define YEAR_MINUTES (366 * 24 * 60)
#define SLOTS_MAX    80000

static struct zone *open_zone(const char *name) {
        struct zone *z = NULL;

        if (zone_open(NULL, name, &z) < 0)
                ck_abort_msg("no zone %s", name);
        return z;
}

static int64_t at(const char *text) {
        struct timestamp t;
        const char *why;

        if (timestamp_read(text, &t, &why) < 0)
                ck_abort_msg("%s: %s", text, why);
        return t.us;
}

START_TEST(v6_two_weeks_stay_at_nine_over_a_change_of_the_clock) {
        struct zone *z = open_zone("Europe/Berlin");
        struct wall wall = {.zone = z};
        struct wall_grid grid = {.every_us = 14 * DAY_US, .anchor_us = at("2026-03-16 09:00"), .is_civil = true};

        ck_assert_int_eq(wall_grid_next(&grid, &wall, at("2026-03-10 00:00")), at("2026-03-16T08:00:00Z"));
        ck_assert_int_eq(wall_grid_next(&grid, &wall, at("2026-03-16T08:00:00Z")), at("2026-03-30T07:00:00Z"));
        ck_assert_int_eq(wall_grid_next(&grid, &wall, at("2026-10-20T00:00:00Z")), at("2026-10-26T08:00:00Z"));
        zone_unref(z);
}
END_TEST

START_TEST(a_grid_that_is_not_civil_is_plain_arithmetic) {
        struct wall_grid grid = {.every_us = 7, .anchor_us = 3};
        struct wall wall = {};

        ck_assert_int_eq(wall_grid_next(&grid, &wall, 2), 3);
        ck_assert_int_eq(wall_grid_next(&grid, &wall, 3), 10);
        ck_assert_int_eq(wall_grid_next(&grid, &wall, -12), -11);
        ck_assert_int_eq(wall_grid_next(&grid, &wall, INT64_MAX), PATTERN_NEVER);
        ck_assert_int_eq(wall_grid_last(&grid, 2), -4);
        ck_assert_int_eq(wall_grid_last(&grid, 10), 10);
        ck_assert_int_eq(wall_grid_count(&grid, &wall, 3, 16), 1);
        ck_assert_int_eq(wall_grid_count(&grid, &wall, 3, 17), 2);
        ck_assert_int_eq(wall_grid_count(&grid, &wall, 3, 2), 0);
}
END_TEST

/* ---- against the definition ---- */

static const struct {
        const char *zone, *from;
} years[] = {
        {"Europe/Berlin", "2026-01-01"},        {"Australia/Lord_Howe", "2026-01-01"}, {"America/New_York", "2026-01-01"},
        {"America/St_Johns", "2006-01-01"},     {"Pacific/Apia", "2011-06-01"},        {"Asia/Beirut", "2026-01-01"},
        {"America/Scoresbysund", "2023-07-01"}, {"Africa/Casablanca", "2026-01-01"},   {"Asia/Pyongyang", "2018-01-01"},
        {"Pacific/Kwajalein", "1993-01-01"},
};

static const struct {
        int64_t every_us, anchor_us;
} grids[] = {
        {30 * MINUTE_US, 0},
        {7 * MINUTE_US, 0},
        {90 * MINUTE_US, 45 * MINUTE_US},
        {5 * HOUR_US, 130 * MINUTE_US},
        {DAY_US, 2 * HOUR_US},
        {DAY_US, 150 * MINUTE_US},
        {DAY_US, 23 * HOUR_US + 59 * MINUTE_US},
        {DAY_US, 15 * MINUTE_US},
        {36 * HOUR_US, 90 * MINUTE_US},
        {14 * DAY_US, 9 * HOUR_US},
        {25 * HOUR_US, 0},
};

/* What the clock shows in each minute from a day before the year to one after it. */
static int64_t shown_us[YEAR_MINUTES + 2 * 1440];

static void watch_clock(const struct zone *z, int64_t from_us) {
        for (int i = 0; i < ROWS(shown_us); i++) {
                int64_t us = from_us - DAY_US + i * MINUTE_US;
                shown_us[i] = us + zone_offset(z, us / 1000000, NULL, NULL) * INT64_C(1000000);
        }
}

static bool is_on_grid(const struct wall_grid *g, int64_t civil_us) {
        return (civil_us - g->anchor_us) % g->every_us == 0;
}

/* Whether the minute i has a slot. A time is passed in two ways: it is shown, or the clock jumps over it. */
static bool is_slot(const struct wall_grid *g, const struct wall *w, int i) {
        int64_t before_us = shown_us[i - 1] + MINUTE_US;
        bool is_first = true, is_last = true;

        if (g->every_us >= DAY_US && w->gap == WALL_GAP_RUN_AFTER && shown_us[i] - before_us < DAY_US)
                for (int64_t us = before_us; us < shown_us[i]; us += MINUTE_US)
                        if (is_on_grid(g, us))
                                return true;
        if (!is_on_grid(g, shown_us[i]))
                return false;
        if (g->every_us < DAY_US || w->fold == WALL_FOLD_BOTH)
                return true;
        for (int k = i - 1440; k < i + 1440; k++) {
                is_first = is_first && (k >= i || shown_us[k] != shown_us[i]);
                is_last = is_last && (k <= i || shown_us[k] != shown_us[i]);
        }
        return w->fold == WALL_FOLD_FIRST ? is_first : is_last;
}

static void compare(const struct wall_grid *g, const struct wall *w, int64_t from_us, const char *zone) {
        static int64_t slots[SLOTS_MAX];
        int64_t us = from_us - 1, until_us = from_us + (YEAR_MINUTES - 1) * MINUTE_US;
        int n = 0;

        for (int i = 1440; i < 1440 + YEAR_MINUTES; i++)
                if ((is_on_grid(g, shown_us[i]) || shown_us[i] - shown_us[i - 1] != MINUTE_US) && is_slot(g, w, i)) {
                        ck_assert_int_lt(n, SLOTS_MAX);
                        slots[n++] = from_us - DAY_US + i * MINUTE_US;
                }
        for (int i = 0; i < n; i++) {
                us = wall_grid_next(g, w, us);
                if (us != slots[i])
                        ck_abort_msg("%s, every %lld min from %lld: %lld, not %lld", zone, (long long)(g->every_us / MINUTE_US),
                                     (long long)(g->anchor_us / MINUTE_US), (long long)us, (long long)slots[i]);
                int64_t count = wall_grid_count(g, w, us, until_us);
                if (count >= n - i || (count > 0 && slots[i + count] != us + count * g->every_us))
                        ck_abort_msg("%s, every %lld min: %lld even ones from %lld", zone, (long long)(g->every_us / MINUTE_US),
                                     (long long)count, (long long)us);
        }
        if (wall_grid_next(g, w, us) <= until_us)
                ck_abort_msg("%s, every %lld min: one more", zone, (long long)(g->every_us / MINUTE_US));
}

START_TEST(a_year_has_the_slots_of_the_definition) {
        struct zone *z = open_zone(years[_i].zone);
        int64_t from_us = at(years[_i].from);

        watch_clock(z, from_us);
        for (int i = 0; i < ROWS(grids); i++)
                for (int k = 0; k < 6; k++) {
                        struct wall wall = {.zone = z, .gap = (enum wall_gap)(k % 2), .fold = (enum wall_fold)(k / 2)};
                        struct wall_grid grid = {
                                .every_us = grids[i].every_us, .anchor_us = grids[i].anchor_us, .is_civil = true};
                        if (k == 0 || grid.every_us >= DAY_US)
                                compare(&grid, &wall, from_us, years[_i].zone);
                }
        zone_unref(z);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("wall_grid");
        TCase *tcase = tcase_create("wall_grid");

        tcase_add_test(tcase, v6_two_weeks_stay_at_nine_over_a_change_of_the_clock);
        tcase_add_test(tcase, a_grid_that_is_not_civil_is_plain_arithmetic);
        tcase_add_loop_test(tcase, a_year_has_the_slots_of_the_definition, 0, ROWS(years));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
