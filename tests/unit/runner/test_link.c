// SPDX-License-Identifier: MIT
// The runner under a scheduler that lies. This program is all four: the test, the scheduler that the runner starts (its name says
// what it does; it writes down what it sees), the reader, and a host.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/runner/fake_scheduler.h"

#define LIMIT_MS 10000

/* ---- the reader ---- */

static int be_reader(int argc, char **argv) {
        const char *folder = NULL, *settings = NULL;

        for (int i = 1; i < argc; i++) {
                if (strncmp(argv[i], "--jobs=", 7) == 0)
                        folder = argv[i] + 7;
                if (strncmp(argv[i], "--config=", 9) == 0)
                        settings = argv[i] + 9;
        }
        char failing[160];
        snprintf(failing, sizeof(failing), "%s/../reader-fails", folder ? folder : "");
        if (unlink(failing) == 0)
                return 1;
        return reader_main(&(struct reader_paths){.settings_file = settings, .folders = &folder, .n_folders = 1}, false);
}

/* ---- the test ---- */

static char folder[64], own[256];

static const char *path_of(const char *name) {
        static char paths[8][128];
        static int next;
        char *path = paths[next++ % 8];
        snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
        return path;
}

static void begin(void) {
        strcpy(folder, "/tmp/test-link-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        /* the scheduler writes into it, as the user chimed where root has one */
        ck_assert_int_eq(chmod(folder, 0777), 0);
        FILE *file = fopen(path_of("log"), "w");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fchmod(fileno(file), 0666), 0);
        fclose(file);
        ck_assert_int_eq(mkdir(path_of("jobs"), 0755), 0);
        file = fopen(path_of("jobs/a.ini"), "w");
        ck_assert_ptr_nonnull(file);
        fprintf(file,
                "[job mark]\nEvery=1h\nAcceptParameters=FROM\nScript=echo ran >> %s/marks; "
                "echo cause $CHIMED_CAUSE $CHIMED_SLOT_USEC $CHIMED_PARAM_FROM >> %s/log; sleep 0.05\n"
                "[job other]\nEvery=1h\nCommand=/bin/true\n"
                "[job talk]\nEvery=1h\nScript=n=0; for word in two three; do\n"
                "  until [ -e %s/go-$word ] || [ $n -ge 1000 ]; do sleep 0.01; n=$((n + 1)); done\n  echo $word\n  done\n"
                "[job hosted]\nEvery=1h\nCoprocess=/bin/cat\nPluginHost=both\n"
                "[job second]\nEvery=1h\nCoprocess=/bin/cat\nPluginHost=both\n"
                "[job deaf]\nEvery=1h\nCoprocess=/bin/cat\n",
                folder, folder, folder);
        fclose(file);
        file = fopen(path_of("conf"), "w");
        ck_assert_ptr_nonnull(file);
        fputs("[chimed]\nOnLedgerFailure=hold\nTimeSyncWait=7s\nLedgerMaxSize=5M\n", file);
        fclose(file);
        ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
        ck_assert_int_gt(n, 0);
        own[n] = '\0';
}

static void end(void) {
        char command[128];

        snprintf(command, sizeof(command), "rm -rf %s", folder);
        ck_assert_int_eq(system(command), 0);
}

static const char *read_file(const char *name) {
        static char text[8192];
        int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

        text[n > 0 ? n : 0] = '\0';
        util_close(fd);
        return text;
}

static int count(const char *text, const char *what) {
        int n = 0;

        for (; (text = strstr(text, what)); text += strlen(what))
                n++;
        return n;
}

