// SPDX-License-Identifier: MIT
// A host process and plugins: good ones, hostile ones and those that can't be loaded.

#include <dirent.h>
#include <inttypes.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "tests/unit/host/host_rig.h"

static struct rig *rig;

static void setup(void) {
        rig = rig_new();
}

static void teardown(void) {
        rig = rig_free(rig);
}

static const struct {
        const char *options[4];
        enum run_result result;
        const char *text;
} answers[] = {
        {{"do=nothing"}, RUN_RESULT_SUCCESS, ""},
        {{NULL}, RUN_RESULT_SUCCESS, ""},
        {{"do=skip"}, RUN_RESULT_SKIPPED, ""},
        {{"do=fail"}, RUN_RESULT_FAILED, "it failed"},
        {{"do=fail", "text=two\nlines\x01 \xc3\xa9 \xff"}, RUN_RESULT_FAILED, "two lines  \xc3\xa9 ?"},
        {{"do=count"}, RUN_RESULT_SUCCESS, "1"},
        {{"do=later"}, RUN_RESULT_SUCCESS, "later 1"},
        {{"do=twice"}, RUN_RESULT_SUCCESS, "later 1"},
        {{"do=early"}, RUN_RESULT_SUCCESS, "early"},
        {{"do=big"}, RUN_RESULT_SUCCESS, NULL},
        {{"do=bad-result"}, RUN_RESULT_FAILED, "hostile: tick() has returned 77, which is no result"},
        {{"do=fork"}, RUN_RESULT_SUCCESS, ""},
        {{"do=leak"}, RUN_RESULT_SUCCESS, ""},
        {{"do=echo", "text=t"},
         RUN_RESULT_SUCCESS,
         "job job-1 run 9 cause 4 slot 1763694000000000 missed 3 attempt 2 text t n 0 set 0 parameters 0 A -"},
        {{"do=fail", "in=load", "text=why"}, RUN_RESULT_START_FAILED, "load says why"},
        {{"do=nought"}, RUN_RESULT_START_FAILED, NULL},
        {{"dp=skip"}, RUN_RESULT_START_FAILED, "hostile has no option dp; did you mean do?"},
        {{"n=1000000001"}, RUN_RESULT_START_FAILED, "Option.n=1000000001: give -5 to 1000000000"},
        {{"n=x"}, RUN_RESULT_START_FAILED, "Option.n=x: is not of type integer"},
};

START_TEST(a_tick_is_answered) {
        rig_load(rig, 1, JOB_WORK_PLUGIN, (const char *const[]){PLUGIN_FOLDER "/hostile.so", NULL}, answers[_i].options, NULL);
        rig_tick(rig, 9, 1);
        rig_expect(rig, 9, answers[_i].result, answers[_i].text);
        const struct tick_answer *answer = &rig_answer(rig, 9)->answer;
        ck_assert_int_eq(answer->exit_code, -1);
        ck_assert_int_eq(answer->step, answer->result == RUN_RESULT_START_FAILED ? RUN_STEP_PLUGIN : RUN_STEP_NONE);
        ck_assert((answer->begin_bt_us == 0) == (answer->result == RUN_RESULT_START_FAILED));
        ck_assert_uint_eq(rig->page->current, 0);
        ck_assert_uint_eq(rig->page->ring[rig->page->noted % TICK_RING].run, 9);
        ck_assert_uint_eq(rig->page->ring[rig->page->noted % TICK_RING].result, answer->result);
        /* whatever it was, the next one is served */
        RIG_PLUGIN(rig, 2, "noop", NULL);
        rig_tick(rig, 10, 2);
        rig_expect(rig, 10, RUN_RESULT_SUCCESS, "");
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert_uint_eq(rig_count(rig, TICK_ANSWER, 9), 1);
}
END_TEST

