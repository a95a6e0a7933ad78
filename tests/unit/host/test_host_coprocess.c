// SPDX-License-Identifier: MIT
// A host process and programs that answer lines: good ones and hostile ones. The programs are shell scripts.

#include <signal.h>

#include "daemon/host/coprocess.h"
#include "tests/unit/host/host_rig.h"

static struct rig *rig;

static void setup(void) {
        rig = rig_new();
}

static void teardown(void) {
        rig = rig_free(rig);
}

static void change(struct job_what *what) {
        what->kill_grace_us = 300 * USEC_PER_MSEC;
}

static void load(uint32_t handle, const char *script) {
        rig_load(rig, handle, JOB_WORK_COPROCESS, (const char *const[]){"sh", "-c", script, NULL}, NULL, change);
}

#define ANSWER_ALL(line) "while read -r q; do " line "; done"

static const struct {
        const char *script;
        enum run_result result;
        const char *text;
        int exit_code, signal;
} answers[] = {
        {ANSWER_ALL("echo 42"), RUN_RESULT_SUCCESS, "42", -1, 0},
        {ANSWER_ALL("echo"), RUN_RESULT_SUCCESS, "", -1, 0},
        {ANSWER_ALL("printf 'a\\000b\\377\\n'"), RUN_RESULT_SUCCESS, NULL, -1, 0},
        {ANSWER_ALL("printf half; sleep 0.1; echo ' whole'"), RUN_RESULT_SUCCESS, "half whole", -1, 0},
        {ANSWER_ALL("echo '{\"status\":\"skipped\"}'"), RUN_RESULT_SKIPPED, "", -1, 0},
        {ANSWER_ALL("echo '{\"status\":\"failed\",\"message\":\"why\"}'"), RUN_RESULT_FAILED, "why", -1, 0},
        {ANSWER_ALL("echo '{\"status\":\"finished\",\"value\":\"v\"}'"), RUN_RESULT_FINISHED, "v", -1, 0},
        {ANSWER_ALL("echo '{\"status\":\"nought\"}'"), RUN_RESULT_FAILED, "its answer has an unknown status", -1, 0},
        {"read -r q; exit 0", RUN_RESULT_FINISHED, "", 0, 0},
        {"read -r q; exit 7", RUN_RESULT_FAILED, "", 7, 0},
        {"read -r q; kill -SEGV $$", RUN_RESULT_SIGNAL, "", -1, SIGSEGV},
        {"read -r q; echo last; exit 3", RUN_RESULT_SUCCESS, "last", -1, 0},
        {"exec <&-; sleep 0.2; exit 5", RUN_RESULT_FAILED, NULL, 5, 0},
        {ANSWER_ALL("head -c 70000 /dev/zero | tr '\\0' x; echo"), RUN_RESULT_FAILED, "its answer is longer than 64 KiB", -1,
         0},
        {ANSWER_ALL("echo \"$q\""), RUN_RESULT_SUCCESS,
         "{\"job\":\"job-1\",\"run\":9,\"slot\":\"2025-11-21T03:00:00Z\",\"slot_usec\":1763694000000000,\"cause\":\"retry\","
         "\"attempt\":2,\"missed\":3,\"parameters\":{}}",
         -1, 0},
        {ANSWER_ALL("echo \"$CHIMED_JOB $CHIMED_RUN_ID\""), RUN_RESULT_SUCCESS, "job-1 0123456789abcdef0123456789abcdef-1", -1,
         0},
        {ANSWER_ALL("ls /proc/self/fd | tr '\\n' ' '; echo"), RUN_RESULT_SUCCESS, "0 1 2 3 ", -1, 0},
};

START_TEST(a_tick_is_answered) {
        load(1, answers[_i].script);
        rig_tick(rig, 9, 1);
        rig_expect(rig, 9, answers[_i].result, answers[_i].text);
        const struct tick_answer *answer = &rig_answer(rig, 9)->answer;
        ck_assert_int_eq(answer->exit_code, answers[_i].exit_code);
        ck_assert_int_eq(answer->signal, answers[_i].signal);
        ck_assert_int_gt(answer->begin_bt_us, 0);
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert_uint_eq(rig_count(rig, TICK_ANSWER, 9), 1);
        ck_assert_uint_le(rig_count(rig, TICK_BEGUN, 9), 1);
}
END_TEST

START_TEST(it_stays_for_many_ticks) {
        load(1, "i=0; while read -r q; do i=$((i + 1)); echo $i; done");
        for (uint64_t run = 1; run <= 200; run++)
                rig_tick(rig, run, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "1");
        rig_expect(rig, 200, RUN_RESULT_SUCCESS, "200");
}
END_TEST

