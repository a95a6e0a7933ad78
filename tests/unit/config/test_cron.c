// SPDX-License-Identifier: MIT
// cron: fields read as cron reads them; random expressions match what a walk over every day and minute finds.
// CHIMED_CASES says how many of those (default 3000).

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/civil.h"
#include "config/cron.h"
#include "config/timestamp.h"
#include "tests/unit/config/check_pattern.h"
#include "tests/unit/run_suite.h"

#define USEC_PER_SEC INT64_C(1000000)
#define USEC_PER_DAY (CIVIL_DAY_S * USEC_PER_SEC)

static int read_or(const char *text, struct pattern **ret, struct pattern_error *ret_error) {
        return cron_parse(text, false, ret, ret_error);
}

static int read_and(const char *text, struct pattern **ret, struct pattern_error *ret_error) {
        return cron_parse(text, true, ret, ret_error);
}

/* ---- tables ---- */

static const struct {
        const char *text, *canonical;
        bool is_fixed, is_either;
} crons[] = {
        {"0 0 * * *", "0 0 * * *", true, false},
        {" 5\t4  * * sun ", "5 4 * * 0", true, false},
        {"@yearly", "0 0 1 1 *", true, false},
        {"@annually", "0 0 1 1 *", true, false},
        {"@monthly", "0 0 1 * *", true, false},
        {"@weekly", "0 0 * * 0", true, false},
        {"@Daily", "0 0 * * *", true, false},
        {"@midnight", "0 0 * * *", true, false},
        {"@hourly", "0 * * * *", false, false},
        {"*/15 2 1 * 1", "*/15 2 1 * 1", false, true},
        {"0 0 */2 * 1", "0 0 */2 * 1", true, false}, /* begins with a star: not restricted */
        {"0 0 1 * */2", "0 0 1 * */2", true, false},
        {"0 0 1-31/2 * 1", "0 0 1-31/2 * 1", true, true},
        {"0 0 1,*/2 * 1", "0 0 1,*/2 * 1", true, true},
        {"0 0 ? * MON-FRI", "0 0 * * 1-5", true, false},
        {"0 0 1 * ?", "0 0 1 * *", true, false},
        {"0 0 * JAN,mar-may/2 *", "0 0 * 1,3-5/2 *", true, false},
        {"0 0 * * 7", "0 0 * * 0", true, false},
        {"0 0 * * FRI-SUN", "0 0 * * 5-7", true, false},
        {"0 0 * * 0-7", "0 0 * * 0-7", true, false},
        {"0 0 L,L-3,15W,LW * *", "0 0 L,L-3,15W,LW * *", true, false},
        {"0 0 l,lw,1w * *", "0 0 L,LW,1W * *", true, false},
        {"0 0 * * 5L,fri#2,SunL,7#1", "0 0 * * 5L,5#2,0L,0#1", true, false},
        {"0 0 L * 5L", "0 0 L * 5L", true, true},
        {"5/20 1 * * *", "5/20 1 * * *", false, false},
        {"1-5/9 0 * * *", "1 0 * * *", true, false},
        {"30 10 0 1 1 *", "30 10 0 1 1 *", true, false},
        {"*/10 0 0 * * *", "*/10 0 0 * * *", true, false},
};

START_TEST(fields_print_canonical_and_read_back) {
        check_printed(read_or, crons[_i].text, crons[_i].canonical, crons[_i].is_fixed);
        struct pattern *p = must_read(read_or, crons[_i].text), *both = must_read(read_and, crons[_i].text);
        ck_assert_msg(p->days.is_either == crons[_i].is_either, "\"%s\"", crons[_i].text);
        ck_assert(!both->days.is_either);
        pattern_free(p);
        pattern_free(both);
}
END_TEST