/* What ends the host, and how the page tells of it. */
static const struct {
        const char *options[3];
        int end; /* the exit status, the negative signal; 99: it hangs */
        uint32_t phase;
} deaths[] = {
        {{"do=crash", "in=tick"}, -SIGSEGV, TICK_PHASE_RUN},
        {{"do=abort", "in=tick"}, -SIGABRT, TICK_PHASE_RUN},
        {{"do=exit", "in=tick"}, 0, TICK_PHASE_RUN},
        {{"do=_exit", "in=tick"}, 3, TICK_PHASE_RUN},
        {{"do=loop", "in=tick"}, 99, TICK_PHASE_RUN},
        {{"do=deadlock", "in=tick"}, 99, TICK_PHASE_RUN},
        {{"do=crash", "in=load"}, -SIGSEGV, TICK_PHASE_LOAD},
        {{"do=abort", "in=load"}, -SIGABRT, TICK_PHASE_LOAD},
        {{"do=exit", "in=load"}, 0, TICK_PHASE_LOAD},
        {{"do=_exit", "in=load"}, 3, TICK_PHASE_LOAD},
        {{"do=loop", "in=load"}, 99, TICK_PHASE_LOAD},
        {{"do=deadlock", "in=load"}, 99, TICK_PHASE_LOAD},
        {{"do=crash", "in=cancel"}, -SIGSEGV, TICK_PHASE_CANCEL},
        {{"do=exit", "in=cancel"}, 0, TICK_PHASE_CANCEL},
        {{"do=loop", "in=cancel"}, 99, TICK_PHASE_CANCEL},
        {{"do=deadlock", "in=cancel"}, 99, TICK_PHASE_CANCEL},
        {{"do=crash", "in=unload"}, -SIGSEGV, TICK_PHASE_UNLOAD},
        {{"do=abort", "in=unload"}, -SIGABRT, TICK_PHASE_UNLOAD},
        {{"do=exit", "in=unload"}, 0, TICK_PHASE_UNLOAD},
        {{"do=_exit", "in=unload"}, 3, TICK_PHASE_UNLOAD},
        {{"do=loop", "in=unload"}, 99, TICK_PHASE_UNLOAD},
        {{"do=deadlock", "in=unload"}, 99, TICK_PHASE_UNLOAD},
};

START_TEST(a_death_leaves_its_place) {
        uint32_t phase = deaths[_i].phase;
        uint64_t run = phase == TICK_PHASE_UNLOAD ? 0 : 9;

        RIG_PLUGIN(rig, 2, "noop", NULL);
        rig_tick(rig, 8, 2);
        rig_expect(rig, 8, RUN_RESULT_SUCCESS, "");
        rig_load(rig, 1, JOB_WORK_PLUGIN, (const char *const[]){PLUGIN_FOLDER "/hostile.so", NULL}, deaths[_i].options, NULL);
        rig_tick(rig, 9, 1);
        if (phase == TICK_PHASE_CANCEL)
                rig_cancel(rig, 9, RUN_RESULT_TIMEOUT);
        if (phase == TICK_PHASE_UNLOAD)
                rig_unload(rig, 1);
        if (deaths[_i].end == 99) {
                RIG_UNTIL(rig, rig->page->phase == phase);
                kill(rig->pid, SIGKILL);
                rig_end(rig);
        } else
                ck_assert_int_eq(rig_end(rig), deaths[_i].end);
        ck_assert_uint_eq(rig->page->phase, phase);
        ck_assert_uint_eq(rig->page->current, run);
        ck_assert_uint_eq(rig->page->handle, 1);
}
END_TEST

static const struct {
        const char *file, *why;
} files[] = {
        {"wrong_abi.so", "wrong_abi.so: it is made for version 99 of the plugin interface, which is 1 here"},
        {"no_symbol.so", "no_symbol.so: it has no symbol chimed_plugin"},
        {"unresolved.so", "unresolved.so: undefined symbol: a_function_that_is_nowhere"},
        {"bad_options.so", "bad_options.so: option count: its default is not of type integer"},
        {"not_there.so", "not_there.so: No such file or directory"},
        {"hostile.txt", "hostile.txt: invalid ELF header"},
        {"short.txt", "short.txt: file too short"},
        {"wide.so", "wide.so: can be written by others"},
        {".", ".: is not a regular file"},
        {"", ": No such file or directory"},
        {"folder.so", "folder.so: its folder can be written by others"},
        {"old.so", "old.so: wrong ELF class: ELFCLASS32"},
};

