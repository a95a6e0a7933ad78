// SPDX-License-Identifier: MIT
// agenda: several expressions are one row of slots; a long way over it comes to the same slot as its steps; equal ones are one.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/agenda.h"
#include "config/calendar.h"
#include "config/cron.h"
#include "config/timestamp.h"
#include "tests/unit/config/other_zone.h"
#include "tests/unit/run_suite.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct zones zones;
static struct agendas agendas = {.find_zone = zones_find_for_agendas, .userdata = &zones};

static void add(struct agenda_draft *draft, const char *text) {
        struct pattern *p = NULL;
        struct pattern_error error;
        bool is_cron = strncmp(text, "cron ", 5) == 0;
        int r = is_cron ? cron_parse(text + 5, draft->days_and, &p, &error) : calendar_parse(text, &p, &error);

        if (r < 0)
                ck_abort_msg("\"%s\": %s", text, error.text);
        if (agenda_draft_add(draft, p, is_cron) != 0)
                ck_abort_msg("\"%s\" is too much", text);
}

/* Expressions are separated by semicolons. */
static const struct agenda *compile_with(const char *texts, const char *zone, enum wall_gap gap, enum wall_fold fold,
                                         bool has_grid) {
        struct agenda_draft draft = {.gap = (uint8_t)gap, .fold = (uint8_t)fold, .has_grid = has_grid};
        const struct agenda *a = NULL;
        char copy[400], why[ZONE_WHY_MAX] = "", *rest = copy;

        snprintf(copy, sizeof(copy), "%s", texts);
        snprintf(draft.zone, sizeof(draft.zone), "%s", zone);
        for (const char *text; *texts && (text = strsep(&rest, ";"));)
                add(&draft, text);
        if (agenda_compile(&agendas, &draft, &a, why) != 0)
                ck_abort_msg("%s: %s", texts, why);
        return a;
}

static const struct agenda *compile(const char *texts, const char *zone, enum wall_gap gap, enum wall_fold fold) {
        return compile_with(texts, zone, gap, fold, false);
}

static int64_t at(const char *text) {
        const char *why;
        int64_t rt_us = 0;

        if (timestamp_parse(text, &rt_us, &why) < 0)
                ck_abort_msg("%s: %s", text, why);
        return rt_us;
}

START_TEST(several_expressions_are_one_row_of_slots_without_twins) {
        const struct agenda *a = compile("02:30;*-*-* 02,03:30;cron 0 3 * * *", "UTC", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST);
        static const char *const slots[] = {"2026-03-29 02:30 UTC", "2026-03-29 03:00 UTC", "2026-03-29 03:30 UTC",
                                            "2026-03-30 02:30 UTC"};
        int64_t us = at("2026-03-29 00:00 UTC");

        for (size_t i = 0; i < 4; i++) {
                us = agenda_next(a, NULL, us);
                ck_assert_msg(us == at(slots[i]), "slot %zu", i);
        }
        agenda_unref(a);
}
END_TEST

/* ---- texts ---- */

static const struct {
        const char *lines, *zone, *text, *words;
} texts[] = {
        {"Mon..Fri 02:30", "Europe/Berlin", "OnCalendar=Mon..Fri *-*-* 02:30:00\nTimeZone=Europe/Berlin\n",
         "Mon..Fri 02:30 Europe/Berlin"},
        {"daily UTC", "Europe/Berlin", "OnCalendar=*-*-* 00:00:00 UTC\n", "00:00 UTC"},
        {"*-12-24 18:00:30;cron 0 3 * * 1", "UTC", "OnCalendar=*-12-24 18:00:30\nCron=0 3 * * 1\nTimeZone=UTC\n",
         "*-12-24 18:00:30 UTC, cron 0 3 * * 1 UTC"},
        {"Sat,Sun *:0/15", "UTC", "OnCalendar=Sat,Sun *-*-* *:00/15:00\nTimeZone=UTC\n", "Sat,Sun *:00/15 UTC"},
        {"*:*:00/20", "UTC", "OnCalendar=*-*-* *:*:00/20\nTimeZone=UTC\n", "*:*:00/20 UTC"},
};

