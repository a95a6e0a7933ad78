// SPDX-License-Identifier: MIT
// wall: what gaps and folds make of fixed and of other times: a table, and every change of zones against their plain definition.
// With CHIMED_CASES set: every change of every zone from 2000 to 2040.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/civil.h"
#include "config/cron.h"
#include "config/timestamp.h"
#include "config/wall.h"
#include "tests/unit/run_suite.h"

#define USEC_PER_SEC INT64_C(1000000)
#define DAY_S        CIVIL_DAY_S

static struct zone *open_zone(const char *name) {
        struct zone *z = NULL;

        if (zone_open(NULL, name, &z) < 0)
                ck_abort_msg("no zone %s", name);
        return z;
}

static struct pattern *read_event(const char *text) {
        struct pattern *p = NULL;
        struct pattern_error error;

        int e = strncmp(text, "cron ", 5) == 0 ? cron_parse(text + 5, false, &p, &error) : calendar_parse(text, &p, &error);
        if (e < 0)
                ck_abort_msg("\"%s\": %s", text, error.text);
        return p;
}

/* Microseconds of an instant, or of the midnight at which a day of the wall clock begins. */
static int64_t at(const char *text) {
        char buf[40];
        const char *why;
        int64_t rt_us = 0;

        snprintf(buf, sizeof(buf), "%s%s", text, strchr(text, 'T') ? "" : " UTC");
        if (timestamp_parse(buf, &rt_us, &why) < 0)
                ck_abort_msg("%s: %s", text, why);
        return rt_us;
}

/* ---- the table ---- */

#define RUN   WALL_GAP_RUN_AFTER
#define SKIP  WALL_GAP_SKIP
#define FIRST WALL_FOLD_FIRST
#define THEN  WALL_FOLD_SECOND
#define BOTH  WALL_FOLD_BOTH