/* Files that can't be built. */
static void make_file(const char *folder, const char *name) {
        static const unsigned char old[64] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
        char path[300],
                text[128] = "this is no ELF file, whatever its name says, and long enough to be looked at by the loader\n";

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        if (strcmp(name, "old.so") == 0)
                fwrite(old, 1, sizeof(old), f);
        else
                fwrite(text, 1, strcmp(name, "short.txt") == 0 ? 3 : sizeof(text), f);
        fclose(f);
        chmod(path, strcmp(name, "wide.so") == 0 ? 0666 : 0644);
}

START_TEST(what_cannot_be_loaded_is_told) {
        char folder[] = "/tmp/chimed-host-XXXXXX", path[300];
        const char *file = files[_i].file;
        bool is_folder = strcmp(file, "folder.so") == 0;
        bool is_made = strstr(file, ".txt") || strcmp(file, "wide.so") == 0 || strcmp(file, "old.so") == 0 || is_folder;

        ck_assert_ptr_nonnull(mkdtemp(folder));
        if (is_made)
                make_file(folder, file);
        if (is_folder)
                chmod(folder, 0777);
        snprintf(path, sizeof(path), "%s/%s", is_made ? folder : PLUGIN_FOLDER, file);
        rig_load(rig, 1, JOB_WORK_PLUGIN, (const char *const[]){path, NULL}, NULL, NULL);
        rig_tick(rig, 9, 1);
        rig_expect(rig, 9, RUN_RESULT_START_FAILED, files[_i].why);
        ck_assert_int_eq(rig_answer(rig, 9)->answer.step, RUN_STEP_PLUGIN);
        rig_tick(rig, 10, 1); /* it is not tried again at once, and says the same */
        rig_expect(rig, 10, RUN_RESULT_START_FAILED, files[_i].why);
        RIG_PLUGIN(rig, 2, "noop", NULL);
        rig_tick(rig, 11, 2);
        rig_expect(rig, 11, RUN_RESULT_SUCCESS, "");
        if (is_made)
                unlink(path);
        rmdir(folder);
}
END_TEST

static const char *const spoils[] = {"do=umask", "do=chdir", "do=mask", "do=locale", "do=signals"};

START_TEST(what_a_tick_spoils_is_put_back) {
        RIG_PLUGIN(rig, 1, "hostile", "do=state");
        RIG_PLUGIN(rig, 2, "hostile", spoils[_i]);
        rig_tick(rig, 1, 1);
        const char *before = rig_answer(rig, 1)->text;
        for (uint64_t run = 2; run < 300; run += 2) { /* both in one message, beyond where it is trusted */
                rig_tick(rig, run, 2);
                rig_tick(rig, run + 1, 1);
        }
        for (uint64_t run = 3; run < 300; run += 2)
                rig_expect(rig, run, RUN_RESULT_SUCCESS, before);
}
END_TEST

static unsigned count_descriptors(void) {
        char path[64];
        unsigned n = 0;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)rig->pid);
        DIR *folder = opendir(path);
        ck_assert_ptr_nonnull(folder);
        while (readdir(folder))
                n++;
        closedir(folder);
        return n;
}

START_TEST(a_file_that_is_no_plugin_is_loaded_once) {
        static const char why[] = "no_symbol.so: it has no symbol chimed_plugin";
        unsigned n = 0;

        for (uint32_t i = 1; i <= 20; i++) { /* each job tries */
                RIG_PLUGIN(rig, i, "no_symbol", NULL);
                rig_tick(rig, i, i);
                rig_expect(rig, i, RUN_RESULT_START_FAILED, why);
                if (i == 1)
                        n = count_descriptors();
        }
        ck_assert_uint_eq(count_descriptors(), n);
}
END_TEST