START_TEST(a_program_that_is_not_there_has_not_started) {
        rig_load(rig, 1, JOB_WORK_COPROCESS, (const char *const[]){"/nowhere/program", NULL}, NULL, change);
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_START_FAILED, "");
        ck_assert_int_eq(rig_answer(rig, 1)->answer.step, RUN_STEP_EXEC);
        ck_assert_int_eq(rig_answer(rig, 1)->answer.error, ENOENT);
}
END_TEST

START_TEST(an_answer_to_nothing_is_thrown_away) {
        load(1, "while read -r q; do echo first; echo second; done");
        for (uint64_t run = 1; run <= 3; run++) {
                rig_tick(rig, run, 1);
                rig_expect(rig, run, RUN_RESULT_SUCCESS, NULL);
        }
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert_uint_eq(rig->n_answers, 3);
        ck_assert(rig_has_told(rig, "job-1: 1 answer to no tick that is under way, thrown away"));
}
END_TEST

/* A folder of files by which a test and its programs wait for each other. */
static char sign_folder[] = "/tmp/chimed-signs-XXXXXX";

static const char *sign_path(const char *name) {
        static char path[64];

        snprintf(path, sizeof(path), "%s/%s", sign_folder, name);
        return path;
}

static void give_sign(const char *name) {
        util_close(open(sign_path(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void await_sign(const char *name) {
        int64_t end_us = clock_now().bt_us + RIG_WAIT_US;

        while (access(sign_path(name), F_OK) < 0) {
                ck_assert_msg(clock_now().bt_us < end_us, "no sign %s", name);
                usleep(1000);
        }
}

static void setup_signs(void) {
        strcpy(sign_folder + strlen(sign_folder) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(sign_folder));
        ck_assert_int_eq(setenv("SIGNS", sign_folder, 1), 0);
        setup();
}

static void teardown_signs(void) {
        static const char *const names[] = {"go", "done"};

        teardown();
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                unlink(sign_path(names[i]));
        rmdir(sign_folder);
}

#define AWAIT_GO "while [ ! -e $SIGNS/go ]; do sleep 0.01; done; "

static void change_patiently(struct job_what *what) {
        what->kill_grace_us = USEC_PER_MINUTE;
}

START_TEST(what_one_says_that_was_asked_to_end_is_no_answer_to_the_next) {
        static const char script[] =
                "trap 'echo late; " AWAIT_GO "echo later; exit 3' TERM; read -r q\n"
                "if [ -e $SIGNS/go ]; then echo fresh; else echo up; fi; read -r q; while :; do sleep 0.01; done";

        rig_load(rig, 1, JOB_WORK_COPROCESS, (const char *const[]){"sh", "-c", script, NULL}, NULL, change_patiently);
        load(2, ANSWER_ALL("echo here"));
        rig_tick(rig, 9, 1);
        rig_expect(rig, 9, RUN_RESULT_SUCCESS, "up"); /* behind its trap */
        rig_tick(rig, 1, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig_cancel(rig, 1, RUN_RESULT_TIMEOUT);
        rig_expect(rig, 1, RUN_RESULT_TIMEOUT, NULL); /* with the line it says then */
        rig_tick(rig, 2, 1);
        rig_tick(rig, 3, 2);
        rig_expect(rig, 3, RUN_RESULT_SUCCESS, "here");
        give_sign("go"); /* the second waits by now */
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "fresh");
}
END_TEST

START_TEST(a_line_that_was_not_read_yet_is_no_answer_to_the_next) {
        int status;

        load(1, "(" AWAIT_GO "echo stray; : >$SIGNS/done) & " ANSWER_ALL("echo good"));
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "good");
        ck_assert_int_eq(kill(rig->pid, SIGSTOP), 0);
        ck_assert_int_eq(waitpid(rig->pid, &status, WUNTRACED), rig->pid);
        rig_tick(rig, 2, 1); /* it is there before the line */
        ck_assert_int_eq(channel_flush(rig->ticks), 0);
        give_sign("go");
        await_sign("done");
        ck_assert_int_eq(kill(rig->pid, SIGCONT), 0);
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "good");
}
END_TEST

START_TEST(a_plugin_that_waits_for_every_child_takes_the_status_away) {
        load(1, "read -r q; echo up; read -r q; exit 3");
        RIG_PLUGIN(rig, 2, "hostile", "do=wait");
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "up");
        rig_tick(rig, 2, 1);
        rig_tick(rig, 3, 2); /* returns when the process has ended */
        rig_expect(rig, 3, RUN_RESULT_SUCCESS, "");
        rig_expect(rig, 2, RUN_RESULT_FAILED, "its process has ended, and a plugin of its host has taken the status away");
        ck_assert_int_eq(rig_answer(rig, 2)->answer.exit_code, -1);
        rig_tick(rig, 4, 1);
        rig_expect(rig, 4, RUN_RESULT_SUCCESS, "up");
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
}
END_TEST

START_TEST(one_that_does_not_answer_is_asked_to_end) {
        load(1, _i == 0 ? "read -r q; echo up; while read -r q; do sleep 100; done"
                        : "trap '' TERM; read -r q; echo up; while read -r q; do sleep 100; done");
        rig_tick(rig, 7, 1);
        rig_expect(rig, 7, RUN_RESULT_SUCCESS, "up");
        rig_tick(rig, 1, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig_cancel(rig, 1, RUN_RESULT_TIMEOUT);
        rig_tick(rig, 2, 1); /* which waits for another process */
        rig_expect(rig, 1, RUN_RESULT_TIMEOUT, "");
        ck_assert_int_eq(rig_answer(rig, 1)->answer.signal, _i == 0 ? SIGTERM : SIGKILL);
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "up");
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
}
END_TEST

START_TEST(a_crash_puts_the_next_start_off) {
        load(1, "read -r q; exit 1");
        for (uint64_t run = 1; run <= 3; run++) { /* at once, then behind 1 s */
                rig_tick(rig, run, 1);
                rig_expect(rig, run, RUN_RESULT_FAILED, NULL);
        }
        ck_assert_int_ge(rig_answer(rig, 3)->answer.begin_bt_us, rig_answer(rig, 2)->answer.begin_bt_us + 900000);
        /* a tick that waits for it has not begun, and can be cancelled */
        rig_tick(rig, 4, 1);
        rig_cancel(rig, 4, RUN_RESULT_CANCELLED);
        rig_expect(rig, 4, RUN_RESULT_CANCELLED, "");
        ck_assert_int_eq(rig_answer(rig, 4)->answer.begin_bt_us, 0);
        ck_assert_ptr_null(rig_find(rig, TICK_BEGUN, 4));
}
END_TEST

START_TEST(an_end_between_ticks_is_told_by_the_next) {
        load(1, "read -r q; echo done; exit 0");
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "done");
        /* it may not have ended yet: then it ends in the tick, which finishes too */
        rig_tick(rig, 2, 1);
        rig_expect(rig, 2, RUN_RESULT_FINISHED, "");
}
END_TEST