static const struct refusal refusals[] = {
        {"", 0, "too few fields"},
        {"0 0 * *", 0, "too few fields"},
        {"0 0 * * * * /bin/true", 12, "too many fields"},
        {"@reboot", 0, "OnBoot=yes"},
        {"@every 5m", 0, "Every="},
        {"@fortnightly", 0, "is none of @yearly"},
        {"@daily /bin/true", 7, "nothing stands behind @daily"},
        {"75 * * * *", 0, "minute 75 is out of range 0..59"},
        {"0 24 * * *", 2, "hour 24 is out of range 0..23"},
        {"0 0 0 * *", 4, "day 0 is out of range 1..31"},
        {"0 0 * 13 *", 6, "month 13"},
        {"0 0 * * 8", 8, "weekday 8 is out of range 0..7"},
        {"60 0 0 * * *", 0, "second 60"},
        {"x * * * *", 0, "\"x\" is no minute"},
        {"0 0 * foo *", 6, "is no month"},
        {"0 0 * * L", 8, "5L (the last Friday)"},
        {"0 0 * * 5#6", 10, "1 to 5"},
        {"0 0 * * 5#22", 10, "1 to 5"},
        {"0 0 * * MONDAY", 11, "does not belong to the weekday"},
        {"0 22-2 * * *", 2, "the range 22-2 goes backwards"},
        {"0~30 1 * * *", 1, "RandomizedDelay="},
        {"0 0 ?,5 * *", 4, "is no day"},
        {"? 0 1 * *", 0, "is no minute"},
        {"0 0 1-5W * *", 7, "does not belong to the day"},
        {"0 0 L-31 * *", 6, "L-30 is the most"},
        {"0 0 L- * *", 6, "L-30 is the most"},
        {"1,2, * * * *", 4, "the minute is missing"},
        {"*/0 * * * *", 2, "a step of 0"},
        {"*/ * * * *", 2, "a step is a number"},
        {"5/90 * * * *", 0, "leads out of 0..59"},
        {"-5 * * * *", 0, "is no minute"},
        {"0 0 30 2 *", 0, "can never match"},
        {"0 0 31 4,6 *", 0, "can never match"},
        {"0 0 31W 2 *", 0, "can never match"},
};

START_TEST(refusal_says_where_and_what_would_be_right) {
        check_refusal(read_or, &refusals[_i]);
}
END_TEST

static const struct warning warnings[] = {
        {"*/7 * * * *", "the step 7 does not divide 60 minutes: after 56 follows 0, a step of 4"},
        {"*/90 * * * *", "the step 90 does not divide 60 minutes: after 0 follows 0, a step of 60"},
        {"0 */5 * * *", "the step 5 does not divide 24 hours: after 20 follows 0, a step of 4"},
        {"0 0 */2 * *", "the step 2 does not divide 31 days: after 31 follows 1, a step of 1"},
        {"0 0 * * */2", "the step 2 does not divide 7 weekdays: after 6 follows 0, a step of 1"},
        {"0 0 * * */7", NULL},
        {"*/15 */6 * */3 *", NULL},
        {"0-40/7 * * * *", NULL},
        {"3,*/7 * * * *", NULL},
};

START_TEST(short_step_is_warned_of) {
        check_warning(read_or, &warnings[_i]);
}
END_TEST

static const struct {
        const char *text, *after, *next;
} walks[] = {
        {"0 0 1W * *", "2026-07-20T00:00Z", "2026-08-03T00:00Z"}, /* the 1st is a Saturday, and July is another month */
        {"0 0 1W * *", "2026-10-20T00:00Z", "2026-11-02T00:00Z"},
        {"0 0 15W * *", "2026-08-01T00:00Z", "2026-08-14T00:00Z"},
        {"0 0 31W * *", "2026-01-10T00:00Z", "2026-01-30T00:00Z"},
        {"0 0 31W * *", "2026-04-01T00:00Z", "2026-05-29T00:00Z"}, /* April has none; May ends on a Sunday */
        {"0 0 LW * *", "2026-04-01T00:00Z", "2026-04-30T00:00Z"},
        {"0 0 L-30 * *", "2026-02-01T00:00Z", "2026-03-01T00:00Z"},
        {"0 0 * * 5#5", "2026-02-01T00:00Z", "2026-05-29T00:00Z"},
        {"0 0 * * 5L", "2026-02-01T00:00Z", "2026-02-27T00:00Z"},
        {"0 0 13 * 5", "2026-02-01T00:00Z", "2026-02-06T00:00Z"},   /* or */
        {"0 0 */13 * 5", "2026-02-02T00:00Z", "2026-02-27T00:00Z"}, /* a star: and */
        {"0 0 29 2 *", "2096-03-01T00:00Z", "2104-02-29T00:00Z"},
        {"59 59 23 31 12 *", "2026-02-01T00:00Z", "2026-12-31T23:59:59Z"},
};