START_TEST(the_text_is_canonical_and_the_words_are_short) {
        const struct agenda *a = compile(texts[_i].lines, texts[_i].zone, WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST);

        ck_assert_str_eq(agenda_text(a), texts[_i].text);
        ck_assert_str_eq(agenda_words(a), texts[_i].words);
        agenda_unref(a);
}
END_TEST

START_TEST(gap_and_fold_are_said_where_they_are_not_the_default) {
        const struct agenda *a = compile("cron 0 2 13 * 5", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_BOTH);

        ck_assert_str_eq(agenda_text(a), "Cron=0 2 13 * 5\nTimeZone=Europe/Berlin\nGap=skip\nFold=both\n");
        agenda_unref(a);
}
END_TEST

/* ---- one of each ---- */

START_TEST(the_same_content_is_the_same_agenda) {
        const struct agenda *a = compile("daily", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        const struct agenda *b = compile("00:00", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        const struct agenda *c = compile("00:00", "Europe/Berlin", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST);

        ck_assert_ptr_eq(a, b);
        ck_assert_ptr_ne(a, c);
        ck_assert_uint_eq(agendas.table.n, 2);
        agenda_unref(a);
        agenda_unref(b);
        ck_assert_uint_eq(agendas.table.n, 1);
        agenda_unref(c);
        ck_assert_uint_eq(agendas.table.n, 0);
}
END_TEST

START_TEST(a_table_of_many_finds_each) {
        static const struct agenda *known[2000];
        char text[40];

        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 2000; i++) {
                        snprintf(text, sizeof(text), "%02d:%02d:%02d", i / 3600, i / 60 % 60, i % 60);
                        const struct agenda *a = compile(text, "UTC", WALL_GAP_SKIP, WALL_FOLD_FIRST);
                        if (round > 0 && a != known[i])
                                ck_abort_msg("%s was not found", text);
                        known[i] = a;
                }
        ck_assert_uint_eq(agendas.table.n, 2000);
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 2000; i++)
                        agenda_unref(known[i]);
        ck_assert_uint_eq(agendas.table.n, 0);
}
END_TEST

START_TEST(a_zone_that_is_none_is_told) {
        struct agenda_draft draft = {.zone = "Berlin"};
        const struct agenda *a = NULL;
        char why[ZONE_WHY_MAX];

        add(&draft, "daily");
        ck_assert_int_eq(agenda_compile(&agendas, &draft, &a, why), 1);
        ck_assert_str_eq(why, "\"Berlin\" is no time zone; did you mean Europe/Berlin?");
        agenda_draft_done(&draft);
}
END_TEST

START_TEST(there_is_a_bound_to_expressions_and_to_their_bytes) {
        struct agenda_draft draft = {};
        struct pattern *p;
        struct pattern_error error;

        for (int i = 0; i <= AGENDA_LINES_MAX; i++) {
                ck_assert_int_eq(calendar_parse("daily", &p, &error), 0);
                ck_assert_int_eq(agenda_draft_add(&draft, p, false), i == AGENDA_LINES_MAX);
        }
        agenda_draft_done(&draft);
        char text[900] = "1970";
        for (int year = 1973; year < 2090; year += 2)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", year);
        strcat(text, "-*-*");
        for (int i = 0; i < 15; i++) {
                ck_assert_msg(calendar_parse(text, &p, &error) == 0, "%s", error.text);
                bool is_too_much = (size_t)(i + 1) * (strlen(p->text) + 13) > AGENDA_TEXT_MAX;
                ck_assert_int_eq(agenda_draft_add(&draft, p, false), is_too_much);
        }
        agenda_draft_done(&draft);
}
END_TEST