START_TEST(the_page_names_a_run_until_it_is_noted) {
        unsigned n_steps = 0;
        int status;

        if (ptrace(PTRACE_SEIZE, rig->pid, NULL, (void *)PTRACE_O_EXITKILL) < 0)
                return; /* where nobody may do so */
        RIG_PLUGIN(rig, 1, "hostile", "do=stop");
        rig_tick(rig, 9, 1);
        ck_assert_int_eq(channel_flush(rig->ticks), 0);
        while (rig->page->noted == 0) { /* step by step from within tick() */
                ck_assert_int_eq(waitpid(rig->pid, &status, 0), rig->pid);
                ck_assert(WIFSTOPPED(status));
                bool is_inside = rig->page->phase == TICK_PHASE_RUN;
                ck_assert(rig->page->noted > 0 || !is_inside || rig->page->current == 9);
                ck_assert_msg(rig->page->noted > 0 || is_inside || !n_steps, "KILL would have it executed again");
                if (is_inside)
                        n_steps++;
                ck_assert_int_eq(ptrace(is_inside ? PTRACE_SINGLESTEP : PTRACE_CONT, rig->pid, NULL, NULL), 0);
        }
        kill(rig->pid, SIGKILL);
        ck_assert_int_gt(n_steps, 0);
        ck_assert_uint_eq(rig->page->ring[1].run, 9);
}
END_TEST

START_TEST(closed_descriptors_end_the_host) {
        RIG_PLUGIN(rig, 1, "hostile", "do=close");
        rig_tick(rig, 1, 1);
        ck_assert_int_eq(rig_end(rig), 1);
        ck_assert(rig_has_told(rig, "descriptors of the host"));
        ck_assert_uint_eq(rig->page->current, 1);
}
END_TEST

START_TEST(another_user_ends_the_host) {
        if (geteuid() != 0)
                return;
        RIG_PLUGIN(rig, 1, "hostile", "do=user");
        rig_tick(rig, 1, 1);
        ck_assert_int_eq(rig_end(rig), 1);
        ck_assert_uint_eq(rig->page->current, 1);
}
END_TEST

START_TEST(a_generator_finishes) {
        RIG_PLUGIN(rig, 1, "hostile", "do=finish");
        for (uint64_t run = 1; run <= 3; run++)
                rig_tick(rig, run, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "");
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "");
        rig_expect(rig, 3, RUN_RESULT_FINISHED, "");
}
END_TEST

START_TEST(parameters_reach_the_plugin) {
        static const char parameters[] = "A=one\0B=";

        RIG_PLUGIN(rig, 1, "hostile", "do=echo", "n=7");
        rig_send_tick(rig, 9, 1, parameters, sizeof(parameters));
        rig_expect(rig, 9, RUN_RESULT_SUCCESS,
                   "job job-1 run 9 cause 4 slot 1763694000000000 missed 3 attempt 2 text - n 7 set 1 parameters 2 A one");
}
END_TEST