/* The input goes before the process has ended; or stays away while it lives on. */
START_TEST(an_end_that_takes_its_time_is_told_by_the_tick_that_finds_no_input) {
        load(1, _i == 0 ? "read -r q; exec <&-; echo done; sleep 0.3; exit 0" : "read -r q; exec <&-; echo done; sleep 100");
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "done");
        rig_tick(rig, 2, 1);
        rig_expect(rig, 2, _i == 0 ? RUN_RESULT_FINISHED : RUN_RESULT_FAILED, _i == 0 ? "" : "it has closed its input");
}
END_TEST

START_TEST(a_flood_holds_nobody_up) {
        load(1, "yes & while read -r q; do :; done");
        load(2, ANSWER_ALL("echo here"));
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "y");
        for (uint64_t run = 2; run < 50; run++)
                rig_tick(rig, run, 2);
        rig_expect(rig, 49, RUN_RESULT_SUCCESS, "here");
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
}
END_TEST

START_TEST(parameters_are_json) {
        static const char parameters[] = "A=a\"\\\n\0B=\xc3\xa9\0C=";

        load(1, ANSWER_ALL("echo \"$q\""));
        rig_send_tick(rig, 9, 1, parameters, sizeof(parameters));
        rig_expect(rig, 9, RUN_RESULT_SUCCESS, NULL);
        ck_assert_ptr_nonnull(strstr(rig_answer(rig, 9)->text,
                                     "\"parameters\":{\"A\":\"a\\u0022\\u005c\\u000a\",\"B\":\"\xc3\xa9\",\"C\":\"\"}}"));
}
END_TEST

START_TEST(it_and_what_it_started_die_with_the_host) {
        pid_t pid;

        load(1, "sleep 1000 & echo $!; while read -r q; do echo $$; done; sleep 1000");
        rig_tick(rig, 1, 1);
        pid = (pid_t)atoi(rig_answer(rig, 1)->text);
        ck_assert_int_gt(pid, 0);
        if (_i == 0)
                kill(rig->pid, SIGTERM);
        else
                rig_unload(rig, 1);
        if (_i == 0)
                ck_assert_int_eq(rig_end(rig), 0);
        RIG_UNTIL(rig, kill(pid, 0) < 0);
}
END_TEST