static const struct {
        const char *zone, *event;
        enum wall_gap gap;
        enum wall_fold fold;
        const char *day; /* of the zone's wall clock */
        int n;           /* instants on that day */
        const char *first, *last;
} days[] = {
        /* timeline V6 */
        {"Europe/Berlin", "02:30", RUN, FIRST, "2026-03-29", 1, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "02:30", SKIP, FIRST, "2026-03-29", 0, NULL, NULL},
        {"Europe/Berlin", "02,03:00", RUN, FIRST, "2026-03-29", 1, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "*:0/30", RUN, FIRST, "2026-03-29", 46, "2026-03-28T23:00:00Z", "2026-03-29T21:30:00Z"},
        {"Europe/Berlin", "02:30", RUN, FIRST, "2026-10-25", 1, "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"},
        {"Europe/Berlin", "02:30", RUN, THEN, "2026-10-25", 1, "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"},
        {"Europe/Berlin", "02:30", RUN, BOTH, "2026-10-25", 2, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
        {"Europe/Berlin", "*:0/30", RUN, FIRST, "2026-10-25", 50, "2026-10-24T22:00:00Z", "2026-10-25T22:30:00Z"},
        {"Europe/Berlin", "cron */30 2 * * *", RUN, FIRST, "2026-10-25", 4, "2026-10-25T00:00:00Z", "2026-10-25T01:30:00Z"},
        /* two in one gap are one slot; only those of the gap move */
        {"Europe/Berlin", "02:15,45", RUN, FIRST, "2026-03-29", 1, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "cron 15,45 1,2,3 * * *", RUN, FIRST, "2026-03-29", 5, "2026-03-29T00:15:00Z",
         "2026-03-29T01:45:00Z"},
        {"Europe/Berlin", "cron */30 2 * * *", RUN, FIRST, "2026-03-29", 0, NULL, NULL},
        {"Europe/Berlin", "03:00", RUN, FIRST, "2026-03-29", 1, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "02:00", RUN, FIRST, "2026-03-29", 1, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        /* the ends of a fold: 02:00 is shown twice, 03:00 once */
        {"Europe/Berlin", "02:00", RUN, BOTH, "2026-10-25", 2, "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
        {"Europe/Berlin", "03:00", RUN, BOTH, "2026-10-25", 1, "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"},
        {"Europe/Berlin", "02:30:*", RUN, FIRST, "2026-10-25", 60, "2026-10-25T00:30:00Z", "2026-10-25T00:30:59Z"},
        {"Europe/Berlin", "02:30:*", RUN, THEN, "2026-10-25", 60, "2026-10-25T01:30:00Z", "2026-10-25T01:30:59Z"},
        {"Europe/Berlin", "02..03:00..59:*", RUN, FIRST, "2026-10-25", 7200, "2026-10-25T00:00:00Z", "2026-10-25T02:59:59Z"},
        {"Europe/Berlin", "02..03:00..59:*", RUN, THEN, "2026-10-25", 7200, "2026-10-25T01:00:00Z", "2026-10-25T02:59:59Z"},
        /* half an hour; midnight; a whole day that never was, and one that came twice */
        {"Australia/Lord_Howe", "02:15", RUN, FIRST, "2026-10-04", 1, "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"},
        {"Australia/Lord_Howe", "01:45", RUN, BOTH, "2026-04-05", 2, "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
        {"America/Sao_Paulo", "daily", RUN, FIRST, "2018-11-04", 1, "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z"},
        {"Pacific/Apia", "2011-12-30 12:00", RUN, FIRST, "2011-12-30", 0, NULL, NULL},
        {"Pacific/Apia", "12:00", RUN, FIRST, "2011-12-31", 1, "2011-12-30T22:00:00Z", "2011-12-30T22:00:00Z"},
        {"Pacific/Kwajalein", "12:00", RUN, FIRST, "1993-08-21", 0, NULL, NULL}, /* 24 hours and no more */
        {NULL, "02:30", RUN, BOTH, "2026-03-29", 1, "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z"},
};

START_TEST(day_has_the_instants_that_the_rules_give) {
        struct zone *z = days[_i].zone ? open_zone(days[_i].zone) : NULL;
        struct pattern *p = read_event(days[_i].event);
        struct wall wall = {.zone = z, .gap = days[_i].gap, .fold = days[_i].fold};
        int64_t begin_s = at(days[_i].day) / USEC_PER_SEC, at_us, last_us = 0, first_us = 0;
        int n = 0;

        if (z) { /* the instants at which that day begins and ends */
                struct zone_instants ends[2] = {zone_resolve(z, begin_s), zone_resolve(z, begin_s + DAY_S)};
                begin_s = ends[0].utc_s[0];
                at_us = begin_s * USEC_PER_SEC - 1;
                while ((at_us = wall_next_of_pattern(&wall, p, at_us)) < ends[1].utc_s[0] * USEC_PER_SEC) {
                        first_us = n++ ? first_us : at_us;
                        last_us = at_us;
                }
        } else {
                first_us = last_us = wall_next_of_pattern(&wall, p, begin_s * USEC_PER_SEC);
                n = 1;
        }
        ck_assert_msg(n == days[_i].n, "%s %s: %d instants", days[_i].zone, days[_i].event, n);
        ck_assert_msg(n == 0 || first_us == at(days[_i].first), "%s %s: first at %lld", days[_i].zone, days[_i].event,
                      (long long)first_us);
        ck_assert_msg(n == 0 || last_us == at(days[_i].last), "%s %s: last at %lld", days[_i].zone, days[_i].event,
                      (long long)last_us);
        pattern_free(p);
        zone_unref(z);
}
END_TEST

static const struct {
        int64_t after_us, next_us;
} ends[] = {
        {INT64_MIN, 0},
        {-1, 0},
        {0, 60 * USEC_PER_SEC},
        {INT64_MAX, PATTERN_NEVER},
        {INT64_MAX / 2, PATTERN_NEVER},
        {7258118340 * USEC_PER_SEC - 1, 7258118340 * USEC_PER_SEC}, /* 2199-12-31 23:59 UTC */
        {7258118340 * USEC_PER_SEC, PATTERN_NEVER},
};

START_TEST(borders_of_time_hold) {
        struct pattern *p = read_event("minutely");
        struct zone *z = open_zone("UTC");

        ck_assert_int_eq(wall_next_of_pattern(&(struct wall){}, p, ends[_i].after_us), ends[_i].next_us);
        ck_assert_int_eq(wall_next_of_pattern(&(struct wall){.zone = z}, p, ends[_i].after_us), ends[_i].next_us);
        pattern_free(p);
        zone_unref(z);
}
END_TEST

/* A time that only ever falls into gaps is due at their ends, or never. */
START_TEST(pattern_of_gaps_only_comes_to_an_end) {
        struct pattern *fixed = read_event("Sun *-03~07/1 02:30"), *other = read_event("Sun *-03~07/1 02:0/30");
        struct zone *z = open_zone("Europe/Berlin");
        int64_t from_us = at("2026-01-01");

        ck_assert_int_eq(wall_next_of_pattern(&(struct wall){z, RUN, FIRST}, fixed, from_us), at("2026-03-29T01:00Z"));
        ck_assert_int_eq(wall_next_of_pattern(&(struct wall){z, SKIP, FIRST}, fixed, from_us), PATTERN_NEVER);
        ck_assert_int_eq(wall_next_of_pattern(&(struct wall){z, RUN, FIRST}, other, from_us), PATTERN_NEVER);
        pattern_free(fixed);
        pattern_free(other);
        zone_unref(z);
}
END_TEST

/* ---- changes of zones against the definition ---- */

#define WINDOW_S (2 * DAY_S) /* before and after a change */
#define INSTANTS ((int)(2 * WINDOW_S / 60 + 1))

struct marks {
        int64_t begin_s;
        bool is_due[INSTANTS]; /* each minute from begin_s on */
};

static void mark(struct marks *m, int64_t utc_s) {
        int64_t i = (utc_s - m->begin_s) / 60;

        if (utc_s >= m->begin_s && i < INSTANTS)
                m->is_due[i] = true;
}

/* A time that the rules of the wall are about: what becomes of it. */
static void mark_fixed(struct marks *m, const struct wall *w, int64_t civil_s) {
        struct zone_instants shown = zone_resolve(w->zone, civil_s);

        if (shown.n == 0) {
                int64_t gap_s =
                        zone_offset(w->zone, shown.utc_s[0], NULL, NULL) - zone_offset(w->zone, shown.utc_s[0] - 1, NULL, NULL);
                if (w->gap == WALL_GAP_RUN_AFTER && gap_s < DAY_S)
                        mark(m, shown.utc_s[0]);
        } else if (shown.n == 1) {
                mark(m, shown.utc_s[0]);
        } else {
                if (w->fold != WALL_FOLD_SECOND)
                        mark(m, shown.utc_s[0]);
                if (w->fold != WALL_FOLD_FIRST)
                        mark(m, shown.utc_s[1]);
        }
}

static void mark_all(struct marks *m, const struct wall *w, const struct pattern *p) {
        memset(m->is_due, 0, sizeof(m->is_due));
        if (p->is_fixed) {
                for (int64_t civil_s = m->begin_s - 2 * DAY_S; civil_s < m->begin_s + 2 * WINDOW_S + 2 * DAY_S; civil_s += 60)
                        if (pattern_next_civil(p, civil_s * USEC_PER_SEC) == civil_s * USEC_PER_SEC)
                                mark_fixed(m, w, civil_s);
        } else {
                for (int64_t utc_s = m->begin_s; utc_s < m->begin_s + INSTANTS * 60; utc_s += 60) {
                        int64_t civil_us = (utc_s + zone_offset(w->zone, utc_s, NULL, NULL)) * USEC_PER_SEC;
                        if (pattern_next_civil(p, civil_us) == civil_us)
                                mark(m, utc_s);
                }
        }
}

static void check_change(const struct wall *w, const struct pattern *p, const char *name, int64_t change_s) {
        struct marks m = {.begin_s = (change_s - WINDOW_S) / 60 * 60};

        mark_all(&m, w, p);
        int64_t at_us = m.begin_s * USEC_PER_SEC - 1;
        for (int i = 0; i < INSTANTS; i++) {
                if (!m.is_due[i])
                        continue;
                at_us = wall_next_of_pattern(w, p, at_us);
                int64_t wanted_us = (m.begin_s + i * 60) * USEC_PER_SEC;
                if (at_us != wanted_us)
                        ck_abort_msg("%s, \"%s\", gap %d, fold %d: %lld instead of %lld", name, p->text, w->gap, w->fold,
                                     (long long)(at_us / USEC_PER_SEC), (long long)(wanted_us / USEC_PER_SEC));
        }
        if (wall_next_of_pattern(w, p, at_us) < (m.begin_s + INSTANTS * 60) * USEC_PER_SEC)
                ck_abort_msg("%s, \"%s\": one too many after %lld", name, p->text, (long long)(at_us / USEC_PER_SEC));
}

static const char *const zones[] = {"Europe/Berlin",     "America/New_York",  "Australia/Lord_Howe", "Pacific/Apia",
                                    "Africa/Casablanca", "America/Sao_Paulo", "Asia/Gaza",           "America/Nuuk",
                                    "Asia/Tehran",       "Antarctica/Troll",  "Europe/Dublin",       "America/Caracas",
                                    "Asia/Pyongyang",    "Pacific/Chatham",   "America/Havana"};
static const char *const times[] = {"02:30",  "0,1,2,3:0,30", "*:0/30",    "23,0,1:59",
                                    "0..5:0", "1/2:15",       "Sun 00:00", "0..23:0..59"};
#define ROWS(table) (int)(sizeof(table) / sizeof(table[0]))

static int check_changes(const char *name, int64_t from_s, int64_t to_s) {
        struct zone *z = open_zone(name);
        int n = 0;

        for (int64_t at_s = from_s; (at_s = zone_next_change(z, at_s)) < to_s; n++) {
                int turn = (int)(at_s / DAY_S) + n;
                struct wall wall = {z, turn / 3 % 2 ? RUN : SKIP, (enum wall_fold)(turn % 3)};
                struct pattern *p = read_event(times[turn % ROWS(times)]);
                check_change(&wall, p, name, at_s);
                pattern_free(p);
        }
        zone_unref(z);
        return n;
}

START_TEST(changes_of_zones_follow_the_definition) {
        check_changes(zones[_i], at("2005-01-01") / USEC_PER_SEC, at("2028-01-01") / USEC_PER_SEC);
}
END_TEST

/* Every change of every zone; only if asked for. */
START_TEST(changes_of_all_zones_follow_the_definition) {
        FILE *list = getenv("CHIMED_CASES") ? fopen("/usr/share/zoneinfo/tzdata.zi", "re") : NULL;
        char line[256], name[256];
        int n = 0;

        while (list && fgets(line, sizeof(line), list))
                if (sscanf(line, "Z %255s", name) == 1)
                        n += check_changes(name, at("2000-01-01") / USEC_PER_SEC, at("2040-01-01") / USEC_PER_SEC);
        if (list)
                printf("%d changes\n", n);
        if (list)
                fclose(list);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("wall");
        TCase *tcase = tcase_create("wall");
        TCase *changes = tcase_create("changes");

        tcase_add_loop_test(tcase, day_has_the_instants_that_the_rules_give, 0, ROWS(days));
        tcase_add_loop_test(tcase, borders_of_time_hold, 0, ROWS(ends));
        tcase_add_test(tcase, pattern_of_gaps_only_comes_to_an_end);
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(changes, 100);
        tcase_add_loop_test(changes, changes_of_zones_follow_the_definition, 0, ROWS(zones));
        tcase_add_test(changes, changes_of_all_zones_follow_the_definition);
        suite_add_tcase(suite, changes);
        return run_suite(suite);
}