START_TEST(parameters_that_the_job_does_not_accept) {
        static const char others[] = "A=one\0D=", twice[] = "A=one\0A=two";

        RIG_PLUGIN(rig, 1, "hostile", "do=echo", "n=7");
        rig_send_tick(rig, 9, 1, others, sizeof(others));
        rig_expect(rig, 9, RUN_RESULT_START_FAILED, "a parameter that its AcceptParameters= does not name");
        rig_send_tick(rig, 10, 1, twice, sizeof(twice));
        rig_expect(rig, 10, RUN_RESULT_START_FAILED, NULL);
        rig_send_tick(rig, 11, 1, NULL, 0);
        rig_expect(rig, 11, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

static void allow_little(struct job_what *what) {
        what->capture_max = 5;
}

START_TEST(a_value_is_cut_at_its_bound) {
        rig_load(rig, 1, JOB_WORK_PLUGIN, (const char *const[]){PLUGIN_FOLDER "/hostile.so", NULL},
                 (const char *const[]){"do=later", NULL}, allow_little);
        RIG_PLUGIN(rig, 2, "hostile", "do=big");
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "later");
        rig_tick(rig, 2, 2);
        ck_assert_uint_eq(rig_answer(rig, 2)->answer.value_size, TICK_VALUE_MAX);
}
END_TEST

START_TEST(ticks_of_a_job_are_one_at_a_time) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=50ms");
        RIG_PLUGIN(rig, 2, "hostile", "do=count");
        for (uint64_t run = 1; run <= 3; run++)
                rig_tick(rig, run, 1);
        rig_tick(rig, 4, 2);
        rig_expect(rig, 4, RUN_RESULT_SUCCESS, "1"); /* meanwhile */
        ck_assert_ptr_null(rig_find(rig, TICK_ANSWER, 1));
        ck_assert_ptr_null(rig_find(rig, TICK_BEGUN, 2));
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "later 1");
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "later 2");
        rig_expect(rig, 3, RUN_RESULT_SUCCESS, "later 3");
        ck_assert_int_ge(rig_answer(rig, 2)->answer.begin_bt_us, rig_answer(rig, 1)->answer.begin_bt_us + 50000);
        ck_assert_uint_ge(rig_answer(rig, 2)->answer.duration_us, 50000);
}
END_TEST

START_TEST(a_cancelled_tick_ends_as_it_was_asked_to) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=1min");
        rig_tick(rig, 1, 1);
        rig_tick(rig, 2, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig_cancel(rig, 2, RUN_RESULT_CANCELLED); /* which waits */
        rig_expect(rig, 2, RUN_RESULT_CANCELLED, "");
        ck_assert_int_eq(rig_answer(rig, 2)->answer.begin_bt_us, 0);
        rig_cancel(rig, 1, RUN_RESULT_TIMEOUT);
        rig_expect(rig, 1, RUN_RESULT_TIMEOUT, "");
        ck_assert_int_gt(rig_answer(rig, 1)->answer.begin_bt_us, 0);
        rig_cancel(rig, 1, RUN_RESULT_TIMEOUT); /* too late */
        rig_cancel(rig, 77, RUN_RESULT_TIMEOUT);
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert_uint_eq(rig_count(rig, TICK_ANSWER, 1), 1);
}
END_TEST

START_TEST(a_tick_waits_for_its_definition) {
        rig_tick(rig, 1, 1);
        rig_tick(rig, 2, 1);
        rig_tick(rig, 3, 2);
        for (int i = 0; i < 5; i++)
                rig_pass(rig);
        ck_assert_uint_eq(rig->n, 0);
        rig_cancel(rig, 3, RUN_RESULT_CANCELLED);
        rig_expect(rig, 3, RUN_RESULT_CANCELLED, "");
        RIG_PLUGIN(rig, 1, "hostile", "do=count");
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "1");
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "2");
}
END_TEST

START_TEST(without_a_definition_it_fails_in_the_end) {
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_START_FAILED, "the host was not given its definition");
        ck_assert_int_eq(rig_answer(rig, 1)->answer.step, RUN_STEP_DEFINITION);
        RIG_PLUGIN(rig, 1, "noop", NULL);
        rig_tick(rig, 2, 1);
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "");
}
END_TEST

START_TEST(what_plugins_say_is_passed_on_within_bounds) {
        RIG_PLUGIN(rig, 1, "hostile", "do=log", "n=2");
        RIG_PLUGIN(rig, 2, "hostile", "do=print");
        rig_tick(rig, 1, 1);
        rig_tick(rig, 2, 2);
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "");
        const char *text = rig_output(rig);
        ck_assert(rig_has_told(rig, "<5>line 1 of job-1\n"));
        ck_assert_ptr_nonnull(strstr(text, "printed by job-2\n"));
        ck_assert_ptr_nonnull(strstr(text, "told by job-2\n"));
}
END_TEST