static const struct {
        const char *line;
        int result;
        enum run_result said;
        const char *value, *message; /* or why it is wrong */
} lines[] = {
        {"", 0, RUN_RESULT_SUCCESS, "", NULL},
        {"text", 0, RUN_RESULT_SUCCESS, "text", NULL},
        {"{", 0, RUN_RESULT_SUCCESS, "{", NULL},
        {"{}", 0, RUN_RESULT_SUCCESS, "{}", NULL},
        {"[\"status\"]", 0, RUN_RESULT_SUCCESS, "[\"status\"]", NULL},
        {"{\"rss\":5}", 0, RUN_RESULT_SUCCESS, "{\"rss\":5}", NULL},
        {"{\"status\":\"failed\",\"rss\":5}", 0, RUN_RESULT_SUCCESS, "{\"status\":\"failed\",\"rss\":5}", NULL},
        {"{\"status\":\"success\",\"status\":\"failed\"}", 0, RUN_RESULT_SUCCESS,
         "{\"status\":\"success\",\"status\":\"failed\"}", NULL},
        {"{\"value\":5}", 0, RUN_RESULT_SUCCESS, "5", NULL},
        {" {\"value\":{\"a\":[1, 2.5]}}", 0, RUN_RESULT_SUCCESS, "{\"a\":[1,2.5]}", NULL},
        {"{\"value\":null}", 0, RUN_RESULT_SUCCESS, NULL, NULL},
        {"{\"status\":\"failed\",\"message\":\"m\",\"value\":\"v\"}", 0, RUN_RESULT_FAILED, "v", "m"},
        {"{\"status\":\"timeout\"}", 1, RUN_RESULT_NONE, NULL, "its answer has an unknown status"},
        {"{\"status\":1}", 1, RUN_RESULT_NONE, NULL, "its answer has an unknown status"},
        {"{\"message\":1}", 1, RUN_RESULT_NONE, NULL, "the message of its answer is no text"},
};

START_TEST(a_line_says_what_it_says) {
        struct coprocess_answer answer = {};
        const char *why = NULL;
        int r = coprocess_read_answer(lines[_i].line, strlen(lines[_i].line), &answer, &why);

        ck_assert_msg(r == lines[_i].result, "%s: %d", lines[_i].line, r);
        if (r == 1) {
                ck_assert_str_eq(why, lines[_i].message);
                return;
        }
        ck_assert_int_eq(answer.result, lines[_i].said);
        ck_assert_pstr_eq(answer.value, lines[_i].value);
        ck_assert_pstr_eq(answer.message, lines[_i].message);
        coprocess_answer_done(&answer);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("host_coprocess");
        TCase *tc = tcase_create("coprocesses");
        tcase_set_timeout(tc, 60);
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, a_tick_is_answered, 0, ARRAY_SIZE(answers));
        tcase_add_test(tc, it_stays_for_many_ticks);
        tcase_add_test(tc, a_program_that_is_not_there_has_not_started);
        tcase_add_test(tc, an_answer_to_nothing_is_thrown_away);
        tcase_add_test(tc, a_plugin_that_waits_for_every_child_takes_the_status_away);
        tcase_add_loop_test(tc, one_that_does_not_answer_is_asked_to_end, 0, 2);
        tcase_add_test(tc, a_crash_puts_the_next_start_off);
        tcase_add_test(tc, an_end_between_ticks_is_told_by_the_next);
        tcase_add_loop_test(tc, an_end_that_takes_its_time_is_told_by_the_tick_that_finds_no_input, 0, 2);
        tcase_add_test(tc, a_flood_holds_nobody_up);
        tcase_add_test(tc, parameters_are_json);
        tcase_add_loop_test(tc, it_and_what_it_started_die_with_the_host, 0, 2);
        suite_add_tcase(suite, tc);
        tc = tcase_create("signs");
        tcase_set_timeout(tc, 60);
        tcase_add_checked_fixture(tc, setup_signs, teardown_signs);
        tcase_add_test(tc, what_one_says_that_was_asked_to_end_is_no_answer_to_the_next);
        tcase_add_test(tc, a_line_that_was_not_read_yet_is_no_answer_to_the_next);
        suite_add_tcase(suite, tc);
        tc = tcase_create("lines");
        tcase_add_loop_test(tc, a_line_says_what_it_says, 0, ARRAY_SIZE(lines));
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
