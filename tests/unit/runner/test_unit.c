// SPDX-License-Identifier: MIT
// Units: what systemctl has shown of one before and after its start is the end of its process, and that is the end of a run.

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"
#include "daemon/core/util.h"
#include "daemon/runner/unit.h"
#include "tests/unit/run_suite.h"

#define IDLE "LoadState=loaded\nActiveState=inactive\nResult=success\nInvocationID=\n"
#define OVER                                                                                                                   \
        "LoadState=loaded\nActiveState=inactive\nInvocationID=2\nConditionResult=yes\nConditionTimestampMonotonic="            \
        "4294967296\n"
#define BAD   "LoadState=loaded\nActiveState=failed\nInvocationID=2\nConditionResult=yes\nConditionTimestampMonotonic=7\n"
#define STALE "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainCode=1\nExecMainStatus=3\nInvocationID=1\n"

static const struct {
        const char *before, *after;
        bool has_failed;
        const char *line;
        struct exit_status how;
} starts[] = {
        {IDLE, OVER "Result=success\nExecMainCode=1\nExecMainStatus=0\n", false, "Result=success InvocationID=2", {}},
        {STALE, OVER "Result=success\nExecMainCode=1\nExecMainStatus=5\n", false, "Result=success InvocationID=2", {}},
        {IDLE, OVER "Result=success\nExecMainCode=2\nExecMainStatus=15\n", false, "Result=success InvocationID=2", {}},
        {IDLE, BAD "Result=exit-code\nExecMainCode=1\nExecMainStatus=3\n", true, "Result=exit-code InvocationID=2", {false, 3}},
        {STALE, BAD "Result=signal\nExecMainCode=2\nExecMainStatus=9\n", true, "Result=signal InvocationID=2", {true, 9}},
        {IDLE,
         BAD "Result=core-dump\nExecMainCode=3\nExecMainStatus=11\n",
         true,
         "Result=core-dump InvocationID=2",
         {true, 11}},
        {IDLE, BAD "Result=exit-code\nExecMainCode=0\nExecMainStatus=0\n", true, "Result=exit-code InvocationID=2", {false, 1}},
        {IDLE, BAD "Result=protocol\nExecMainCode=1\nExecMainStatus=0\n", true, "Result=protocol InvocationID=2", {false, 1}},
        {IDLE, BAD "Result=timeout\nExecMainCode=2\nExecMainStatus=15\n", true, "Result=timeout InvocationID=2", {true, 15}},
        {IDLE, OVER "Result=exec-condition\n", false, "Result=exec-condition InvocationID=2", {false, 1}},
        /* nothing holds it, and systemd has forgotten it */
        {IDLE, IDLE "ConditionResult=no\nConditionTimestampMonotonic=0\n", false, "Result=success", {}},
        /* its latest start is that of before */
        {STALE, STALE, true, "Job=failed", {false, 1}},
        {IDLE, IDLE, true, "Job=failed", {false, 1}},
        {STALE, STALE "ConditionResult=no\nConditionTimestampMonotonic=4294967296\n", false, "ConditionResult=no", {}},
        {STALE, STALE "ConditionResult=no\nConditionTimestampMonotonic=9\n", true, "Job=failed", {false, 1}},
        {IDLE, IDLE "AssertResult=no\nAssertTimestampMonotonic=9\n", true, "AssertResult=no", {false, 1}},
        {IDLE, IDLE "AssertResult=no\nAssertTimestampMonotonic=0\n", true, "Job=failed", {false, 1}},
        {IDLE, IDLE "Result=start-limit-hit\n", true, "Result=start-limit-hit", {false, 1}},
        /* somebody else has started it */
        {"ActiveState=active\nInvocationID=2\n",
         BAD "Result=exit-code\nExecMainCode=1\nExecMainStatus=3\n",
         true,
         "Result=exit-code InvocationID=2",
         {false, 3}},
};