START_TEST(walk_finds_the_next_time) {
        struct pattern *p = must_read(read_or, walks[_i].text);
        const char *why;
        int64_t after_us = 0, next_us = 0;

        ck_assert_int_eq(timestamp_parse(walks[_i].after, &after_us, &why), 0);
        ck_assert_int_eq(timestamp_parse(walks[_i].next, &next_us, &why), 0);
        ck_assert_msg(pattern_next_civil(p, after_us) == next_us, "\"%s\": %lld", walks[_i].text,
                      (long long)pattern_next_civil(p, after_us));
        pattern_free(p);
}
END_TEST

/* ---- random expressions against a walk ---- */

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct { int first, last; } ranges[FIELDS] = {{0, 59}, {0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};

/* What an expression means, as plainly as it can be said. */
struct meaning {
        bool has[FIELDS][64], is_star[FIELDS], days_and;
        bool is_last_minus[32], is_nearest[32], is_last_working_day; /* of a month */
        bool is_nth[7][6], is_last[7];                               /* of a weekday */
};

static uint64_t state;

static int below(int n) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (int)((state >> 33) % (uint64_t)n);
}

static int between(int first, int last) {
        return first + below(last - first + 1);
}

static void set_values(struct meaning *m, int field, int first, int last, int step) {
        for (int v = first; v <= last; v += step)
                m->has[field][field == WEEKDAY ? v % 7 : v] = true;
}

/* Adds a form that only a day field has. */
static void draw_special(struct meaning *m, int field, char *text) {
        int day = between(1, 31), weekday = between(0, 7), n = between(1, 5), minus = between(0, 30);

        switch (field == DAY ? below(3) : 3 + below(2)) {
        case 0:
                m->is_last_minus[minus] = true;
                sprintf(text, minus ? "L-%d" : "L", minus);
                break;
        case 1:
                m->is_nearest[day] = true;
                sprintf(text, "%dW", day);
                break;
        case 2:
                m->is_last_working_day = true;
                strcpy(text, "LW");
                break;
        case 3:
                m->is_nth[weekday % 7][n] = true;
                sprintf(text, "%d#%d", weekday, n);
                break;
        case 4:
                m->is_last[weekday % 7] = true;
                sprintf(text, "%dL", weekday);
                break;
        }
}

static void draw_item(struct meaning *m, int field, char *text) {
        int low = ranges[field].first, high = ranges[field].last;
        int first = between(low, high), last = between(first, high), step = between(1, (high - low) / 2);

        switch (below(field == DAY || field == WEEKDAY ? 6 : 5)) {
        case 0:
        case 1:
                set_values(m, field, first, first, 1);
                sprintf(text, "%d", first);
                break;
        case 2:
                set_values(m, field, first, last, 1);
                sprintf(text, "%d-%d", first, last);
                break;
        case 3:
                set_values(m, field, first, last, step);
                sprintf(text, "%d-%d/%d", first, last, step);
                break;
        case 4:
                set_values(m, field, low, high, step);
                sprintf(text, "*/%d", step);
                break;
        case 5:
                draw_special(m, field, text);
                break;
        }
}

static void draw_field(struct meaning *m, int field, char *text) {
        char item[32];

        *text = 0;
        if (below(3) == 0) {
                set_values(m, field, ranges[field].first, ranges[field].last, 1);
                strcpy(text, "*");
        } else
                for (int n = between(1, 3); n > 0; n--) {
                        draw_item(m, field, item);
                        strcat(text, item);
                        strcat(text, n > 1 ? "," : "");
                }
        m->is_star[field] = *text == '*';
}

static void draw_expression(struct meaning *m, char *text) {
        char field[128];

        memset(m, 0, sizeof(*m));
        *text = 0;
        m->days_and = below(4) == 0;
        m->has[SECOND][0] = below(2) == 0;
        for (int f = m->has[SECOND][0] ? MINUTE : SECOND; f < FIELDS; f++) {
                draw_field(m, f, field);
                strcat(text, *text ? " " : "");
                strcat(text, field);
        }
}

/* The working day nearest to a day of a month that is `days` long and begins on a weekday: looked for outwards, to both sides. */
static int nearest_working_day(int day, int days, int first_weekday) {
        for (int far = 0;; far++)
                for (int sign = -1; sign <= 1; sign += 2) {
                        int d = day + sign * far, weekday = (first_weekday + d - 1 + 7) % 7;
                        if (d >= 1 && d <= days && weekday != 0 && weekday != 6)
                                return d;
                }
}