START_TEST(other_data_of_a_zone_make_another_agenda) {
        char berlin[] = "/usr/share/zoneinfo/Europe/Berlin", tokyo[] = "/usr/share/zoneinfo/Asia/Tokyo";
        agendas = (struct agendas){.find_zone = find_other, .userdata = berlin};
        const struct agenda *a = compile("02:30", "Here", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        const struct agenda *b = compile("02:30", "Here", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        agendas.userdata = tokyo;
        const struct agenda *c = compile("02:30", "Here", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        struct hash128 x = agenda_hash(a), y = agenda_hash(c);

        ck_assert_ptr_eq(a, b);
        ck_assert_ptr_ne(a, c);
        ck_assert_str_eq(agenda_text(a), agenda_text(c));
        ck_assert_mem_ne(&x, &y, sizeof(x));
        agenda_unref(a);
        agenda_unref(b);
        agenda_unref(c);
}
END_TEST

/* ---- long ways ---- */

static const struct {
        const char *lines, *zone, *from, *until;
} ways[] = {
        {"*:*", "Europe/Berlin", "2026-03-20 11:17:05 UTC", "2026-04-12 03:30 UTC"},
        {"*:0/7:30", "Australia/Lord_Howe", "2026-01-01 UTC", "2026-12-01 UTC"},
        {"02:30", "Europe/Berlin", "2026-01-01 UTC", "2028-01-01 UTC"},
        {"00,02,23:0,15,30", "America/New_York", "2026-01-01 UTC", "2027-01-01 UTC"},
        {"Mon,Fri *:0/5", "America/St_Johns", "2026-02-01 UTC", "2026-12-30 UTC"},
        {"cron */15 3-5 L * 5#3", "Europe/Berlin", "2026-02-01 UTC", "2030-12-30 UTC"},
        {"*-*~01..5 0/2:00", "Pacific/Apia", "2011-11-01 UTC", "2012-03-01 UTC"},
        {"*-02-29 12:00", "Asia/Tokyo", "2026-01-01 UTC", "2080-03-01 UTC"},
        {"00,23:0,15,30,45", "Asia/Beirut", "2026-02-01 UTC", "2027-12-30 UTC"},
        {"00,01,23:0,15,30,45", "America/Havana", "2026-02-01 UTC", "2027-12-30 UTC"},
        {"00,01,23:59,00", "Africa/Cairo", "2026-02-01 UTC", "2027-12-30 UTC"},
        {"00,01,23:*", "America/Scoresbysund", "2023-01-01 UTC", "2025-12-30 UTC"},
        {"2026-05-*  12:0/10", "UTC", "2026-01-01 UTC", "2080-03-01 UTC"},
        {"*:0/3;*:0/5;Sun 04:05:06", "Europe/Berlin", "2026-09-30 UTC", "2026-11-12 03:30 UTC"},
};

/* Whether a long way, by keys and by instants, comes to the same slot as its steps. */
static void walk(const struct agenda *a, const struct wall_grid *grid, int64_t from_us, int64_t until_us) {
        int64_t first_us = agenda_next(a, grid, from_us), us = first_us, key = 7;
        struct agenda_slot way = {.key = key, .us = first_us};

        for (int64_t next_us; (next_us = agenda_next(a, grid, us)) <= until_us; us = next_us) {
                key++;
                if (key % 101 == 0) { /* from where the way has come to */
                        agenda_advance(a, grid, &way, INT64_MAX, next_us);
                        if (way.us != next_us || way.key != key)
                                ck_abort_msg("slot %lld, not %lld", (long long)way.key, (long long)key);
                }
        }
        struct agenda_slot by_key = {.key = 7, .us = first_us}, by_time = by_key;
        agenda_advance(a, grid, &by_key, key, INT64_MAX);
        agenda_advance(a, grid, &by_time, INT64_MAX, until_us);
        ck_assert_int_eq(by_key.us, us);
        ck_assert_int_eq(by_time.key, key);
        ck_assert_int_eq(by_time.us, us);
}

START_TEST(a_long_way_comes_to_the_same_slot_as_its_steps) {
        for (int fold = WALL_FOLD_FIRST; fold <= WALL_FOLD_BOTH; fold++) {
                const struct agenda *a = compile(ways[_i].lines, ways[_i].zone, WALL_GAP_RUN_AFTER, (enum wall_fold)fold);
                walk(a, NULL, at(ways[_i].from), at(ways[_i].until));
                agenda_unref(a);
        }
}
END_TEST

#define MIN INT64_C(60000000)
#define DAY (1440 * MIN)

static const struct {
        const char *lines, *zone;
        int64_t every_us, anchor_us;
        bool is_civil;
        const char *from, *until;
} mixes[] = {
        {"", "Europe/Berlin", 30 * MIN, 0, true, "2026-01-01 UTC", "2027-01-01 UTC"},
        {"", "Europe/Berlin", DAY, 150 * MIN, true, "2026-01-01 UTC", "2040-01-01 UTC"},
        {"", "Australia/Lord_Howe", 14 * DAY, 105 * MIN, true, "2026-01-01 UTC", "2040-01-01 UTC"},
        {"", "Pacific/Apia", 25 * 60 * MIN, 0, true, "2011-06-01 UTC", "2012-06-01 UTC"},
        {"02:30", "Europe/Berlin", 14 * DAY, 150 * MIN, true, "2026-01-01 UTC", "2030-01-01 UTC"},
        {"02:30", "Europe/Berlin", 10 * MIN, 0, true, "2026-01-01 UTC", "2027-01-01 UTC"},
        {"02:30;Mon 09:00", "Europe/Berlin", 7 * MIN, 5, false, "2026-01-01 UTC", "2026-07-01 UTC"},
        {"*:0/7:30", "Australia/Lord_Howe", DAY, 105 * MIN, true, "2026-01-01 UTC", "2026-12-01 UTC"},
        {"Mon,Fri *:0/5", "America/St_Johns", 3 * DAY, 0, false, "2026-02-01 UTC", "2026-12-30 UTC"},
        {"Mon,Fri 00:00,30", "America/New_York", 5 * DAY, 0, true, "2026-02-01 UTC", "2028-12-30 UTC"},
        {"*:0/3", "Europe/Berlin", 5 * MIN, 0, true, "2026-09-30 UTC", "2026-11-12 03:30 UTC"},
        {"2026-05-* 12:0/10 UTC", "Europe/Berlin", 36 * 60 * MIN, 90 * MIN, true, "2026-01-01 UTC", "2030-03-01 UTC"},
};

START_TEST(a_long_way_over_a_grid_does_so_too) {
        for (int fold = WALL_FOLD_FIRST; fold <= WALL_FOLD_BOTH; fold++) {
                const struct agenda *a = compile_with(mixes[_i].lines, mixes[_i].zone, WALL_GAP_RUN_AFTER, (enum wall_fold)fold,
                                                      mixes[_i].is_civil);
                struct wall_grid grid = {mixes[_i].every_us, mixes[_i].anchor_us, mixes[_i].is_civil};
                walk(a, &grid, at(mixes[_i].from), at(mixes[_i].until));
                agenda_unref(a);
        }
}
END_TEST

START_TEST(a_grid_beside_expressions_is_in_their_row) {
        const struct agenda *a = compile_with("09:00;10:30", "Europe/Berlin", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST, true);
        struct wall_grid grid = {.every_us = 60 * MIN, .is_civil = true};
        static const char *const slots[] = {"2026-06-01T06:00:00Z", "2026-06-01T07:00:00Z", "2026-06-01T08:00:00Z",
                                            "2026-06-01T08:30:00Z", "2026-06-01T09:00:00Z"};
        int64_t us = at("2026-06-01T05:30:00Z");

        for (size_t i = 0; i < 5; i++) {
                us = agenda_next(a, &grid, us);
                ck_assert_msg(us == at(slots[i]), "slot %zu", i);
        }
        ck_assert_str_eq(agenda_grid_zone(a), "Europe/Berlin");
        agenda_unref(a);
}
END_TEST

START_TEST(an_agenda_of_a_grid_alone_is_its_zone) {
        const struct agenda *a = compile_with("", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_FIRST, true);
        const struct agenda *b = compile_with("", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_FIRST, true);
        const struct agenda *c = compile_with("", "Europe/Paris", WALL_GAP_SKIP, WALL_FOLD_FIRST, true);
        struct wall_grid grid = {.every_us = DAY, .anchor_us = 150 * MIN, .is_civil = true};

        ck_assert_ptr_eq(a, b);
        ck_assert_ptr_ne(a, c);
        ck_assert_str_eq(agenda_text(a), "TimeZone=Europe/Berlin\nGap=skip\n");
        ck_assert_str_eq(agenda_words(a), "");
        ck_assert(!agenda_is_fast(a));
        ck_assert_int_eq(agenda_next(a, &grid, at("2026-03-28T01:30:00Z")), at("2026-03-30T00:30:00Z"));
        ck_assert_int_eq(agenda_next(a, NULL, 0), PATTERN_NEVER);
        agenda_unref(a);
        agenda_unref(b);
        agenda_unref(c);
}
END_TEST

START_TEST(a_century_of_a_grid_costs_few_steps) {
        const struct agenda *a = compile_with("", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_FIRST, true);
        struct wall_grid grid = {.every_us = 1000, .is_civil = true};
        struct agenda_slot slot = {.us = at("2026-01-01 UTC")};

        agenda_advance(a, &grid, &slot, INT64_MAX, at("2126-01-01 UTC"));
        ck_assert_int_eq(slot.us, at("2126-01-01 UTC"));
        ck_assert_int_eq(slot.key, 36524 * DAY / 1000);
        agenda_unref(a);
}
END_TEST

START_TEST(behind_the_last_slot_there_is_none) {
        const struct agenda *a = compile("2026-12-24 18:00;2026-12-31 23:59", "UTC", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        struct agenda_slot slot = {.us = agenda_next(a, NULL, 0)};

        agenda_advance(a, NULL, &slot, 1, INT64_MAX);
        ck_assert_int_eq(slot.us, at("2026-12-31 23:59 UTC"));
        agenda_advance(a, NULL, &slot, 9, at("2100-01-01 UTC"));
        ck_assert_int_eq(slot.key, 1);
        agenda_advance(a, NULL, &slot, 9, INT64_MAX);
        ck_assert_int_eq(slot.us, PATTERN_NEVER);
        agenda_unref(a);
}
END_TEST

START_TEST(a_year_of_seconds_is_counted_not_walked) {
        const struct agenda *a = compile("*:*:*", "Europe/Berlin", WALL_GAP_SKIP, WALL_FOLD_FIRST);
        int64_t from_us = at("2026-01-01 UTC");
        struct agenda_slot slot = {.us = from_us};

        agenda_advance(a, NULL, &slot, INT64_MAX, at("2027-01-01 UTC"));
        ck_assert_int_eq(slot.key, 365 * 86400);
        agenda_unref(a);
}
END_TEST

static void forget(void) {
        zones_done(&zones);
        agendas_done(&agendas);
}

int main(void) {
        Suite *suite = suite_create("agenda");
        TCase *tcase = tcase_create("agenda");

        tcase_add_checked_fixture(tcase, NULL, forget);
        tcase_add_test(tcase, several_expressions_are_one_row_of_slots_without_twins);
        tcase_add_loop_test(tcase, the_text_is_canonical_and_the_words_are_short, 0, ROWS(texts));
        tcase_add_test(tcase, gap_and_fold_are_said_where_they_are_not_the_default);
        tcase_add_test(tcase, the_same_content_is_the_same_agenda);
        tcase_add_test(tcase, a_table_of_many_finds_each);
        tcase_add_test(tcase, a_zone_that_is_none_is_told);
        tcase_add_test(tcase, there_is_a_bound_to_expressions_and_to_their_bytes);
        tcase_add_test(tcase, other_data_of_a_zone_make_another_agenda);
        tcase_add_loop_test(tcase, a_long_way_comes_to_the_same_slot_as_its_steps, 0, ROWS(ways));
        tcase_add_loop_test(tcase, a_long_way_over_a_grid_does_so_too, 0, ROWS(mixes));
        tcase_add_test(tcase, a_grid_beside_expressions_is_in_their_row);
        tcase_add_test(tcase, an_agenda_of_a_grid_alone_is_its_zone);
        tcase_add_test(tcase, a_century_of_a_grid_costs_few_steps);
        tcase_add_test(tcase, behind_the_last_slot_there_is_none);
        tcase_add_test(tcase, a_year_of_seconds_is_counted_not_walked);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