START_TEST(a_process_ends_as_its_unit_did) {
        struct unit_state before, after;

        unit_state_parse(starts[_i].before, &before);
        unit_state_parse(starts[_i].after, &after);
        struct unit_end end = unit_judge(&before, &after, starts[_i].has_failed);
        ck_assert_msg(strcmp(end.line, starts[_i].line) == 0, "row %d: %s", _i, end.line);
        ck_assert_msg(end.how.is_signal == starts[_i].how.is_signal && end.how.number == starts[_i].how.number, "row %d: %d",
                      _i, end.how.number);
}
END_TEST

START_TEST(what_systemctl_shows_is_read_as_far_as_it_is_known) {
        struct unit_state s;

        unit_state_parse(
                "\n=\nNo\nLoadState=loaded\nResultX=a\nResult=\nActiveState=deactivating\nRemainAfterExit=yes\nInvocationID="
                "0123456789abcdef0123456789abcdef0123456789",
                &s);
        ck_assert_str_eq(s.load, "loaded");
        ck_assert_str_eq(s.active, "deactivating");
        ck_assert_str_eq(s.result, "");
        ck_assert_str_eq(s.invocation, "0123456789abcdef0123456789abcdef");
        ck_assert(s.stays && !s.lacks_condition && !unit_state_is_over(&s));
        unit_state_parse("ActiveState=failed", &s);
        ck_assert(unit_state_is_over(&s) && !s.stays);
        ck_assert_str_eq(s.load, "");
}
END_TEST

static const struct {
        const char *output;
        struct run_end by_itself; /* what the exit status says */
        enum run_result result;
        int error;
} ends[] = {
        {"Result=success InvocationID=2\n", {.result = RUN_RESULT_SUCCESS}, RUN_RESULT_SUCCESS, 0},
        {"Result=exit-code InvocationID=2\n", {.result = RUN_RESULT_SKIPPED, .exit_code = 7}, RUN_RESULT_SKIPPED, 0},
        {"Result=oom-kill InvocationID=2\n", {.result = RUN_RESULT_SIGNAL, .exit_code = -1, .signal = 9}, RUN_RESULT_OOM, 0},
        {"Result=timeout\n", {.result = RUN_RESULT_SIGNAL, .exit_code = -1, .signal = 15}, RUN_RESULT_TIMEOUT, 0},
        {"ConditionResult=no\n", {.result = RUN_RESULT_SUCCESS}, RUN_RESULT_SKIPPED, 0},
        {"Job for a.service failed.\nSee it.\nJob=failed\n",
         {.result = RUN_RESULT_FAILED, .exit_code = 1},
         RUN_RESULT_START_FAILED,
         ECANCELED},
        {"LoadState=not-found\n", {.result = RUN_RESULT_FAILED, .exit_code = 1}, RUN_RESULT_START_FAILED, ENOENT},
        {"LoadState=masked", {.result = RUN_RESULT_FAILED, .exit_code = 1}, RUN_RESULT_START_FAILED, ERFKILL},
        {"LoadState=of-a-later-systemd\n", {.result = RUN_RESULT_FAILED, .exit_code = 1}, RUN_RESULT_FAILED, 0},
        /* it was killed before it could say anything, or in the middle of it */
        {"", {.result = RUN_RESULT_SIGNAL, .exit_code = -1, .signal = 9}, RUN_RESULT_SIGNAL, 0},
        {"Result=oom-kill\nJob for a.service",
         {.result = RUN_RESULT_SIGNAL, .exit_code = -1, .signal = 9},
         RUN_RESULT_SIGNAL,
         0},
        {"Result=timeout\n\n", {.result = RUN_RESULT_SUCCESS}, RUN_RESULT_SUCCESS, 0},
};

