// SPDX-License-Identifier: MIT
// The cgroup of a run, also on kernels that lack what newer ones have: what is in it begins there, is counted, ends. On a cgroup v2
// that is ours to change, as root's is; without one only what needs no kernel is tried.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/runner/cgroup_internal.h"
#include "daemon/runner/launch.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/runner/harness.h"
#include "tests/unit/runner/refuse.h"

static char given[128]; /* "": nothing can be tried */
static const char *hidden = "";
static int hidden_error;

/* A kernel that has not a file of that name, or not to be written: the last part of the path and the error. */
int openat(int dir_fd, const char *path, int flags, ...) {
        const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        va_list rest;

        va_start(rest, flags);
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
        va_end(rest);
        if (strcmp(name, hidden) == 0 && (flags & O_ACCMODE) != O_RDONLY) {
                errno = hidden_error;
                return -1;
        }
        return (int)syscall(SYS_openat, dir_fd, path, flags | O_LARGEFILE, mode);
}

/* Where the cgroup v2 is mounted, or "". */
static void find_mount(char mount[static 64]) {
        FILE *f = fopen("/proc/self/mounts", "re");
        char path[64], type[32];

        *mount = '\0';
        while (f && !*mount && fscanf(f, "%*s %63s %31s%*[^\n]", path, type) == 2)
                if (strcmp(type, "cgroup2") == 0)
                        strcpy(mount, path);
        if (f)
                fclose(f);
}

static void make_given(void) {
        char mount[64];

        find_mount(mount);
        snprintf(given, sizeof(given), "%s/chimed-unit-%d", mount, (int)getpid());
        if (!*mount || mkdir(given, 0755) < 0)
                *given = '\0';
}

/* By whoever has forked the tests: what they have left behind is killed. */
static void remove_given(void) {
        char command[1024];

        if (!*given)
                return;
        snprintf(command, sizeof(command),
                 "for i in $(seq 500); do find %s -mindepth 1 -name cgroup.kill -exec sh -c 'echo 1 >$1' _ {} \\; ;"
                 " find %s -depth -type d -exec rmdir {} + ; [ -e %s ] || break; sleep 0.02; done 2>/dev/null",
                 given, given, given);
        ck_assert_int_eq(system(command), 0);
        ck_assert_int_lt(access(given, F_OK), 0);
}

/* Ours, with this process in its leaf; NULL where there is none to have. */
static struct cgroups *open_given(void) {
        struct cgroups *cgroups = NULL;
        char why[CGROUP_WHY_MAX];

        if (!*given)
                return NULL;
        int r = cgroups_open(given, &cgroups, why);
        ck_assert_msg(r == 0, "%s", why);
        return cgroups;
}

static void write_file(const char *folder, const char *name, const char *text) {
        char path[2048];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
}

/* A process that does nothing for ever, in the cgroup of that folder. */
static pid_t put_process(const char *folder) {
        pid_t pid = fork();
        char text[16];

        if (pid == 0)
                for (;;)
                        pause();
        ck_assert_int_gt(pid, 0);
        snprintf(text, sizeof(text), "%d", (int)pid);
        write_file(folder, "cgroup.procs", text);
        return pid;
}

static void expect_killed(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- where it begins ---- */

static void on_done(void *userdata, struct launch *l) {
        struct launch **done = userdata;
        *done = l;
}

static struct launch *order(const struct cgroups *cgroups, struct launch **done) {
        static const char *const argv[] = {"/bin/sh", "-c", "sed -n 's|^0::.*/jobs/||p' /proc/self/cgroup", NULL};
        struct launch *l = launch_new();

        ck_assert_ptr_nonnull(l);
        job_what_init(&l->what);
        l->what.argv = calloc(ARRAY_SIZE(argv), sizeof(*l->what.argv));
        for (size_t i = 0; argv[i]; i++)
                l->what.argv[i] = strdup(argv[i]);
        l->cgroups = cgroups;
        strcpy(l->cgroup, "begins@1");
        l->on_done = on_done;
        l->userdata = done;
        return l;
}

/* Each row: how the kernel, or the filter of a container, refuses to clone into a cgroup; 0: it does not. */
static const int refusals[] = {0, ENOSYS, EPERM, E2BIG};

START_TEST(a_run_begins_in_its_cgroup) {
        struct cgroups *cgroups = open_given();
        struct launch_settings settings = {};
        struct launch_pool *pool;
        struct loop *loop;
        struct launch *done = NULL;
        char text[64] = "";

        if (!cgroups)
                return;
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(launch_pool_new(loop, &settings, &pool), 0);
        if (refusals[_i] > 0)
                refuse(SYS_clone3, -1, 0, refusals[_i]);
        ck_assert_int_eq(launch_submit(pool, order(cgroups, &done)), 0);
        wait_until(loop, done);
        ck_assert_msg(done->step == RUN_STEP_NONE, "%s: step %s: %s", strerror(refusals[_i]), run_step_to_string(done->step),
                      strerror(done->error));
        ck_assert_int_eq(fcntl(done->output_fd[0], F_SETFL, 0), 0);
        ck_assert_int_gt(read(done->output_fd[0], text, sizeof(text) - 1), 0);
        ck_assert_str_eq(text, "begins@1\n");
        ck_assert_int_eq(waitpid(done->pid, NULL, 0), done->pid);
        launch_free(done);
        launch_pool_free(pool);
        loop_free(loop);
        cgroups_free(cgroups);
}
END_TEST

/* ---- how it ends ---- */

/* Each row: as of 5.14, and before: what is in it is frozen and killed one by one. */
static const char *const kills[] = {"", "cgroup.kill"};

START_TEST(all_that_is_in_it_is_killed) {
        struct cgroups *cgroups = open_given();
        struct cgroup cgroup = CGROUP_NONE;
        struct cgroup_state state;
        char path[256];
        pid_t pids[8];

        if (!cgroups)
                return;
        hidden = kills[_i];
        hidden_error = ENOENT;
        ck_assert_int_eq(cgroup_open(cgroups, "killed@1", &cgroup), 0);
        snprintf(path, sizeof(path), "%s/jobs/killed@1/below", given);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
                snprintf(path, sizeof(path), "%s/jobs/killed@1/%s", given, i % 2 ? "below" : "");
                pids[i] = put_process(path);
        }
        ck_assert_int_eq(cgroup_signal(cgroup.dir_fd, 0, -1, 0), ARRAY_SIZE(pids));
        int n = cgroup_signal(cgroup.dir_fd, 0, -1, SIGKILL);
        for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
                expect_killed(pids[i]);
        ck_assert_int_ge(n, 0);
        ck_assert_int_eq(cgroup_signal(cgroup.dir_fd, 0, -1, SIGKILL), 0);
        ck_assert_int_eq(cgroup_look(cgroups, &cgroup, &state), 0);
        ck_assert(!state.has_processes);
        cgroup_close(&cgroup);
        ck_assert_int_eq(cgroup_remove(cgroups, "killed@1"), 0);
        cgroups_free(cgroups);
}
END_TEST

