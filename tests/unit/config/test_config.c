// SPDX-License-Identifier: MIT
// config: folders that mask and add to each other, files that can't be trusted, and names that meet.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "config/utf8.h"
#include "tests/unit/config/config_fixture.h"
#include "tests/unit/run_suite.h"

START_TEST(jobs_of_all_files_are_there_sorted_by_name) {
        put("etc/b.ini", JOB("z") JOB("b"));
        put("run/a.ini", JOB("m"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b m z");
        ck_assert_str_eq(config->jobs[0]->file, "etc/b.ini");
        ck_assert_uint_eq(config->jobs[0]->line, 4);
        ck_assert_uint_eq(config->n_files, 2);
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(nothing_at_all_is_no_error) {
        rmdir("etc");
        rmdir("run");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "");
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(an_earlier_folder_masks_the_name_in_a_later_one) {
        put("etc/a.ini", JOB("mine"));
        put("run/a.ini", JOB("theirs"));
        put("run/b.ini", JOB("other"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "mine other");
}
END_TEST

START_TEST(a_link_to_dev_null_disables_the_name) {
        ck_assert_int_eq(symlink("/dev/null", "etc/a.ini"), 0);
        put("run/a.ini", JOB("a"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "");
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(drop_ins_of_all_folders_are_applied_by_name_and_mask_each_other) {
        put("run/a.ini", "[defaults]\nTimeout=1s\n" JOB("a"));
        mkdir("run/a.ini.d", 0755);
        mkdir("etc/a.ini.d", 0755);
        put("run/a.ini.d/10.conf", "[job a]\nDescription=10 run\nEvery=2h\n");
        put("run/a.ini.d/20.conf", "[job a]\nDescription=20 run\nEnvironment=A=1\n[defaults]\nKillGrace=3s\n");
        put("etc/a.ini.d/20.conf", "[job a]\nDescription=20 etc\nEnvironment=B=1\n");
        put("etc/a.ini.d/30.conf", "[job a]\nEnvironment=C=1\n");
        ck_assert_int_eq(symlink("/dev/null", "etc/a.ini.d/10.conf"), 0);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a");
        const struct job *job = config->jobs[0];
        ck_assert_str_eq(job->description, "20 etc");
        ck_assert_int_eq(job->when.every_us, USEC_PER_HOUR);
        ck_assert_str_eq(job->what.environment[0], "B=1");
        ck_assert_str_eq(job->what.environment[1], "C=1");
        ck_assert_int_eq(job->what.timeout_us, USEC_PER_SEC);
        ck_assert_int_eq(job->what.kill_grace_us, 10 * USEC_PER_SEC);
        ck_assert_str_eq(job->file, "run/a.ini");
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(layers_win_in_their_order) {
        put("conf", "[chimed]\nStopWait=30s\n[defaults]\nTimeout=1s\nKillGrace=1s\nKillSignal=INT\nWorkingDirectory=/1\n");
        put("etc/a.ini", "[defaults]\nKillGrace=2s\nKillSignal=HUP\nWorkingDirectory=/2\n" JOB(
                                 "a") "KillSignal=QUIT\nWorkingDirectory=/3\n");
        mkdir("etc/a.ini.d", 0755);
        put("etc/a.ini.d/1.conf", "[job a]\nWorkingDirectory=/5\n[defaults]\nWorkingDirectory=/4\nCaptureMax=1\n");
        put("etc/b.ini", JOB("b"));
        ck_assert_int_eq(load(), 0);
        const struct job_what *what = &config->jobs[0]->what;
        ck_assert_int_eq(what->timeout_us, 1000000);
        ck_assert_int_eq(what->kill_grace_us, 2000000);
        ck_assert_int_eq(what->kill_signal, 3);
        ck_assert_str_eq(what->working_directory, "/5");
        ck_assert_uint_eq(what->capture_max, 1);
        ck_assert_str_eq(config->jobs[1]->what.working_directory, "/1");
        ck_assert_uint_eq(config->jobs[1]->what.capture_max, JOB_CAPTURE_DEFAULT);
        ck_assert_int_eq(config->settings.stop_wait_us, 30 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_broken_job_never_stops_the_others) {
        put("etc/a.ini", JOB("a") JOB("b") "Evry=1\n" JOB("c") "nonsense\n" JOB("d"));
        put("etc/b.ini", JOB("e") "Timeout=x\nJitter=x\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a d ! b c e");
        ck_assert_str_eq(config->broken[0].file, "etc/a.ini");
        ck_assert_uint_eq(diags.n_errors, 4);
}
END_TEST

START_TEST(a_broken_header_hides_only_its_own_section) {
        put("etc/a.ini", JOB("a") "[job b\nCommand=x\nEvery=1h\n" JOB("c"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a c ! etc/a.ini");
        ck_assert_ptr_null(config->broken[0].name);
        ck_assert_uint_eq(diags.n_errors, 1);
}
END_TEST

START_TEST(bad_defaults_of_a_file_keep_all_of_its_jobs_out) {
        put("etc/a.ini", "[defaults]\nUsr=nobody\n" JOB("a"));
        put("etc/b.ini", JOB("b"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b ! etc/a.ini a");
        ck_assert_str_eq(diag(0), "etc/a.ini:2:1: unknown key Usr=; did you mean User=?");
        ck_assert_uint_eq(diags.n, 1);
}
END_TEST

START_TEST(bad_defaults_of_the_settings_file_change_nothing) {
        put("conf", "[defaults]\nTimeout=never\n");
        put("etc/a.ini", JOB("a") JOB("b"));
        ck_assert_int_eq(load(), -EBADMSG);
        ck_assert_ptr_null(config);
        ck_assert_uint_eq(diags.n_errors, 1);
}
END_TEST

START_TEST(a_bad_setting_is_told_and_its_built_in_value_stays) {
        put("conf", "[chimed]\nStopWait=never\nEvery=5s\nStopWit=1\nOnLedgerFailure=stop\nTimeSyncWait=soon\n"
                    "LedgerMaxSize=5K\n");
        put("etc/a.ini", JOB("a"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a");
        ck_assert_int_eq(config->settings.stop_wait_us, 0);
        ck_assert_int_eq(config->settings.on_ledger_failure, CONFIG_LEDGER_FAILURE_RUN);
        ck_assert_int_eq(config->settings.time_sync_wait_us, 90 * USEC_PER_SEC);
        ck_assert_uint_eq(config->settings.ledger_max_size, CONFIG_LEDGER_MAX_SIZE);
        ck_assert_uint_eq(diags.n_errors, 6);
}
END_TEST

START_TEST(a_misspelt_setting_is_answered) {
        put("conf", "MaxRunning=2\n[chimed]\nMaxRuning=2\n");
        ck_assert_int_eq(load(), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(diag(0), ":1:1: MaxRunning= stands before any section; begin with [chimed]"));
        ck_assert_ptr_nonnull(strstr(diag(1), ":3:1: unknown key MaxRuning=; did you mean MaxRunning=?"));
        ck_assert_uint_eq(diags.n, 2);
}
END_TEST

START_TEST(a_setting_is_read) {
        put("conf", "[chimed]\nStopWait=1min\nOnLedgerFailure=hold\nTimeSyncWait=0\nLedgerMaxSize=200M\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_int_eq(config->settings.stop_wait_us, USEC_PER_MINUTE);
        ck_assert_int_eq(config->settings.on_ledger_failure, CONFIG_LEDGER_FAILURE_HOLD);
        ck_assert_int_eq(config->settings.time_sync_wait_us, 0);
        ck_assert_uint_eq(config->settings.ledger_max_size, 200 * 1024 * 1024);
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(a_setting_twice_is_an_error_and_the_first_stays) {
        put("conf", "[chimed]\nStopWait=1s\nStopWait=2s\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_int_eq(config->settings.stop_wait_us, USEC_PER_SEC);
        ck_assert_str_eq(diag(0), "conf:3:1: StopWait= a second time in this section; the first is at line 2");
}
END_TEST

START_TEST(an_error_is_told_however_many_warnings_there_are) {
        char path[40];

        for (int i = 0; i < DIAGS_MAX + 10; i++) {
                sprintf(path, "etc/a%d", i);
                put(path, "x");
        }
        put("etc/z.ini", "[job z]\nCommand=/bin/true\nEvery=never\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_uint_eq(diags.n_warnings, DIAGS_MAX + 10);
        ck_assert_str_eq(diags.list[diags.n - 1].file, "etc/z.ini");
}
END_TEST

START_TEST(a_diagnostic_is_utf_8_also_where_it_cuts_or_names_what_is_not) {
        put("etc/a.ini", "[job a]\nCommand=/bin/echo \\\xc3\xbc\nEvery="
                         "\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb"
                         "\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb"
                         "\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb"
                         "x\xc3\xbb\n");
        put("etc/\xff", "x");
        ck_assert_int_eq(load(), 0);
        ck_assert_uint_eq(diags.n, 3);
        for (size_t i = 0; i < diags.n; i++)
                ck_assert_msg(utf8_find_bad(diags.list[i].text, strlen(diags.list[i].text)) == strlen(diags.list[i].text) &&
                                      utf8_find_bad(diags.list[i].file, strlen(diags.list[i].file)) ==
                                              strlen(diags.list[i].file),
                              "%s", diag(i));
}
END_TEST

/* Of [defaults], and of headers that repeat, a file may hold as many as fit. */
START_TEST(what_repeats_is_read_in_time) {
        struct timespec begin, end;
        FILE *f = fopen("etc/a.ini", "w");

        fputs("[job a]\nCommand=/bin/true\n", f);
        for (int i = 0; i < 200000; i++)
                fputs("EnvironmentFile=/x\n", f);
        fputs("[job b]\nCommand=/bin/true\n", f);
        for (int i = 0; i < 200000; i++)
                fputs("Environment=A=1\n", f);
        for (int i = 0; i < 50000; i++)
                fputs("[job c]\n", f);
        for (int i = 0; i < 50000; i++)
                fputs("[defaults]\n", f);
        fclose(f);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        ck_assert_int_eq(load(), 0);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        double took = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
        ck_assert_msg(took < 10, "%.3f s", took);
        ck_assert_uint_eq(config->n_jobs, 0);
}
END_TEST

START_TEST(a_name_in_two_files_is_an_error_that_names_both) {
        put("etc/a.ini", JOB("x") JOB("a"));
        put("run/b.ini", JOB("b") JOB("x"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a b ! x x");
        ck_assert_str_eq(config->broken[0].file, "etc/a.ini");
        ck_assert_str_eq(config->broken[1].file, "run/b.ini");
        ck_assert_str_eq(diag(0), "run/b.ini:4: job x is defined at etc/a.ini:1, too; neither is taken");
        ck_assert_uint_eq(diags.n, 1);
}
END_TEST

START_TEST(a_name_twice_is_an_error_also_where_one_of_them_is_broken) {
        put("etc/a.ini", JOB("x") "Foo=1\n" JOB("x"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! x x");
        ck_assert_uint_eq(diags.n_errors, 2);
}
END_TEST

START_TEST(a_broken_drop_in_keeps_its_job_out) {
        put("etc/a.ini", JOB("a") JOB("b"));
        mkdir("etc/a.ini.d", 0755);
        put("etc/a.ini.d/1.conf", "[job a]\nUsr=nobody\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b ! a");
        put("etc/a.ini.d/1.conf", "[job a]\nnonsense\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b ! a");
        put("etc/a.ini.d/1.conf", "[jb a]\nUser=nobody\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! etc/a.ini a b");
        put("etc/a.ini.d/1.conf", "");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! etc/a.ini a b");
        put("etc/a.ini.d/1.conf", "[job c]\nTimeout=1s\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a b");
        ck_assert_str_eq(diag(0), "etc/a.ini.d/1.conf:1: there is no job c that this could add to");
}
END_TEST

START_TEST(what_is_not_read_is_told) {
        put("etc/readme", "x");
        put("etc/a.ini~", "x");
        put("etc/.hidden", "x");
        put("etc/a.ini.dpkg-old", "x");
        mkdir("etc/b.ini.d", 0755);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "");
        ck_assert_str_eq(diag(0), "etc/b.ini.d: warning: not read: there is no file of this name without .d");
        ck_assert_str_eq(diag(1), "etc/readme: warning: not read: the name does not end in .ini");
        ck_assert_uint_eq(diags.n, 2);
}
END_TEST

static void make_empty(void) {
        put("etc/x.ini", "");
}

static void make_fifo(void) {
        ck_assert_int_eq(mkfifo("etc/x.ini", 0644), 0);
}

static void make_folder(void) {
        mkdir("etc/x.ini", 0755);
}

static void make_endless(void) {
        ck_assert_int_eq(symlink("/dev/zero", "etc/x.ini"), 0);
}

static void make_dangling(void) {
        ck_assert_int_eq(symlink("nowhere", "etc/x.ini"), 0);
}

static void make_loop(void) {
        ck_assert_int_eq(symlink("x.ini", "etc/x.ini"), 0);
}

static void make_writable(void) {
        put("etc/x.ini", JOB("x"));
        chmod("etc/x.ini", 0664);
}

static void make_link_to_writable(void) {
        put("x", JOB("x"));
        chmod("x", 0646);
        ck_assert_int_eq(symlink("../x", "etc/x.ini"), 0);
}

static void make_huge(void) {
        put("etc/x.ini", JOB("x"));
        ck_assert_int_eq(truncate("etc/x.ini", CONFIG_FILE_MAX + 1L), 0);
}

static void make_unreadable(void) {
        put("etc/x.ini", JOB("x"));
        chmod("etc/x.ini", 0);
}

static void make_foreign(void) {
        put("etc/x.ini", JOB("x"));
        ck_assert_int_eq(chown("etc/x.ini", 12345, 0), 0);
}

static const struct {
        void (*make)(void);
        const char *diag;
        bool needs_root, needs_user;
} refused[] = {
        {make_empty, "etc/x.ini: not read: it is empty (link it to /dev/null to disable it)", false, false},
        {make_fifo, "etc/x.ini: not read: it is no regular file", false, false},
        {make_folder, "etc/x.ini: not read: it is a folder", false, false},
        {make_endless, "etc/x.ini: not read: it is no regular file", false, false},
        {make_dangling, "etc/x.ini: not read: the link leads nowhere", false, false},
        {make_loop, "etc/x.ini: not read: Too many levels of symbolic links", false, false},
        {make_writable, "etc/x.ini: not read: others than its owner can write to it; chmod go-w", false, false},
        {make_link_to_writable, "etc/x.ini: not read: others than its owner can write to it; chmod go-w", false, false},
        {make_huge, "etc/x.ini: not read: it is longer than 64 MiB", false, false},
        {make_unreadable, "etc/x.ini: not read: Permission denied", false, true},
        {make_foreign, "etc/x.ini: not read: its owner is not root", true, false},
};

START_TEST(file_that_cannot_be_trusted_is_refused_and_the_others_are_read) {
        if (refused[_i].needs_root && geteuid() != 0)
                return;
        if (refused[_i].needs_user && geteuid() == 0)
                return;
        refused[_i].make();
        put("etc/y.ini", JOB("y"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "y ! etc/x.ini");
        ck_assert_str_eq(diag(0), refused[_i].diag);
        ck_assert_uint_eq(diags.n, 1);
}
END_TEST

START_TEST(a_folder_that_others_can_write_to_is_refused) {
        put("etc/a.ini", JOB("a"));
        put("run/b.ini", JOB("b"));
        chmod("etc", 0777);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b ! etc/a.ini");
        ck_assert_str_eq(diag(0), "etc: the folder is not read: others than its owner can write to it; chmod go-w");
        ck_assert_uint_eq(diags.n_errors, 1);
}
END_TEST

/* Otherwise a chmod would start what the administrator disabled, or run it without what the drop-in says. */
START_TEST(a_refused_folder_masks_and_adds_as_ever_so_that_nothing_new_is_taken) {
        put("etc/masked.ini", JOB("masked"));
        ck_assert_int_eq(symlink("/dev/null", "etc/disabled.ini"), 0);
        mkdir("etc/narrowed.ini.d", 0755);
        put("etc/narrowed.ini.d/user.conf", "[job narrowed]\nUser=root\n");
        put("run/masked.ini", JOB("masked"));
        put("run/disabled.ini", JOB("disabled"));
        put("run/narrowed.ini", JOB("narrowed"));
        put("run/other.ini", JOB("other"));
        put("etc/readme", "x");
        chmod("etc", 0775);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "other ! etc/disabled.ini run/disabled.ini etc/masked.ini run/masked.ini run/narrowed.ini "
                                  "narrowed");
        ck_assert_uint_eq(diags.n, 1);
}
END_TEST

START_TEST(what_a_broken_file_masks_may_be_in_force_and_stays) {
        put("run/a.ini", JOB("a"));
        put("etc/a.ini", "");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! etc/a.ini run/a.ini");
        put("etc/a.ini", JOB("b") "[jb c]\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b ! etc/a.ini run/a.ini");
}
END_TEST

static void make_drop_in_file(void) {
        put("etc/x.ini.d", "[job x]\n");
}

static void make_drop_in_null(void) {
        ck_assert_int_eq(symlink("/dev/null", "etc/x.ini.d"), 0);
}

static void make_drop_in_dangling(void) {
        ck_assert_int_eq(symlink("nowhere", "etc/x.ini.d"), 0);
}

static void make_drop_in_loop(void) {
        ck_assert_int_eq(symlink("x.ini.d", "etc/x.ini.d"), 0);
}

static void make_drop_in_writable(void) {
        mkdir("etc/x.ini.d", 0755);
        chmod("etc/x.ini.d", 0777);
}

static const struct {
        void (*make)(void);
        const char *diag;
} drop_in_folders[] = {
        {make_drop_in_file, "etc/x.ini.d: the folder can't be read: Not a directory"},
        {make_drop_in_null, "etc/x.ini.d: the folder can't be read: Not a directory"},
        {make_drop_in_dangling, "etc/x.ini.d: the folder can't be read: the link leads nowhere"},
        {make_drop_in_loop, "etc/x.ini.d: the folder can't be read: Too many levels of symbolic links"},
        {make_drop_in_writable, "etc/x.ini.d: the folder is not read: others than its owner can write to it; chmod go-w"},
};

START_TEST(a_drop_in_folder_that_cannot_be_read_costs_only_its_file) {
        drop_in_folders[_i].make();
        put("etc/x.ini", JOB("x"));
        put("etc/y.ini", JOB("y"));
        ck_assert_msg(load() == 0, "row %d", _i);
        ck_assert_msg(strcmp(names(), "y ! etc/x.ini x") == 0, "row %d: %s", _i, names());
        ck_assert_str_eq(diag(0), drop_in_folders[_i].diag);
}
END_TEST

START_TEST(a_folder_that_is_a_link_to_nowhere_changes_nothing) {
        put("etc/a.ini", JOB("a"));
        rmdir("run");
        ck_assert_int_eq(symlink("nowhere", "run"), 0);
        ck_assert_int_eq(load(), -ENOENT);
        ck_assert_str_eq(diag(0), "run: the folder can't be read: the link leads nowhere");
}
END_TEST

START_TEST(a_folder_that_is_none_changes_nothing) {
        rmdir("run");
        put("run", "x");
        put("etc/a.ini", JOB("a"));
        ck_assert_int_eq(load(), -ENOTDIR);
        ck_assert_str_eq(diag(0), "run: the folder can't be read: Not a directory");
}
END_TEST

START_TEST(an_unknown_user_keeps_only_its_job_out) {
        put("etc/a.ini", JOB("a") "User=no-such-user-here\n" JOB("b") "Group=no-such-group-here\n" JOB("c"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "c ! a b");
        ck_assert_str_eq(diag(0), "etc/a.ini:1: job a: user no-such-user-here is not known");
}
END_TEST

START_TEST(a_user_is_resolved_by_name_and_by_number) {
        if (geteuid() != 0)
                return;
        put("etc/a.ini", JOB("a") "User=root\n" JOB("b") "User=4000000\nGroup=4000001\n" JOB("c") "User=4000000\n" JOB(
                                 "d") "Group=0\n" JOB("e") JOB("f") "User=4294967295\nGroup=0\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a b d e ! c f");
        const struct job_what *what = &config->jobs[0]->what;
        ck_assert(what->has_identity && what->uid == 0 && what->gid == 0);
        ck_assert_str_eq(what->login_name, "root");
        ck_assert_ptr_nonnull(what->home);
        what = &config->jobs[1]->what;
        ck_assert(what->has_identity && what->uid == 4000000 && what->gid == 4000001 && what->n_groups == 0 && !what->home);
        what = &config->jobs[2]->what;
        ck_assert(what->has_identity && what->uid == 0 && what->gid == 0);
        ck_assert(!config->jobs[3]->what.has_identity);
}
END_TEST

/* Puts a file in another's place for this process only. False where that is not allowed. */
static bool put_over(const char *path, const char *text) {
        put("over", text);
        bool is_done = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                       mount("over", path, NULL, MS_BIND, NULL) == 0;
        unlink("over");
        return is_done;
}

START_TEST(an_identity_has_all_of_its_groups_and_is_never_the_scheduler_s) {
        static char groups[4000] = "chimed:x:990:\nmany:x:1500:\n";

        for (int i = 0; i < 70; i++)
                sprintf(groups + strlen(groups), "g%d:x:%d:many\n", i, 2000 + i);
        if (geteuid() != 0 || !put_over("/etc/group", groups) ||
            !put_over("/etc/passwd", "root:x:0:0::/root:/bin/sh\nchimed:x:990:990::/:/bin/sh\nalias:x:990:990::/:/bin/sh\n"
                                     "many:x:1500:1500::/home/many:/bin/sh\n"))
                return;
        put("etc/a.ini", JOB("a") "User=alias\n" JOB("b") "User=990\n" JOB("c") "User=chimed\n" JOB("d") "User=many\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "d ! a b c");
        ck_assert_str_eq(diag(0), "etc/a.ini:1: job a: User=alias is the scheduler's own; jobs may not run as it");
        ck_assert_uint_eq(config->jobs[0]->what.n_groups, 71);
        ck_assert_str_eq(config->jobs[0]->what.home, "/home/many");
}
END_TEST

START_TEST(a_file_cut_at_any_byte_is_told_or_gives_whole_jobs) {
        static const char text[] =
                "[defaults]\nTimeout=1min\n[job a]\nScript=\n  one\n  two\nEvery=1h\n[job b]\nCommand=/bin/x \"q\"\nEvery=2h\n";

        for (size_t size = 0; size < sizeof(text); size++) {
                char cut[sizeof(text)];
                memcpy(cut, text, size);
                cut[size] = 0;
                put("etc/a.ini", cut);
                ck_assert_int_eq(load(), 0);
                for (size_t i = 0; i < config->n_jobs; i++)
                        ck_assert_msg(config->jobs[i]->what.argv[0][0] != 0, "cut at %zu", size);
        }
        ck_assert_str_eq(names(), "a b");
}
END_TEST

START_TEST(twenty_thousand_jobs_load_in_time_and_twice_as_many_in_about_twice_it) {
        double took[2];

        for (int round = 0; round < 2; round++) {
                FILE *f = fopen("etc/a.ini", "w");
                struct timespec begin, end;
                for (int i = 0; i < 20000 * (round + 1); i++)
                        fprintf(f, "[job j%d]\nCommand=/bin/true %d\nEvery=1h\n", i, i);
                fclose(f);
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
                ck_assert_int_eq(load(), 0);
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
                ck_assert_uint_eq(config->n_jobs, 20000 * (size_t)(round + 1));
                took[round] = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
        }
        ck_assert_msg(took[1] < 6 * took[0], "%f s, then %f s", took[0], took[1]);
}
END_TEST

START_TEST(default_paths_follow_the_environment) {
        char *settings_file, **folders;

        ck_assert_int_eq(config_default_paths(false, &settings_file, &folders), 0);
        ck_assert_str_eq(settings_file, CHIMED_SYSCONFDIR "/chimed.conf");
        ck_assert_str_eq(folders[1], "/run/chimed/jobs.d");
        ck_assert_ptr_null(folders[3]);
        config_paths_free(settings_file, folders);
        setenv("HOME", "/home/joe", 1);
        setenv("XDG_CONFIG_HOME", "/cfg", 1);
        setenv("XDG_DATA_HOME", "relative", 1);
        unsetenv("XDG_RUNTIME_DIR");
        ck_assert_int_eq(config_default_paths(true, &settings_file, &folders), 0);
        ck_assert_str_eq(settings_file, "/cfg/chimed/chimed.conf");
        ck_assert_str_eq(folders[0], "/cfg/chimed/jobs.d");
        config_paths_free(settings_file, folders);
        unsetenv("XDG_DATA_HOME");
        setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
        ck_assert_int_eq(config_default_paths(true, &settings_file, &folders), 0);
        ck_assert_str_eq(folders[1], "/run/user/1/chimed/jobs.d");
        ck_assert_str_eq(folders[2], "/home/joe/.local/share/chimed/jobs.d");
        config_paths_free(settings_file, folders);
}
END_TEST

START_TEST(each_setting_is_in_the_shipped_file_with_its_default) {
        size_t n;
        const struct job_key *keys = config_setting_keys(&n);
        char *text = NULL;
        size_t size = 0;
        FILE *f = fopen(SOURCE_ROOT "/config/chimed.conf", "r");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(getdelim(&text, &size, 0, f), 0);
        for (size_t i = 0; i < n; i++) {
                char line[200];
                snprintf(line, sizeof(line), "\n#%s=%s\n", keys[i].name, keys[i].default_text);
                ck_assert_msg(strstr(text, line), "%s", line);
        }
        free(text);
        fclose(f);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("config");
        TCase *tcase = tcase_create("config");

        tcase_set_timeout(tcase, 60); /* under a sanitizer, on a busy machine */

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, jobs_of_all_files_are_there_sorted_by_name);
        tcase_add_test(tcase, nothing_at_all_is_no_error);
        tcase_add_test(tcase, an_earlier_folder_masks_the_name_in_a_later_one);
        tcase_add_test(tcase, a_link_to_dev_null_disables_the_name);
        tcase_add_test(tcase, drop_ins_of_all_folders_are_applied_by_name_and_mask_each_other);
        tcase_add_test(tcase, layers_win_in_their_order);
        tcase_add_test(tcase, a_broken_job_never_stops_the_others);
        tcase_add_test(tcase, a_broken_header_hides_only_its_own_section);
        tcase_add_test(tcase, bad_defaults_of_a_file_keep_all_of_its_jobs_out);
        tcase_add_test(tcase, bad_defaults_of_the_settings_file_change_nothing);
        tcase_add_test(tcase, a_bad_setting_is_told_and_its_built_in_value_stays);
        tcase_add_test(tcase, a_misspelt_setting_is_answered);
        tcase_add_test(tcase, a_setting_is_read);
        tcase_add_test(tcase, a_setting_twice_is_an_error_and_the_first_stays);
        tcase_add_test(tcase, an_error_is_told_however_many_warnings_there_are);
        tcase_add_test(tcase, a_diagnostic_is_utf_8_also_where_it_cuts_or_names_what_is_not);
        tcase_add_test(tcase, what_repeats_is_read_in_time);
        tcase_add_test(tcase, a_name_in_two_files_is_an_error_that_names_both);
        tcase_add_test(tcase, a_name_twice_is_an_error_also_where_one_of_them_is_broken);
        tcase_add_test(tcase, a_broken_drop_in_keeps_its_job_out);
        tcase_add_test(tcase, what_is_not_read_is_told);
        tcase_add_loop_test(tcase, file_that_cannot_be_trusted_is_refused_and_the_others_are_read, 0,
                            (int)(sizeof(refused) / sizeof(refused[0])));
        tcase_add_test(tcase, a_folder_that_others_can_write_to_is_refused);
        tcase_add_test(tcase, a_refused_folder_masks_and_adds_as_ever_so_that_nothing_new_is_taken);
        tcase_add_test(tcase, what_a_broken_file_masks_may_be_in_force_and_stays);
        tcase_add_loop_test(tcase, a_drop_in_folder_that_cannot_be_read_costs_only_its_file, 0,
                            sizeof(drop_in_folders) / sizeof(drop_in_folders[0]));
        tcase_add_test(tcase, a_folder_that_is_a_link_to_nowhere_changes_nothing);
        tcase_add_test(tcase, a_folder_that_is_none_changes_nothing);
        tcase_add_test(tcase, an_unknown_user_keeps_only_its_job_out);
        tcase_add_test(tcase, a_user_is_resolved_by_name_and_by_number);
        tcase_add_test(tcase, an_identity_has_all_of_its_groups_and_is_never_the_scheduler_s);
        tcase_add_test(tcase, a_file_cut_at_any_byte_is_told_or_gives_whole_jobs);
        tcase_add_test(tcase, twenty_thousand_jobs_load_in_time_and_twice_as_many_in_about_twice_it);
        tcase_add_test(tcase, default_paths_follow_the_environment);
        tcase_add_test(tcase, each_setting_is_in_the_shipped_file_with_its_default);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
