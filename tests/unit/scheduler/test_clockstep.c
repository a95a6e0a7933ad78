// SPDX-License-Identifier: MIT
// What two readings of the clocks say of the time between them, as a table.

#include <check.h>

#include "daemon/scheduler/clockstep.h"
#include "tests/unit/run_suite.h"

#define MSEC USEC_PER_MSEC
#define SEC  USEC_PER_SEC
#define HOUR USEC_PER_HOUR
#define DAY  USEC_PER_DAY

/* How far each clock moved, whether the wall clock was synchronised before and after, and what that is. */
static const struct {
        const char *what;
        int64_t rt_us, bt_us, awake_us;
        bool was, is;
        enum clockstep_kind kind;
        int64_t step_us, slept_us;
} rows[] = {
        {"no time at all", 0, 0, 0, true, true, CLOCKSTEP_NONE, 0, 0},
        {"an hour", HOUR, HOUR, HOUR, true, true, CLOCKSTEP_NONE, 0, 0},
        {"never synchronised", HOUR, HOUR, HOUR, false, false, CLOCKSTEP_NONE, 0, 0},
        {"a difference of reading", HOUR + 3, HOUR, HOUR, true, true, CLOCKSTEP_SLEW, 3, 0},
        {"just no step forward", SEC + MSEC - 1, SEC, SEC, true, true, CLOCKSTEP_SLEW, MSEC - 1, 0},
        {"just no step back", SEC - MSEC + 1, SEC, SEC, true, true, CLOCKSTEP_SLEW, -MSEC + 1, 0},
        {"the smallest step forward", SEC + MSEC, SEC, SEC, true, true, CLOCKSTEP_FORWARD, MSEC, 0},
        {"the smallest step back", SEC - MSEC, SEC, SEC, true, true, CLOCKSTEP_BACK, -MSEC, 0},
        {"a leap second", 9 * SEC, 10 * SEC, 10 * SEC, true, true, CLOCKSTEP_BACK, -SEC, 0},
        {"an hour forward", HOUR + SEC, SEC, SEC, true, true, CLOCKSTEP_FORWARD, HOUR, 0},
        {"sixty hours forward", 60 * HOUR, 0, 0, true, true, CLOCKSTEP_FORWARD, 60 * HOUR, 0},
        {"an hour back", SEC - HOUR, SEC, SEC, true, true, CLOCKSTEP_BACK, -HOUR, 0},
        {"three hours back", SEC - 3 * HOUR, SEC, SEC, true, true, CLOCKSTEP_BACK, -3 * HOUR, 0},
        {"more than three hours back", SEC - 3 * HOUR - 1, SEC, SEC, true, true, CLOCKSTEP_NEW_TIME_LINE, -3 * HOUR - 1, 0},
        {"two days back", -2 * DAY, 0, 0, true, true, CLOCKSTEP_NEW_TIME_LINE, -2 * DAY, 0},
        {"a night's sleep", 8 * HOUR, 8 * HOUR, SEC, true, true, CLOCKSTEP_SUSPEND, 0, 8 * HOUR - SEC},
        {"a sleep, read not quite at once", HOUR + 5, HOUR, SEC, true, true, CLOCKSTEP_SUSPEND, 5, HOUR - SEC},
        {"the shortest sleep", SEC, SEC, SEC - 100 * MSEC, true, true, CLOCKSTEP_SUSPEND, 0, 100 * MSEC},
        {"just no sleep", SEC, SEC, SEC - 100 * MSEC + 1, true, true, CLOCKSTEP_NONE, 0, 0},
        {"a clock read late", SEC, SEC, SEC + 200 * MSEC, true, true, CLOCKSTEP_NONE, 0, 0},
        {"a sleep, and set on waking", 2 * HOUR, HOUR, SEC, true, true, CLOCKSTEP_FORWARD, HOUR, HOUR - SEC},
        {"a sleep, and set back on waking", HOUR - SEC, HOUR, SEC, true, true, CLOCKSTEP_BACK, -SEC, HOUR - SEC},
        {"a sleep, and another time line", -DAY, HOUR, SEC, true, true, CLOCKSTEP_NEW_TIME_LINE, -DAY - HOUR, HOUR - SEC},
        {"a good clock is synchronised", SEC, SEC, SEC, false, true, CLOCKSTEP_SYNC, 0, 0},
        {"no clock of its own: 1970 to now", 56 * 365 * DAY, SEC, SEC, false, true, CLOCKSTEP_SYNC, 56 * 365 * DAY - SEC, 0},
        {"a clock that ran ahead a little", SEC - HOUR, SEC, SEC, false, true, CLOCKSTEP_SYNC, -HOUR, 0},
        {"a clock that ran days ahead", -3 * DAY, 0, 0, false, true, CLOCKSTEP_NEW_TIME_LINE, -3 * DAY, 0},
        {"set before it was synchronised", HOUR, 0, 0, false, false, CLOCKSTEP_FORWARD, HOUR, 0},
        {"no longer synchronised", SEC, SEC, SEC, true, false, CLOCKSTEP_NONE, 0, 0},
};

START_TEST(two_readings_have_one_name) {
        const struct clockstep_reading before = {
                .rt_us = INT64_C(1774008000) * SEC, .bt_us = 77 * SEC, .awake_us = 70 * SEC, .is_synchronised = rows[_i].was};
        const struct clockstep_reading after = {.rt_us = before.rt_us + rows[_i].rt_us,
                                                .bt_us = before.bt_us + rows[_i].bt_us,
                                                .awake_us = before.awake_us + rows[_i].awake_us,
                                                .is_synchronised = rows[_i].is};
        struct clockstep step = clockstep_compare(&before, &after);
        ck_assert_msg(step.kind == rows[_i].kind, "%s is %s", rows[_i].what, clockstep_kind_to_string(step.kind));
        ck_assert_msg(step.step_us == rows[_i].step_us, "%s: a step of %lld us", rows[_i].what, (long long)step.step_us);
        ck_assert_msg(step.slept_us == rows[_i].slept_us, "%s: a sleep of %lld us", rows[_i].what, (long long)step.slept_us);
}
END_TEST

START_TEST(each_kind_has_a_word_and_a_row) {
        bool is_there = false;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                is_there |= rows[i].kind == (enum clockstep_kind)_i;
        ck_assert_msg(is_there, "%d", _i);
        ck_assert_str_ne(clockstep_kind_to_string((enum clockstep_kind)_i), "invalid");
        ck_assert_str_eq(clockstep_kind_to_string(CLOCKSTEP_MAX), "invalid");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("clockstep");
        TCase *tc = tcase_create("clockstep");
        tcase_add_loop_test(tc, two_readings_have_one_name, 0, (int)(sizeof(rows) / sizeof(rows[0])));
        tcase_add_loop_test(tc, each_kind_has_a_word_and_a_row, 0, CLOCKSTEP_MAX);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