static bool day_matches(const struct meaning *m, int64_t day_number) {
        struct civil c = civil_of_days(day_number);
        int days = civil_month_days(c.year, c.month), weekday = civil_weekday(day_number);
        int first_weekday = civil_weekday(day_number - c.day + 1);

        if (!m->has[MONTH][c.month])
                return false;
        bool of_month = m->has[DAY][c.day] || m->is_last_minus[days - c.day] ||
                        (m->is_last_working_day && c.day == nearest_working_day(days, days, first_weekday));
        for (int d = 1; d <= days; d++)
                of_month = of_month || (m->is_nearest[d] && c.day == nearest_working_day(d, days, first_weekday));
        bool of_week = m->has[WEEKDAY][weekday] || m->is_nth[weekday][(c.day - 1) / 7 + 1] ||
                       (m->is_last[weekday] && c.day + 7 > days);
        if (!m->days_and && !m->is_star[DAY] && !m->is_star[WEEKDAY])
                return of_month || of_week;
        return of_month && of_week;
}

/* The first match at or after a second, or -1 if there is none before the year 2200. */
static int64_t walk(const struct meaning *m, int64_t from_s) {
        int64_t end = civil_days(PATTERN_YEAR_LAST + 1, 1, 1);

        for (int64_t day = from_s / CIVIL_DAY_S; day < end; day++) {
                if (!day_matches(m, day))
                        continue;
                for (int s = 0; s < CIVIL_DAY_S; s++)
                        if (m->has[SECOND][s % 60] && m->has[MINUTE][s / 60 % 60] && m->has[HOUR][s / 3600] &&
                            day * CIVIL_DAY_S + s >= from_s)
                                return day * CIVIL_DAY_S + s;
        }
        return -1;
}

static void check_expression(const struct meaning *m, const char *text) {
        struct pattern *p = NULL, *back = NULL;
        struct pattern_error error;
        int64_t from_s = civil_days(2020, 1, 1) * CIVIL_DAY_S + (int64_t)below(1 << 30) + (below(2) ? 0 : below(1 << 30));

        int e = cron_parse(text, m->days_and, &p, &error);
        if (e == -EINVAL && strstr(error.text, "can never match") && walk(m, 0) < 0)
                return;
        if (e < 0)
                ck_abort_msg("\"%s\": %zu: %s", text, error.at, error.text);
        if (cron_parse(p->text, m->days_and, &back, &error) < 0 || strcmp(p->text, back->text) != 0)
                ck_abort_msg("\"%s\" prints as \"%s\"", text, p->text);
        for (int i = 0; i < 3; i++) {
                int64_t wanted_s = walk(m, from_s), found_us = pattern_next_civil(p, from_s * USEC_PER_SEC);
                if (found_us != (wanted_s < 0 ? PATTERN_NEVER : wanted_s * USEC_PER_SEC))
                        ck_abort_msg("\"%s\" (%s) after %lld: %lld instead of %lld", text, m->days_and ? "and" : "or",
                                     (long long)from_s, (long long)(found_us / USEC_PER_SEC), (long long)wanted_s);
                if (pattern_next_civil(back, from_s * USEC_PER_SEC) != found_us)
                        ck_abort_msg("\"%s\" prints as \"%s\"", text, p->text);
                if (wanted_s < 0)
                        break;
                from_s = wanted_s + 1;
        }
        pattern_free(p);
        pattern_free(back);
}

START_TEST(random_fields_match_what_a_walk_finds) {
        const char *cases = getenv("CHIMED_CASES");
        struct meaning m;
        char text[1024];

        for (int i = cases ? atoi(cases) : 3000; i > 0; i--) {
                state = (uint64_t)i;
                draw_expression(&m, text);
                check_expression(&m, text);
        }
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(table[0]))

int main(void) {
        Suite *suite = suite_create("cron");
        TCase *tcase = tcase_create("cron");
        TCase *random = tcase_create("walks");

        tcase_add_loop_test(tcase, fields_print_canonical_and_read_back, 0, ROWS(crons));
        tcase_add_loop_test(tcase, refusal_says_where_and_what_would_be_right, 0, ROWS(refusals));
        tcase_add_loop_test(tcase, short_step_is_warned_of, 0, ROWS(warnings));
        tcase_add_loop_test(tcase, walk_finds_the_next_time, 0, ROWS(walks));
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(random, 100);
        tcase_add_test(random, random_fields_match_what_a_walk_finds);
        suite_add_tcase(suite, random);
        return run_suite(suite);
}