static pid_t start_runner(const char *mode) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid > 0)
                return pid;
        const char *folders[] = {path_of("jobs")};
        int fd = open(path_of("stderr"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        dup2(fd, 2);
        _exit(runner_run(&(struct runner_options){
                .scheduler = path_of(mode),
                .host = own,
                .run_folder = path_of("run"),
                .log = JOURNAL_LOGFMT,
                .paths = {.settings_file = path_of("conf"), .folders = folders, .n_folders = 1},
        }));
}

/* Each row: what the scheduler does, and after which words in its log all is said; what is in the log then, and how often. */
static const struct {
        const char *mode, *until;
        struct {
                const char *text;
                int n;
        } seen[4];
        int n_marks; /* how often the job ran */
} rows[] = {
        {"quiet", "up 1\n", {{"life", 1}, {"settings 1 7000000 5242880\n", 1}}, 0},
        {"unknown", "ended", {{"life", 1}, {"ended start-failed definition ENOENT", 1}, {"started", 0}}, 0},
        {"kill", "ended", {{"life", 1}, {"ended cancelled none -", 1}}, -1},
        {"replay", "up 2\n", {{"life", 2}, {"started", 2}, {"\nrun ", 1}, {"ended success none -", 2}}, 1},
        {"promise", "success none -\nended success", {{"life", 1}, {"started", 2}, {"ended success none -", 2}}, 2},
        {"parameters",
         "success none -\n",
         {{"cause trigger 0 a b\n", 1}, {"ended start-failed parameters EPERM", 1}, {"ended success none -", 1}},
         1},
        {"last-words", "ended", {{"life", 2}, {"\nrun ", 1}, {"ended success none -", 1}}, 1},
        {"order", "run 1\nstarted\nended success none -\nrun 2\n", {{"life", 2}, {"\nrun ", 2}}, 2},
        {"random", "up 3\n", {{"life", 3}}, 0},
        {"descriptor", "up 2\n", {{"life", 2}}, 0},
        {"short", "up 2\n", {{"life", 2}, {"ended", 0}}, 0},
        {"type", "up 2\n", {{"life", 2}}, 0},
        {"version", "up 2\n", {{"life", 2}, {"up 1", 0}}, 0},
        {"early", "up 2\n", {{"life", 2}, {"up 1", 0}}, 0},
        {"epoch", "up 3\n", {{"life", 3}, {"up 2", 0}}, 0},
        {"huge", "up 2\n", {{"life", 2}, {"ended", 0}}, 0},
        {"trigger", "up 2\n", {{"life", 2}, {"trail 3 7 run 2 success", 1}, {"cause trigger 1763694000000000\n", 1}}, 2},
        {"watch", "ended", {{"life", 1}, {"output two\n", 1}, {"three", 0}, {"ended success", 1}}, 0},
        {"describe",
         "described 7",
         {{"described 5: known line 5 /bin/true user '' in /jobs/a.ini\n", 1},
          {"described 6: unknown line 0  user '' in -\n", 1},
          {"described 7: known line 1 /bin/sh -c \"echo ran >>", 1},
          {"file /conf\nfile /jobs\n", 1}},
         0},
        {"host",
         "ended cancelled none -",
         {{"hosted has host both\n", 1},
          {"deaf has host deaf\n", 1},
          {"arrived 1\n", 1},
          {"answer 1000 both 1 ordered loads, last of hosted\n", 1}},
         0},
        {"host-dies",
         "ended cancelled none -",
         {{"\nrun 1\n", 1}, {"arrived 1\n", 2}, {"answer 1000 both 1 ordered", 1}, {"trail", 0}},
         0},
        {"host-two", "ended cancelled none -", {{"answer 1000 both 2 ordered loads, last of second\n", 1}}, 0},
        {"host-deaf", "ended", {{"answer 1000 deaf 3000 ordered loads, last of deaf\n", 1}, {"unloaded", 0}}, 0},
        {"host-wrong",
         "unloaded 10",
         {{"unloaded 7 EPERM\n", 1}, {"unloaded 8 EPERM\n", 1}, {"unloaded 9 ENOENT\n", 1}, {"unloaded 10 ESRCH\n", 1}},
         0},
        {"host-quit", "ended success none -", {{"answer 1000 both 1", 1}}, 0},
        {"host-not", "EOPNOTSUPP\nended", {{"life", 1}, {"ended start-failed plugin EOPNOTSUPP\n", 2}}, 0},
        {"reload", "asked 2, 6 jobs", {{"life", 1}, {"asked 0, 6 jobs", 1}, {"asked 1, 6 jobs", 1}}, 0},
        {"reload-fails", "asked 1, 6 jobs", {{"life", 1}, {"asked 0, 6 jobs", 1}}, 0},
        {"reload-begins-not", "asked 1, 6 jobs", {{"life", 1}, {"asked 0, 6 jobs", 1}}, 0},
        {"reload-dies", "asked 1, 6 jobs", {{"life", 2}, {"asked 7", 0}}, 0},
};

START_TEST(a_lying_scheduler_starts_nothing_and_is_replaced) {
        int status;

        /* this one takes the runner's descriptors away, which only its own user can */
        if (strcmp(rows[_i].mode, "reload-begins-not") == 0 && geteuid() == 0 && getpwnam("chimed"))
                return;
        ck_assert_int_eq(symlink(own, path_of(rows[_i].mode)), 0);
        pid_t pid = start_runner(rows[_i].mode);
        for (int ms = 0; !strstr(read_file("log"), rows[_i].until); ms += 5) {
                ck_assert_msg(ms < LIMIT_MS, "%s: in vain; log:\n%s", rows[_i].mode, read_file("log"));
                ck_assert_msg(waitpid(pid, &status, WNOHANG) == 0, "%s: the runner has ended", rows[_i].mode);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x\n%s", rows[_i].mode, (unsigned)status,
                      read_file("stderr"));
        for (size_t i = 0; i < ARRAY_SIZE(rows[0].seen) && rows[_i].seen[i].text; i++)
                ck_assert_msg(count(read_file("log"), rows[_i].seen[i].text) == rows[_i].seen[i].n,
                              "%s: not %d times %s in:\n%s", rows[_i].mode, rows[_i].seen[i].n, rows[_i].seen[i].text,
                              read_file("log"));
        ck_assert_msg(rows[_i].n_marks < 0 || count(read_file("marks"), "ran") == rows[_i].n_marks, "%s: the job ran %d times",
                      rows[_i].mode, count(read_file("marks"), "ran"));
}
END_TEST

START_TEST(a_second_runner_on_the_same_folder_says_so_and_leaves) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("quiet")), 0);
        pid_t first = start_runner("quiet");
        for (int ms = 0; !strstr(read_file("log"), "up 1"); ms += 5) {
                ck_assert_int_lt(ms, LIMIT_MS);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(unlink(path_of("stderr")), 0);
        pid_t second = start_runner("quiet");
        ck_assert_int_eq(waitpid(second, &status, 0), second);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        char expected[128];
        snprintf(expected, sizeof(expected), "chimed: another instance uses %s (pid %d)\n", path_of("run"), (int)first);
        ck_assert_str_eq(read_file("stderr"), expected);
        ck_assert_int_eq(kill(first, SIGTERM), 0);
        ck_assert_int_eq(waitpid(first, &status, 0), first);
        ck_assert_str_eq(read_file("run/lock"), "");
}
END_TEST