START_TEST(what_is_too_deep_to_be_found_is_there_and_is_killed) {
        struct cgroups *cgroups = open_given();
        struct cgroup cgroup = CGROUP_NONE;
        char path[1024];

        if (!cgroups)
                return;
        ck_assert_int_eq(cgroup_open(cgroups, "deep@1", &cgroup), 0);
        size_t size = (size_t)snprintf(path, sizeof(path), "%s/jobs/deep@1", given);
        for (unsigned i = 0; i < CGROUP_DEPTH_MAX; i++) {
                size += (size_t)snprintf(path + size, sizeof(path) - size, "/d");
                ck_assert_int_eq(mkdir(path, 0755), 0);
        }
        size += (size_t)snprintf(path + size, sizeof(path) - size, "/d");
        ck_assert_int_lt(mkdir(path, 0755), 0); /* there is a limit, but root may lift it */
        ck_assert_int_eq(cgroup_write_text(cgroups->jobs_fd, "cgroup.max.depth", "max"), 0);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        pid_t pid = put_process(path);
        ck_assert_int_eq(cgroup_signal(cgroup.dir_fd, 0, -1, SIGTERM), 1);
        ck_assert_int_eq(cgroup_signal(cgroup.dir_fd, 0, -1, SIGKILL), 1);
        expect_killed(pid);
        ck_assert_int_eq(cgroup_signal(cgroup.dir_fd, 0, -1, SIGKILL), 0);
        cgroup_close(&cgroup);
        cgroups_free(cgroups);
}
END_TEST

START_TEST(threads_that_are_told_elsewhere_are_there) {
        struct cgroups *cgroups = open_given();
        struct cgroup cgroup = CGROUP_NONE;
        char path[256];

        if (!cgroups)
                return;
        ck_assert_int_eq(cgroup_open(cgroups, "threaded@1", &cgroup), 0);
        snprintf(path, sizeof(path), "%s/jobs/threaded@1", given);
        /* not where the memory controller is: it knows no threads */
        if (cgroup_write_text(cgroup.dir_fd, "cgroup.type", "threaded") == 0) {
                pid_t pid = put_process(path);
                ck_assert_int_eq(cgroup_signal(cgroup.dir_fd, 0, -1, 0), 1);
                /* the kernel does not: they have to be looked for */
                ck_assert_int_lt(cgroup_signal(cgroup.dir_fd, 0, -1, SIGKILL), 0);
                kill(pid, SIGKILL);
                expect_killed(pid);
        }
        cgroup_close(&cgroup);
        cgroups_free(cgroups);
}
END_TEST