static char *read_file(const char *path) {
        static char buf[2][64 * 1024];
        static int n;
        FILE *f = fopen(path, "re");

        ck_assert_ptr_nonnull(f);
        char *text = buf[n++ % 2];
        text[fread(text, 1, sizeof(buf[0]) - 1, f)] = '\0';
        fclose(f);
        return text;
}

START_TEST(the_example_of_the_manual_works) {
        char *manual = read_file(SOURCE_ROOT "/man/chimed-plugin.3");
        char *code = strstr(read_file(SOURCE_ROOT "/tests/plugins/example.c"), "#include \"daemon/plugin.h\"");

        ck_assert_ptr_nonnull(code);
        code += strlen("#include \"daemon/plugin.h\"");
        ck_assert_ptr_nonnull(strstr(manual, code)); /* to its end */
        RIG_PLUGIN(rig, 1, "example", "path=" SOURCE_ROOT "/man/chimed-plugin.3", "max=5");
        RIG_PLUGIN(rig, 2, "example", "path=/proc/sys/kernel/pid_max", "max=5");
        RIG_PLUGIN(rig, 3, "example", "path=/proc/self/loginuid");
        rig_tick(rig, 1, 1);
        rig_tick(rig, 2, 2);
        rig_tick(rig, 3, 3);
        rig_expect(rig, 1, RUN_RESULT_FAILED, SOURCE_ROOT "/man/chimed-plugin.3 has no number");
        rig_expect(rig, 2, RUN_RESULT_FAILED, NULL);
        ck_assert_ptr_nonnull(strstr(rig_answer(rig, 2)->text, " is too much"));
        rig_expect(rig, 3, RUN_RESULT_START_FAILED, "Option.max= is missing: Fail above this.");
}
END_TEST

START_TEST(an_exit_in_a_destructor_is_not_reached) {
        RIG_PLUGIN(rig, 1, "hostile", "do=crash", "in=exit");
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "");
        rig_send(rig, TICK_QUIT, NULL);
        ck_assert_int_eq(rig_end(rig), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("host_plugin");
        TCase *tc = tcase_create("plugins");
        tcase_set_timeout(tc, 60);
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, a_tick_is_answered, 0, ARRAY_SIZE(answers));
        tcase_add_loop_test(tc, a_death_leaves_its_place, 0, ARRAY_SIZE(deaths));
        tcase_add_loop_test(tc, what_cannot_be_loaded_is_told, 0, ARRAY_SIZE(files));
        tcase_add_loop_test(tc, what_a_tick_spoils_is_put_back, 0, ARRAY_SIZE(spoils));
        tcase_add_test(tc, a_file_that_is_no_plugin_is_loaded_once);
        tcase_add_test(tc, the_page_names_a_run_until_it_is_noted);
        tcase_add_test(tc, closed_descriptors_end_the_host);
        tcase_add_test(tc, another_user_ends_the_host);
        tcase_add_test(tc, a_generator_finishes);
        tcase_add_test(tc, parameters_reach_the_plugin);
        tcase_add_test(tc, parameters_that_the_job_does_not_accept);
        tcase_add_test(tc, a_value_is_cut_at_its_bound);
        tcase_add_test(tc, ticks_of_a_job_are_one_at_a_time);
        tcase_add_test(tc, a_cancelled_tick_ends_as_it_was_asked_to);
        tcase_add_test(tc, a_tick_waits_for_its_definition);
        tcase_add_test(tc, without_a_definition_it_fails_in_the_end);
        tcase_add_test(tc, what_plugins_say_is_passed_on_within_bounds);
        tcase_add_test(tc, the_example_of_the_manual_works);
        tcase_add_test(tc, an_exit_in_a_destructor_is_not_reached);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