/* What starts us may ignore SIGCHLD, and that is inherited: the kernel would then keep no child's result. */
START_TEST(children_are_ours_to_reap_whatever_was_inherited) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("last-words")), 0);
        signal(SIGCHLD, SIG_IGN);
        pid_t pid = start_runner("last-words");
        signal(SIGCHLD, SIG_DFL);
        for (int ms = 0; !strstr(read_file("log"), "ended success none -"); ms += 5) {
                ck_assert_msg(ms < LIMIT_MS, "in vain; log:\n%s", read_file("log"));
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* The first reading may fail for want of processes or memory: that leaves no daemon without jobs. */
START_TEST(a_reading_that_failed_is_tried_again) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("quiet")), 0);
        ck_assert_int_eq(symlink("nowhere", path_of("reader-fails")), 0);
        pid_t pid = start_runner("quiet");
        for (int ms = 0; !strstr(read_file("log"), "known\n"); ms += 5) {
                ck_assert_msg(ms < LIMIT_MS, "in vain; log:\n%s", read_file("log"));
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_lt(access(path_of("reader-fails"), F_OK), 0);
        ck_assert_int_eq(count(read_file("stderr"), "could not be read"), 1);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

/* Who can open the lock file can lock it, and keep us from starting. */
START_TEST(the_lock_is_closed_to_others) {
        struct stat st;
        int status;

        ck_assert_int_eq(symlink(own, path_of("quiet")), 0);
        ck_assert_int_eq(mkdir(path_of("run"), 0755), 0);
        int fd = open(path_of("run/lock"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644); /* of an older version */
        close(fd);
        pid_t pid = start_runner("quiet");
        for (int ms = 0; !strstr(read_file("log"), "up 1"); ms += 5) {
                ck_assert_int_lt(ms, LIMIT_MS);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(stat(path_of("run/lock"), &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

/* A child that has not come to its program yet has the runner's descriptors; it may hang there, on a dead file system. */
START_TEST(the_lock_ends_with_its_process) {
        struct run_folder entered;
        int fds[2];
        pid_t child;

        ck_assert_int_eq(pipe(fds), 0);
        pid_t first = fork();
        if (first == 0) {
                if (folder_enter(path_of("run"), "boot", -1, &entered) < 0)
                        _exit(1);
                child = fork();
                if (child == 0)
                        pause();
                _exit(write(fds[1], &child, sizeof(child)) != sizeof(child));
        }
        ck_assert_int_eq(read(fds[0], &child, sizeof(child)), sizeof(child));
        ck_assert_int_eq(waitpid(first, NULL, 0), first);
        int r = folder_enter(path_of("run"), "boot", -1, &entered);
        kill(child, SIGKILL);
        ck_assert_int_eq(r, 0);
        folder_leave(&entered);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

START_TEST(a_run_folder_that_is_a_link_is_refused) {
        int status;

        ck_assert_int_eq(mkdir(path_of("elsewhere"), 0755), 0);
        ck_assert_int_eq(symlink(path_of("elsewhere"), path_of("run")), 0);
        pid_t pid = start_runner("quiet");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_int_lt(access(path_of("elsewhere/lock"), F_OK), 0);
}
END_TEST

START_TEST(a_run_folder_that_others_can_write_is_refused) {
        int status;

        ck_assert_int_eq(mkdir(path_of("run"), 0777), 0);
        ck_assert_int_eq(chmod(path_of("run"), 0777), 0);
        pid_t pid = start_runner("quiet");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_ptr_nonnull(strstr(read_file("stderr"), "others can write there"));
}
END_TEST

START_TEST(a_run_folder_of_somebody_else_is_refused_and_it_is_said_whose_it_is) {
        int status;

        ck_assert_int_eq(mkdir(path_of("run"), 0755), 0);
        if (chown(path_of("run"), 54321, 54321) < 0) /* only root can give it away */
                return;
        pid_t pid = start_runner("quiet");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_ptr_nonnull(strstr(read_file("stderr"), "it belongs to user 54321"));
}
END_TEST

START_TEST(a_scheduler_that_is_not_there_is_an_error_at_once) {
        int status;

        pid_t pid = start_runner("absent");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_ptr_nonnull(strstr(read_file("stderr"), "/absent: No such file or directory"));
}
END_TEST

/* The scheduler dies with a result on its way and the runner is told to stop: the next one still gets it. */
START_TEST(a_result_is_not_lost_when_the_scheduler_dies_before_a_stop) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("last-words")), 0);
        pid_t pid = start_runner("last-words");
        for (int ms = 0; !strstr(read_file("marks"), "ran"); ms += 5) {
                ck_assert_int_lt(ms, LIMIT_MS);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_msg(count(read_file("log"), "ended ") == 1, "%s", read_file("log"));
}
END_TEST

int main(int argc, char **argv) {
        if (argc > 1 && strcmp(argv[1], "--scheduler") == 0)
                return be_scheduler(argv[0]);
        if (argc > 1 && strcmp(argv[0], "chimed-host") == 0)
                return be_host(argv[1]);
        if (argc > 1 && strcmp(argv[1], "--read") == 0)
                return be_reader(argc, argv);
        Suite *suite = suite_create("link");
        TCase *tcase = tcase_create("link");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_loop_test(tcase, a_lying_scheduler_starts_nothing_and_is_replaced, 0, ARRAY_SIZE(rows));
        tcase_add_test(tcase, a_second_runner_on_the_same_folder_says_so_and_leaves);
        tcase_add_test(tcase, a_scheduler_that_is_not_there_is_an_error_at_once);
        tcase_add_test(tcase, a_result_is_not_lost_when_the_scheduler_dies_before_a_stop);
        tcase_add_test(tcase, children_are_ours_to_reap_whatever_was_inherited);
        tcase_add_test(tcase, a_reading_that_failed_is_tried_again);
        tcase_add_test(tcase, the_lock_is_closed_to_others);
        tcase_add_test(tcase, the_lock_ends_with_its_process);
        tcase_add_test(tcase, a_run_folder_that_is_a_link_is_refused);
        tcase_add_test(tcase, a_run_folder_that_others_can_write_is_refused);
        tcase_add_test(tcase, a_run_folder_of_somebody_else_is_refused_and_it_is_said_whose_it_is);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