START_TEST(the_last_line_says_what_the_exit_status_can_not) {
        struct output_tail tail = {.limit = JOB_CAPTURE_DEFAULT};
        struct run_end end = ends[_i].by_itself;
        char long_text[2 * JOB_CAPTURE_DEFAULT];

        memset(long_text, 'x', sizeof(long_text));
        long_text[sizeof(long_text) - 1] = '\n';
        for (int round = 0; round < 2; round++) { /* the second time the ring has gone round */
                end = ends[_i].by_itself;
                output_tail_add(&tail, ends[_i].output, strlen(ends[_i].output));
                unit_take_end(&tail, &end);
                ck_assert_msg(end.result == ends[_i].result, "%s: %d", ends[_i].output, end.result);
                ck_assert_int_eq(end.error, ends[_i].error);
                bool has_not_begun = end.result == RUN_RESULT_START_FAILED;
                ck_assert_int_eq(end.step, end.result == ends[_i].by_itself.result ? RUN_STEP_NONE : RUN_STEP_UNIT);
                ck_assert_int_eq(end.exit_code, has_not_begun ? -1 : ends[_i].by_itself.exit_code);
                ck_assert_msg(!has_not_begun || run_start_error(&end), "%s", ends[_i].output);
                output_tail_add(&tail, long_text, sizeof(long_text));
        }
        output_tail_done(&tail);
}
END_TEST

START_TEST(each_refusal_is_understood) {
        static const int errors[] = {EHOSTDOWN, EALREADY, EPROTO, ECANCELED, EBUSY, EIO, ENOENT, ERFKILL, ENOEXEC, EBADMSG};
        static const char *const states[] = {"loaded", "loaded",    "loaded", "loaded",      "loaded",
                                             "loaded", "not-found", "masked", "bad-setting", "error"};
        struct output_tail tail = {.limit = JOB_CAPTURE_DEFAULT};
        struct run_end end = {.result = RUN_RESULT_FAILED, .exit_code = 1};
        struct unit_state shown = {};

        strcpy(shown.load, states[_i]);
        struct unit_end refused = unit_refuse(errors[_i], &shown);
        ck_assert(!refused.how.is_signal && refused.how.number == 1);
        output_tail_add(&tail, refused.line, strlen(refused.line));
        unit_take_end(&tail, &end);
        ck_assert_msg(end.result == RUN_RESULT_START_FAILED && end.error == errors[_i], "%s: %d", refused.line, end.error);
        ck_assert_ptr_nonnull(job_unit_error_to_string(end.error));
        output_tail_done(&tail);
}
END_TEST

START_TEST(the_process_is_ours_with_all_that_it_says_in_one_pipe) {
        struct job_what what;

        job_what_init(&what);
        ck_assert_int_eq(strv_take(&what.argv, 0, strdup("a@b.service")), 0);
        what.work = JOB_WORK_UNIT;
        ck_assert_int_eq(unit_make_process(&what, true), 0);
        ck_assert_str_eq(what.argv[0], "/proc/self/exe");
        ck_assert_str_eq(what.argv[1], "--unit=a@b.service");
        ck_assert_str_eq(what.argv[2], "--user");
        ck_assert_ptr_null(what.argv[3]);
        ck_assert(what.work == JOB_WORK_COMMAND && what.output.kind == JOB_OUTPUT_JOURNAL &&
                  what.error.kind == JOB_OUTPUT_INHERIT);
        job_what_done(&what);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("unit");
        TCase *tcase = tcase_create("unit");

        tcase_add_loop_test(tcase, a_process_ends_as_its_unit_did, 0, ARRAY_SIZE(starts));
        tcase_add_test(tcase, what_systemctl_shows_is_read_as_far_as_it_is_known);
        tcase_add_loop_test(tcase, the_last_line_says_what_the_exit_status_can_not, 0, ARRAY_SIZE(ends));
        tcase_add_loop_test(tcase, each_refusal_is_understood, 0, 10);
        tcase_add_test(tcase, the_process_is_ours_with_all_that_it_says_in_one_pipe);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
