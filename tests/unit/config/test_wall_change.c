// SPDX-License-Identifier: MIT
// wall_change: the next gap or fold that meets an expression, and what each did to a slot.

#include <check.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/timestamp.h"
#include "config/wall_change.h"
#include "tests/unit/run_suite.h"

static struct pattern *read_event(const char *text) {
        struct pattern *p = NULL;
        struct pattern_error error;

        if ((strncmp(text, "cron ", 5) == 0 ? cron_parse(text + 5, false, &p, &error) : calendar_parse(text, &p, &error)) < 0)
                ck_abort_msg("\"%s\": %s", text, error.text);
        return p;
}

static int64_t at(const char *text) {
        const char *why;
        int64_t rt_us = 0;

        if (timestamp_parse(text, &rt_us, &why) < 0)
                ck_abort_msg("%s: %s", text, why);
        return rt_us;
}

static struct zone *open_zone(const char *name) {
        struct zone *z = NULL;

        if (zone_open(NULL, name, &z) < 0)
                ck_abort_msg("no zone %s", name);
        return z;
}

static const struct {
        const char *zone, *event, *after;
        const char *change; /* NULL: there is none */
        const char *first, *last;
        size_t n;
} changes[] = {
        {"Europe/Berlin", "02:30", "2026-11-21T00:00:00Z", "2027-03-28T01:00:00Z", "02:30", "02:30", 1},
        {"Europe/Berlin", "02:30", "2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z", "02:30", "02:30", 1},
        {"Europe/Berlin", "02:00,15,45", "2026-11-21T00:00:00Z", "2027-03-28T01:00:00Z", "02:00", "02:45", 3},
        {"Europe/Berlin", "03:00", "2026-11-21T00:00:00Z", NULL, NULL, NULL, 0},
        {"Europe/Berlin", "Mon 02:30", "2026-11-21T00:00:00Z", NULL, NULL, NULL, 0},
        {"Europe/Berlin", "*-03-28 02:30", "2027-04-01T00:00:00Z", "2032-03-28T01:00:00Z", "02:30", "02:30", 1},
        {"Europe/Berlin", "2:*:00", "2026-11-21T00:00:00Z", "2027-03-28T01:00:00Z", "02:00", "02:59", 60},
        {"Europe/Berlin", "cron */20 2-4 * * *", "2026-11-21T00:00:00Z", "2027-03-28T01:00:00Z", "02:00", "02:40", 3},
        {"Europe/Berlin", "*:0/15", "2026-11-21T00:00:00Z", NULL, NULL, NULL, 0},
        {"Europe/Berlin", "hourly", "2026-11-21T00:00:00Z", NULL, NULL, NULL, 0},
        {"Australia/Lord_Howe", "02:00,15,45", "2026-04-05T00:00:00Z", "2026-10-03T15:30:00Z", "02:00", "02:15", 2},
        {"UTC", "02:30", "2026-11-21T00:00:00Z", NULL, NULL, NULL, 0},
};

START_TEST(next_change_that_meets_an_expression_is_found) {
        struct zone *zone = open_zone(changes[_i].zone);
        struct wall wall = {.zone = zone};
        struct pattern *p = read_event(changes[_i].event);
        struct wall_change c = {};
        char first[40], last[40];

        bool is_found = wall_find_change(&wall, p, at(changes[_i].after), &c);
        timestamp_print_utc(c.first_civil_us, first);
        timestamp_print_utc(c.last_civil_us, last);
        ck_assert_msg(is_found == !!changes[_i].change, "row %d: %s", _i, first);
        if (is_found) {
                ck_assert_msg(c.at_us == at(changes[_i].change), "row %d: %s", _i, first);
                ck_assert_msg(c.n == changes[_i].n && strncmp(first + 11, changes[_i].first, 5) == 0 &&
                                      strncmp(last + 11, changes[_i].last, 5) == 0,
                              "row %d: %zu: %s %s", _i, c.n, first, last);
        }
        pattern_free(p);
        zone_unref(zone);
}
END_TEST

static const struct {
        const char *event;
        enum wall_gap gap;
        enum wall_fold fold;
        const char *after;
        enum wall_note notes[3];
} slots[] = {
        {"02:30", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST, "2027-03-27T02:00:00Z", {WALL_NOTE_AFTER_GAP, WALL_NOTE_NONE}},
        {"02:30", WALL_GAP_SKIP, WALL_FOLD_FIRST, "2027-03-27T02:00:00Z", {WALL_NOTE_NONE}},
        {"03:00", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST, "2027-03-28T00:00:00Z", {WALL_NOTE_NONE}},
        {"02,03:00", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST, "2027-03-28T00:00:00Z", {WALL_NOTE_AFTER_GAP, WALL_NOTE_NONE}},
        {"02:30", WALL_GAP_RUN_AFTER, WALL_FOLD_FIRST, "2027-10-31T00:00:00Z", {WALL_NOTE_FOLD_FIRST, WALL_NOTE_NONE}},
        {"02:30", WALL_GAP_RUN_AFTER, WALL_FOLD_SECOND, "2027-10-31T00:00:00Z", {WALL_NOTE_FOLD_SECOND, WALL_NOTE_NONE}},
        {"02:30",
         WALL_GAP_RUN_AFTER,
         WALL_FOLD_BOTH,
         "2027-10-31T00:00:00Z",
         {WALL_NOTE_FOLD_FIRST, WALL_NOTE_FOLD_SECOND, WALL_NOTE_NONE}},
        {"hourly",
         WALL_GAP_RUN_AFTER,
         WALL_FOLD_FIRST,
         "2027-10-30T23:00:00Z",
         {WALL_NOTE_FOLD_FIRST, WALL_NOTE_FOLD_SECOND, WALL_NOTE_NONE}},
};

START_TEST(what_a_change_did_to_a_slot_is_told) {
        struct zone *zone = open_zone("Europe/Berlin");
        struct wall wall = {.zone = zone, .gap = slots[_i].gap, .fold = slots[_i].fold};
        struct pattern *p = read_event(slots[_i].event);
        int64_t slot_us = at(slots[_i].after);

        for (int i = 0; i < 3; i++) {
                slot_us = wall_next_of_pattern(&wall, p, slot_us);
                enum wall_note note = wall_note_of_pattern(&wall, p, slot_us);
                ck_assert_msg(note == slots[_i].notes[i], "row %d, slot %d: %d", _i, i, (int)note);
        }
        pattern_free(p);
        zone_unref(zone);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("wall_change");
        TCase *tables = tcase_create("tables");

        tcase_add_loop_test(tables, next_change_that_meets_an_expression_is_found, 0, sizeof(changes) / sizeof(changes[0]));
        tcase_add_loop_test(tables, what_a_change_did_to_a_slot_is_told, 0, sizeof(slots) / sizeof(slots[0]));
        suite_add_tcase(suite, tables);
        return run_suite(suite);
}