/* As when a request is served after the next run has the cgroup's name. */
START_TEST(what_is_done_to_one_that_was_taken_away_hits_no_other_of_its_name) {
        struct cgroups *cgroups = open_given();
        struct cgroup before = CGROUP_NONE, now = CGROUP_NONE;
        const char *name = _i ? "again@2" : "again@1";
        char path[256];

        if (!cgroups)
                return;
        hidden = kills[_i];
        hidden_error = ENOENT;
        ck_assert_int_eq(cgroup_open(cgroups, name, &before), 0);
        ck_assert_int_eq(cgroup_remove(cgroups, name), 0);
        ck_assert_int_eq(cgroup_open(cgroups, name, &now), 0);
        snprintf(path, sizeof(path), "%s/jobs/%s", given, name);
        pid_t pid = put_process(path);
        ck_assert_int_lt(cgroup_signal(before.dir_fd, 0, -1, SIGTERM), 0);
        ck_assert_int_lt(cgroup_signal(before.dir_fd, 0, -1, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        ck_assert_int_eq(cgroup_signal(now.dir_fd, 0, -1, 0), 1);
        kill(pid, SIGKILL);
        expect_killed(pid);
        cgroup_close(&before);
        cgroup_close(&now);
        cgroups_free(cgroups);
}
END_TEST

/* ---- whose it is ---- */

START_TEST(what_others_can_write_is_refused) {
        struct cgroups *cgroups = NULL;
        char why[CGROUP_WHY_MAX];

        if (!*given || geteuid() != 0)
                return;
        ck_assert_int_eq(chmod(given, 0775), 0);
        ck_assert_int_eq(cgroups_open(given, &cgroups, why), -EPERM);
        ck_assert_ptr_nonnull(strstr(why, "others can write"));
        ck_assert_int_eq(chmod(given, 0755), 0);
        ck_assert_int_eq(chown(given, 65534, 0), 0);
        ck_assert_int_eq(cgroups_open(given, &cgroups, why), -EPERM);
        ck_assert_int_eq(chown(given, 0, 0), 0);
        ck_assert_ptr_null(cgroups);
}
END_TEST

/* ---- what it tells: a folder of ordinary files stands for one with the memory controller ---- */

static void write_files(const char *folder) {
        write_file(folder, "cgroup.events", "populated 0\nfrozen 0\n");
        write_file(folder, "cpu.stat", "usage_usec 5\n");
        write_file(folder, "memory.peak", "4096\n");
        write_file(folder, "memory.events", "oom 0\noom_kill 3\n");
        write_file(folder, "memory.max", "max\n");
}

static void remove_files(const char *folder) {
        static const char *const names[] = {"cgroup.events", "cpu.stat", "memory.peak", "memory.events", "memory.max"};
        char path[256];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
                unlink(path);
        }
}

/* Before 6.12 the peak can't be reset: then it is one run's where the cgroup was made for that run. */
START_TEST(a_peak_that_cant_be_reset_is_that_of_a_new_cgroup_only) {
        char folder[64] = "/tmp/test-cgroup-XXXXXX", path[128];
        struct cgroups cgroups = {.controllers = CGROUP_MEMORY};
        struct cgroup cgroup = CGROUP_NONE;
        struct cgroup_state state;
        struct job_what what;
        struct stat st;

        job_what_init(&what);
        ck_assert_ptr_nonnull(mkdtemp(folder));
        cgroups.jobs_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        snprintf(path, sizeof(path), "%s/a@1", folder);
        hidden = "memory.peak";
        hidden_error = EINVAL;

        ck_assert_int_eq(cgroup_prepare(&cgroups, "a@1", &what, false, &cgroup), 0);
        write_files(path);
        ck_assert_int_eq(cgroup_look(&cgroups, &cgroup, &state), 0);
        ck_assert_int_eq(state.memory_peak, 4096);
        ck_assert_int_eq(state.oom_kills, 3);

        /* the next run's is another cgroup */
        int fd = dup(cgroup.dir_fd);
        remove_files(path);
        ck_assert_int_eq(cgroup_prepare(&cgroups, "a@1", &what, false, &cgroup), 0);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_eq(st.st_nlink, 0);
        close(fd);
        cgroup_close(&cgroup);

        /* one that was there */
        write_files(path);
        ck_assert_int_eq(cgroup_prepare(&cgroups, "a@1", &what, false, &cgroup), 0);
        ck_assert_int_eq(cgroup_look(&cgroups, &cgroup, &state), 0);
        ck_assert_int_eq(state.memory_peak, 0);
        cgroup_close(&cgroup);
        remove_files(path);
        ck_assert_int_eq(cgroup_remove(&cgroups, "a@1"), 0);
        ck_assert_int_eq(rmdir(folder), 0);
        close(cgroups.jobs_fd);
        job_what_done(&what);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("cgroup");
        TCase *tcase = tcase_create("cgroup");
        tcase_add_unchecked_fixture(tcase, make_given, remove_given);
        tcase_add_loop_test(tcase, a_run_begins_in_its_cgroup, 0, ARRAY_SIZE(refusals));
        tcase_add_loop_test(tcase, all_that_is_in_it_is_killed, 0, ARRAY_SIZE(kills));
        tcase_add_loop_test(tcase, what_is_done_to_one_that_was_taken_away_hits_no_other_of_its_name, 0, ARRAY_SIZE(kills));
        tcase_add_test(tcase, what_is_too_deep_to_be_found_is_there_and_is_killed);
        tcase_add_test(tcase, threads_that_are_told_elsewhere_are_there);
        tcase_add_test(tcase, what_others_can_write_is_refused);
        tcase_add_test(tcase, a_peak_that_cant_be_reset_is_that_of_a_new_cgroup_only);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
