// SPDX-License-Identifier: MIT
// Starting a program: what it inherits, as whom it runs, and which step failed how.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/launch.h"
#include "tests/unit/runner/harness.h"
#include "tests/unit/runner/refuse.h"
#include "tests/unit/run_suite.h"

static struct loop *loop;
static struct launch_pool *pool;
static char folder[64];
static struct launch *done; /* given back */
static int n_done;

#ifndef clone /* defined where a sanitizer's own clone() is passed by: then no name is left to stand in for */
/* A clone() that fails late, as at a limit of processes: the kernel has opened the pidfd, written its number and closed it again. */
static int late_fd = -1;
int __clone(int (*fn)(void *), void *stack, int flags, void *argument, ...); // NOLINT: glibc's other name
int clone(int (*fn)(void *), void *stack, int flags, void *argument, ...) {
        va_list rest;

        va_start(rest, argument);
        int *pidfd = va_arg(rest, int *);
        void *tls = va_arg(rest, void *);
        pid_t *pid = va_arg(rest, pid_t *);
        va_end(rest);
        if (late_fd < 0)
                return __clone(fn, stack, flags, argument, pidfd, tls, pid);
        *pidfd = late_fd;
        errno = EAGAIN;
        return -1;
}
#endif

/* A file that can't be opened before the gate is: as on a dead file system, where nothing can be ended. */
static const char *gated = "";
static atomic_bool is_open;
int open(const char *path, int flags, ...) {
        va_list rest;

        va_start(rest, flags);
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
        va_end(rest);
        while (strcmp(path, gated) == 0 && !is_open)
                sched_yield();
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

static void on_done(void *userdata, struct launch *l) {
        ck_assert_ptr_eq(userdata, &done);
        ck_assert_ptr_null(done);
        done = l;
}

static void begin(void) {
        struct launch_settings settings = {.time_us = 1000000};

        settings.limits.set = UINT32_C(1) << RLIMIT_NOFILE;
        settings.limits.of[RLIMIT_NOFILE] = (struct limit){.soft = 321, .hard = 4096};

        signal(SIGPIPE, SIG_IGN);
        signal(SIGUSR1, SIG_IGN);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(launch_pool_new(loop, &settings, &pool), 0);
        done = NULL;
        n_done = 0;
        strcpy(folder, "/tmp/test-launch-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_int_eq(chmod(folder, 0755), 0);
}

static void end(void) {
        launch_pool_free(pool);
        loop_free(loop);
        char command[128];
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name) {
        static char paths[4][128];
        static int next;
        char *path = paths[next++ % 4];
        snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
        return path;
}

static void write_file(const char *name, const char *text, mode_t mode) {
        int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        ck_assert_int_eq(fchmod(fd, mode), 0);
        close(fd);
}

static char **list_of(const char *const *texts) {
        size_t n = 0;
        while (texts[n])
                n++;
        char **list = calloc(n + 1, sizeof(*list));
        for (size_t i = 0; i < n; i++)
                list[i] = strdup(texts[i]);
        return list;
}

static struct launch *order(const char *const *argv) {
        struct launch *l = launch_new();

        ck_assert_ptr_nonnull(l);
        job_what_init(&l->what);
        l->what.argv = list_of(argv);
        l->base = list_of((const char *const[]){"PATH=/usr/bin:/bin", "HOME=/", NULL});
        l->on_done = on_done;
        l->userdata = &done;
        return l;
}

static struct launch *order_script(const char *script) {
        return order((const char *const[]){"/bin/sh", "-c", script, NULL});
}

/* Submits it and waits for the result. */
static struct launch *launch(struct launch *l) {
        done = NULL;
        ck_assert_int_eq(launch_submit(pool, l), 0);
        wait_until(loop, done);
        return done;
}

/* All the program writes to a pipe, until its end. */
static char *read_all(int fd) {
        static char text[65536];
        size_t n = 0;

        for (;;) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                ck_assert_int_eq(poll(&p, 1, 10000), 1);
                ssize_t got = read(fd, text + n, sizeof(text) - 1 - n);
                ck_assert_int_ge(got, 0);
                if (got == 0)
                        break;
                n += (size_t)got;
        }
        text[n] = '\0';
        return text;
}

static int exit_status(struct launch *l) {
        siginfo_t info = {};
        ck_assert_int_eq(waitid((idtype_t)3, (id_t)l->pidfd, &info, WEXITED), 0);
        ck_assert_int_eq(info.si_code, CLD_EXITED);
        return info.si_status;
}

/* Runs a script and checks what it prints to standard output. */
static void expect_output(struct launch *l, const char *expected) {
        launch(l);
        ck_assert_msg(l->step == RUN_STEP_NONE, "step %s: %s", run_step_to_string(l->step), strerror(l->error));
        ck_assert_str_eq(read_all(l->output_fd[0]), expected);
        ck_assert_int_eq(exit_status(l), 0);
        launch_free(l);
}

START_TEST(a_started_program_is_told_with_pid_and_clocks) {
        struct clock_sample before = clock_now();
        struct launch *l = launch(order_script("echo out; echo err >&2; exit 3"));

        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        ck_assert_int_gt(l->pid, 1);
        ck_assert_int_ge(l->start_bt_us, before.bt_us);
        ck_assert_int_ge(l->start_rt_us, before.rt_us);
        ck_assert_int_le(l->start_bt_us, clock_now().bt_us);
        ck_assert_str_eq(read_all(l->output_fd[0]), "out\n");
        ck_assert_str_eq(read_all(l->output_fd[1]), "err\n");
        ck_assert_int_eq(exit_status(l), 3);
        ck_assert(!launch_owns_pid(pool, l->pid));
        launch_free(l);
}
END_TEST

/* Each row: a script, and what it prints in a program that has inherited nothing. */
static const struct {
        const char *what, *script, *expected;
} inherited[] = {
        {"descriptors", "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 "}, /* 3 is of ls */
        {"standard input", "readlink /proc/self/fd/0", "/dev/null\n"},
        {"signals", "grep -E 'SigBlk|SigIgn|SigPnd' /proc/self/status | tr -s '\\t\\n' '  '",
         "SigPnd: 0000000000000000 SigBlk: 0000000000000000 SigIgn: 0000000000000000 "},
        {"umask", "umask", "0022\n"},
        {"session", "set -- $(cat /proc/$$/stat); test $1 = $5 && test $1 = $6 && echo own", "own\n"},
        {"descriptor limit", "ulimit -Sn; ulimit -Hn", "321\n4096\n"},
        {"timer slack", "cat /proc/$$/timerslack_ns", "50000\n"},
        {"folder", "pwd", "/\n"},
        {"environment", "/usr/bin/env | grep -vE '^(PWD|_|SHLVL|OLDPWD)=' | sort", "HOME=/\nPATH=/usr/bin:/bin\n"},
        {"no terminal", "(: > /dev/tty) 2>/dev/null || echo none", "none\n"},
};

START_TEST(a_program_inherits_nothing) {
        /* what must not reach it */
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, NULL);
        umask(0777);
        prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
        setenv("SECRET", "x", 1);
        int leak = dup(0); /* without close-on-exec */
        ck_assert_int_ge(leak, 0);
        struct launch *l = launch(order_script(inherited[_i].script));
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        const char *text = read_all(l->output_fd[0]);
        ck_assert_msg(strcmp(text, inherited[_i].expected) == 0, "%s: <%s>", inherited[_i].what, text);
        exit_status(l);
        launch_free(l);
        close(leak);
        umask(0022);
}
END_TEST

/* ---- failing steps ---- */

static void set_cwd(struct launch *l) {
        l->what.working_directory = strdup("/nonexistent/folder");
}

static void set_output_folder(struct launch *l) {
        l->what.output = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup(folder)};
}

static int fifo_fd = -1; /* of a reader */

static void set_error_fifo(struct launch *l) {
        ck_assert_int_eq(mkfifo(path_of("fifo"), 0666), 0);
        l->what.error = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup(path_of("fifo"))};
}

/* One that would take what is written, and block when nobody reads it. */
static void set_error_open_fifo(struct launch *l) {
        set_error_fifo(l);
        fifo_fd = open(path_of("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ck_assert_int_ge(fifo_fd, 0);
}

static void set_output_link(struct launch *l) {
        ck_assert_int_eq(symlink("linked", path_of("output-link")), 0);
        l->what.output = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup(path_of("output-link"))};
}

static void set_output_socket(struct launch *l) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of("socket"));
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        close(fd);
        l->what.output = (struct job_output){.kind = JOB_OUTPUT_TRUNCATE, .path = strdup(path_of("socket"))};
}

static void set_environment_file(struct launch *l) {
        l->what.environment_files = list_of((const char *const[]){"/nonexistent/environment", NULL});
}

static void set_nobody(struct launch *l) {
        l->what.has_identity = true;
        l->what.uid = l->what.gid = 65534;
}

static void set_nobody_secret(struct launch *l) {
        set_nobody(l);
        l->what.output = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup(path_of("secret"))};
}

static void set_nobody_program(struct launch *l) {
        set_nobody(l);
        free(l->what.argv[0]);
        l->what.argv[0] = strdup(path_of("root-only"));
}

/* What another user may not look at may be there. */
static void set_nobody_stop_path(struct launch *l) {
        set_nobody(l);
        l->what.stop_path = strdup(path_of("closed/stop"));
}

static void set_stop_loop(struct launch *l) {
        l->what.stop_path = strdup(path_of("stop-loop"));
        ck_assert_int_eq(symlink("stop-loop", l->what.stop_path), 0);
}

static void set_bad_user(struct launch *l) {
        l->what.has_identity = true;
        l->what.uid = (uid_t)-1;
        l->what.gid = (gid_t)-1; /* setresgid takes it as "unchanged"; nothing must run all the same */
        l->what.n_groups = 100000;
}

static void set_program(struct launch *l, const char *name) {
        free(l->what.argv[0]);
        l->what.argv[0] = strdup(path_of(name));
}

static void set_plain(struct launch *l) {
        set_program(l, "plain");
}

static void set_garbage(struct launch *l) {
        set_program(l, "garbage");
}

static void set_no_interpreter(struct launch *l) {
        set_program(l, "no-interpreter");
}

static void set_loop(struct launch *l) {
        ck_assert_int_eq(symlink("loop", path_of("loop")), 0);
        set_program(l, "loop");
}

static void set_path_denied(struct launch *l) {
        char path[256];
        snprintf(path, sizeof(path), "PATH=%s:/nonexistent", folder);
        free(l->base[0]);
        l->base[0] = strdup(path);
        free(l->what.argv[0]);
        l->what.argv[0] = strdup("plain");
}

static void set_many_arguments(struct launch *l) {
        char **argv = calloc(100, sizeof(*argv));
        for (int i = 0; i < 99; i++) {
                argv[i] = malloc(100001);
                memset(argv[i], 'x', 100000);
                argv[i][100000] = '\0';
        }
        free(argv[0]);
        argv[0] = strdup("/bin/true");
        for (char **argument = l->what.argv; *argument; argument++)
                free(*argument);
        free(l->what.argv);
        l->what.argv = argv;
}

static const struct {
        const char *program;
        void (*prepare)(struct launch *l);
        enum run_step step;
        int error;
        bool needs_root;
} failures[] = {
        {"/nonexistent/program", NULL, RUN_STEP_EXEC, ENOENT, false},
        {"no-such-program-anywhere", NULL, RUN_STEP_EXEC, ENOENT, false},
        {"/etc", NULL, RUN_STEP_EXEC, EACCES, false},
        {"/etc/passwd/x", NULL, RUN_STEP_EXEC, ENOENT, false},
        {"-", set_plain, RUN_STEP_EXEC, EACCES, false},
        {"-", set_garbage, RUN_STEP_EXEC, ENOEXEC, false},
        {"-", set_no_interpreter, RUN_STEP_EXEC, ENOENT, false},
        {"-", set_loop, RUN_STEP_EXEC, ELOOP, false},
        {"-", set_path_denied, RUN_STEP_EXEC, EACCES, false},
        {"-", set_many_arguments, RUN_STEP_EXEC, E2BIG, false},
        {"/bin/true", set_cwd, RUN_STEP_WORKING_DIRECTORY, ENOENT, false},
        {"/bin/true", set_output_folder, RUN_STEP_STDOUT, EISDIR, false},
        {"/bin/true", set_error_fifo, RUN_STEP_STDERR, ENXIO, false},
        {"/bin/true", set_error_open_fifo, RUN_STEP_STDERR, ENOTSUP, false},
        {"/bin/true", set_output_link, RUN_STEP_STDOUT, ELOOP, false},
        {"/bin/true", set_output_socket, RUN_STEP_STDOUT, ENXIO, false},
        {"/bin/true", set_environment_file, RUN_STEP_ENVIRONMENT, ENOENT, false},
        {"/bin/true", set_nobody_secret, RUN_STEP_STDOUT, EACCES, true},
        {"-", set_nobody_program, RUN_STEP_EXEC, EACCES, true},
        {"/bin/true", set_bad_user, RUN_STEP_GROUPS, EINVAL, true},
        {"/bin/true", set_nobody_stop_path, RUN_STEP_STOP_PATH, EACCES, true},
        {"/bin/true", set_stop_loop, RUN_STEP_STOP_PATH, ELOOP, false},
};

START_TEST(a_failing_step_is_named_with_its_error) {
        if (failures[_i].needs_root && geteuid() != 0)
                return;
        write_file("plain", "x", 0644);
        write_file("garbage", "\1\2\3", 0755);
        write_file("no-interpreter", "#!/nonexistent/sh\n", 0755);
        write_file("secret", "", 0600);
        write_file("root-only", "#!/bin/sh\n", 0700);
        ck_assert_int_eq(mkdir(path_of("closed"), 0700), 0);
        struct launch *l = order((const char *const[]){failures[_i].program, NULL});
        if (failures[_i].prepare)
                failures[_i].prepare(l);
        launch(l);
        ck_assert_msg(l->step == failures[_i].step && l->error == failures[_i].error, "row %d: %s: %s", _i,
                      run_step_to_string(l->step), strerror(l->error));
        ck_assert_int_eq(l->pidfd, -1);
        launch_free(l);
        ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}
END_TEST

static const struct {
        const char *path; /* in the folder */
        bool is_finished;
} stop_paths[] = {
        {"plain", true},     {"folder", true}, {"link-to-folder", true},      {"fifo", true},
        {"dangling", false}, {"none", false},  {"plain/below-a-file", false},
};

/* Then nothing is executed, and no output is opened. */
START_TEST(a_job_whose_stop_path_exists_is_finished) {
        write_file("plain", "", 0000);
        ck_assert_int_eq(mkdir(path_of("folder"), 0755), 0);
        ck_assert_int_eq(symlink("folder", path_of("link-to-folder")), 0);
        ck_assert_int_eq(symlink("nowhere", path_of("dangling")), 0);
        ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
        struct launch *l = order_script("echo executed");
        l->what.stop_path = strdup(path_of(stop_paths[_i].path));
        l->what.output = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup(path_of("out"))};
        launch(l);
        ck_assert_int_eq(l->is_finished, stop_paths[_i].is_finished);
        ck_assert_int_eq(l->step, stop_paths[_i].is_finished ? RUN_STEP_STOP_PATH : RUN_STEP_NONE);
        ck_assert_int_eq(l->error, 0);
        ck_assert_int_eq(access(path_of("out"), F_OK), stop_paths[_i].is_finished ? -1 : 0);
        if (!stop_paths[_i].is_finished)
                exit_status(l);
        launch_free(l);
        ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}
END_TEST

static const struct {
        const char *path; /* in the folder */
        bool is_negated;
        const char *refusal; /* "": it holds */
} path_conditions[] = {
        {"plain", false, ""},
        {"plain", true, "it is there"},
        {"none", false, "it is not there"},
        {"none", true, ""},
        {"dangling", false, "it is not there"},
        {"plain/below-a-file", true, ""},
        {"loop", false, "Too many levels of symbolic links"},
        {"loop", true, "Too many levels of symbolic links"},
};

/* Where one does not, nothing is executed, and no output is opened. */
START_TEST(a_job_starts_only_where_its_paths_are_as_its_conditions_say) {
        write_file("plain", "", 0000);
        ck_assert_int_eq(symlink("nowhere", path_of("dangling")), 0);
        ck_assert_int_eq(symlink("loop", path_of("loop")), 0);
        struct launch *l = order_script("echo executed");
        l->what.n_conditions = 2;
        l->what.conditions = calloc(2, sizeof(*l->what.conditions));
        l->what.conditions[0].argv = list_of((const char *const[]){"/", NULL});
        l->what.conditions[1].argv = list_of((const char *const[]){path_of(path_conditions[_i].path), NULL});
        l->what.conditions[1].is_negated = path_conditions[_i].is_negated;
        l->what.output = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup(path_of("out"))};
        l->asks_paths = l->asks_machine = true;
        launch(l);
        bool holds = !*path_conditions[_i].refusal;
        ck_assert_int_eq(l->is_refused, !holds);
        ck_assert_int_eq(l->step, holds ? RUN_STEP_NONE : RUN_STEP_CONDITION);
        ck_assert_int_eq(l->error, 0);
        ck_assert_msg(strstr(l->condition, path_conditions[_i].refusal), "%s", l->condition);
        ck_assert_int_eq(access(path_of("out"), F_OK), holds ? 0 : -1);
        if (holds)
                exit_status(l);
        launch_free(l);
        ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}
END_TEST

START_TEST(no_descriptor_is_left_after_failures) {
        for (int i = 0; i < 20; i++)
                launch_free(launch(order((const char *const[]){"/nonexistent/program", NULL})));
        int fd = dup(0);
        ck_assert_int_lt(fd, 30);
        close(fd);
}
END_TEST

/* ---- the rest ---- */

START_TEST(a_bare_name_is_searched_in_the_jobs_path) {
        char path[256];

        write_file("tool", "#!/bin/sh\necho found\n", 0755);
        struct launch *l = order((const char *const[]){"tool", NULL});
        snprintf(path, sizeof(path), "PATH=/nonexistent:%s:/bin", folder);
        l->what.environment = list_of((const char *const[]){path, NULL});
        expect_output(l, "found\n");
}
END_TEST

START_TEST(a_job_runs_as_its_user_with_its_groups_only) {
        if (geteuid() != 0)
                return;
        struct launch *l = order_script("grep -E '^(Uid|Gid|Groups)' /proc/self/status | tr -s '\\t\\n ' '   '");
        set_nobody(l);
        l->what.groups = calloc(70, sizeof(gid_t));
        l->what.n_groups = 2;
        l->what.groups[0] = 7;
        l->what.groups[1] = 9;
        expect_output(l, "Uid: 65534 65534 65534 65534 Gid: 65534 65534 65534 65534 Groups: 7 9 ");
        l = order_script("id -G");
        set_nobody(l);
        expect_output(l, "65534\n");
        ck_assert_int_eq((int)geteuid(), 0); /* and we are who we were */
}
END_TEST

START_TEST(a_missing_home_does_not_hold_up_a_job_that_asked_for_none) {
        struct launch *l = order_script("pwd");

        l->what.has_identity = true;
        l->what.uid = geteuid();
        l->what.gid = getegid();
        l->what.home = strdup("/nonexistent");
        expect_output(l, "/\n");
        l = order_script("pwd");
        l->what.working_directory = strdup("/nonexistent");
        l->what.is_working_directory_optional = true;
        expect_output(l, "/\n");
        l = order_script("pwd");
        l->what.has_identity = true;
        l->what.uid = geteuid();
        l->what.gid = getegid();
        l->what.home = strdup(folder);
        l->what.working_directory = strdup("~");
        launch(l);
        ck_assert_int_eq(strncmp(read_all(l->output_fd[0]), folder, strlen(folder)), 0);
        exit_status(l);
        launch_free(l);
}
END_TEST

static const struct {
        enum job_output_kind kind;
        const char *expected;
} outputs[] = {
        {JOB_OUTPUT_FILE, "new\n old\n"},
        {JOB_OUTPUT_APPEND, "some old\nnew\n"},
        {JOB_OUTPUT_TRUNCATE, "new\n"},
};

START_TEST(output_goes_to_a_file) {
        char text[64] = "";

        write_file("out", "some old\n", 0644);
        struct launch *l = order_script("echo new; cat /proc/self/fdinfo/1 >&2");
        l->what.output = (struct job_output){.kind = outputs[_i].kind, .path = strdup(path_of("out"))};
        launch(l);
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        ck_assert_int_eq(l->output_fd[0], -1);
        ck_assert_ptr_null(strstr(read_all(l->output_fd[1]), "04000")); /* not non-blocking */
        exit_status(l);
        launch_free(l);
        FILE *file = fopen(path_of("out"), "r");
        ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, file), 0);
        fclose(file);
        ck_assert_str_eq(text, outputs[_i].expected);
}
END_TEST

/* One description for both streams, so that neither writes over the other. */
START_TEST(standard_error_is_what_standard_output_is) {
        char text[64] = "";
        struct launch *l = order_script("echo one; echo two >&2; echo three");

        l->what.error.kind = JOB_OUTPUT_INHERIT;
        if (_i == 1)
                l->what.output = (struct job_output){.kind = JOB_OUTPUT_TRUNCATE, .path = strdup(path_of("both"))};
        launch(l);
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        ck_assert_int_eq(l->output_fd[1], -1);
        if (_i == 0)
                snprintf(text, sizeof(text), "%s", read_all(l->output_fd[0]));
        exit_status(l);
        launch_free(l);
        if (_i == 1) {
                FILE *file = fopen(path_of("both"), "r");
                ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, file), 0);
                fclose(file);
        }
        ck_assert_str_eq(text, "one\ntwo\nthree\n");
}
END_TEST

START_TEST(output_goes_to_a_device) {
        struct launch *l = order_script("echo gone; file=$(readlink /proc/$$/fd/1); echo $file >&2");

        l->what.output = (struct job_output){.kind = JOB_OUTPUT_APPEND, .path = strdup("/dev/zero")};
        launch(l);
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        ck_assert_str_eq(read_all(l->output_fd[1]), "/dev/zero\n");
        exit_status(l);
        launch_free(l);
}
END_TEST

START_TEST(our_own_program_gets_its_descriptors) {
        int fds[2];
        char text[64] = "";

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        struct launch *l = order_script("echo to three >&3; echo to four >&4; echo to five >&5; readlink /proc/self/fd/0 >&3");
        l->is_own_program = l->what.has_no_new_privs = true;
        l->pass[0] = fds[1];
        l->pass[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
        l->pass[2] = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
        launch(l);
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        ck_assert_int_eq(exit_status(l), 0);
        launch_free(l); /* closes our copy */
        ck_assert_int_gt(read(fds[0], text, sizeof(text) - 1), 0);
        ck_assert_str_eq(text, "to three\nto four\nto five\n/dev/null\n");
        close(fds[0]);
}
END_TEST

/* A scheduler built below /root runs as chimed, who may not look into /root. */
START_TEST(our_own_program_is_found_with_our_rights_not_its_own) {
        if (geteuid() != 0)
                return;
        ck_assert_int_eq(chmod(folder, 0700), 0);
        char command[256];
        snprintf(command, sizeof(command), "cp /bin/true %s", path_of("true"));
        ck_assert_int_eq(system(command), 0);
        struct launch *l = order((const char *[]){path_of("true"), NULL});
        set_nobody(l);
        l->is_own_program = true;
        launch(l);
        ck_assert_msg(l->step == RUN_STEP_NONE, "%s: %s", run_step_to_string(l->step), strerror(l->error));
        ck_assert_int_eq(exit_status(l), 0);
        launch_free(l);
        l = order((const char *[]){path_of("true"), NULL});
        set_nobody(l);
        launch(l);
        ck_assert_int_eq(l->step, RUN_STEP_EXEC);
        ck_assert_int_eq(l->error, EACCES);
        launch_free(l);
}
END_TEST

static void on_slow(void *userdata, struct launch *l) {
        (void)userdata;
        n_done++;
        ck_assert_msg(l->step == RUN_STEP_TIME && l->error == ETIMEDOUT, "%s", run_step_to_string(l->step));
        ck_assert_int_eq(l->run, 7);
        launch_free(l);
}

/* A write lease on a program makes exec wait until it is given back: as a dead file system does. */
START_TEST(a_start_that_hangs_holds_up_no_other_and_is_ended) {
        signal(SIGIO, SIG_IGN);
        write_file("held", "#!/bin/sh\n", 0755);
        int fd = open(path_of("held"), O_RDONLY | O_CLOEXEC);
        if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
                close(fd); /* no leases on this file system */
                return;
        }
        for (int i = 0; i < 2; i++) {
                struct launch *l = order((const char *const[]){path_of("held"), NULL});
                l->on_done = on_slow;
                l->run = 7;
                ck_assert_int_eq(launch_submit(pool, l), 0);
        }
        struct launch *l = launch(order((const char *const[]){"/bin/true", NULL}));
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        ck_assert_uint_eq(launch_n_threads(pool), LAUNCH_THREADS_MIN + 1);
        ck_assert_int_eq(n_done, 0);
        exit_status(l);
        launch_free(l);
        wait_until(loop, n_done == 2);
        siginfo_t info;
        wait_until(loop, waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0); /* both are killed and reaped */
        close(fd);
        ck_assert_int_eq(launch(order((const char *const[]){"/bin/true", NULL}))->step, RUN_STEP_NONE);
        launch_free(done);
}
END_TEST

START_TEST(a_start_that_was_given_up_is_known_until_it_comes_back) {
        struct launch *l = order((const char *const[]){"/bin/true", NULL});

        write_file("gated", "", 0644);
        gated = path_of("gated");
        l->what.environment_files = list_of((const char *const[]){path_of("gated"), NULL});
        l->on_done = on_slow;
        l->run = 7;
        ck_assert(launch_is_idle(pool));
        ck_assert_int_eq(launch_submit(pool, l), 0);
        ck_assert(!launch_is_idle(pool));
        ck_assert(!launch_hangs(pool));
        wait_until(loop, n_done == 1);
        ck_assert(!launch_is_idle(pool));
        ck_assert(launch_hangs(pool));
        is_open = true;
        wait_until(loop, launch_is_idle(pool));
        ck_assert(!launch_hangs(pool));
}
END_TEST

#ifndef clone
START_TEST(a_clone_that_fails_late_closes_nothing_of_others) {
        late_fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* who got the number that the kernel gave up */
        struct launch *l = launch(order((const char *const[]){"/bin/true", NULL}));
        ck_assert_int_ge(fcntl(late_fd, F_GETFD), 0);
        late_fd = -1;
        ck_assert_int_eq(l->step, RUN_STEP_CLONE);
        ck_assert_int_eq(l->error, EAGAIN);
        launch_free(l);
}
END_TEST
#endif

/* Each row: a call that the kernel refuses, and the step that is told. */
static const struct {
        const char *what;
        long number;
        int error;
        enum run_step step;
} refusals[] = {
        {"setsid", SYS_setsid, EPERM, RUN_STEP_SESSION},
        {"setgroups", SYS_setgroups, EPERM, RUN_STEP_GROUPS},
        {"setresgid", SYS_setresgid, EPERM, RUN_STEP_GROUP},
        {"setresuid", SYS_setresuid, EAGAIN, RUN_STEP_USER},
        {"prctl", SYS_prctl, EPERM, RUN_STEP_TIMER_SLACK},
        {"pipe2", SYS_pipe2, EMFILE, RUN_STEP_PIPE},
        {"dup3", SYS_dup3, EMFILE, RUN_STEP_STDIN},
        {"chdir", SYS_chdir, EACCES, RUN_STEP_WORKING_DIRECTORY},
        {"close_range", SYS_close_range, EPERM, RUN_STEP_DESCRIPTORS},
        {"prlimit64", SYS_prlimit64, EPERM, RUN_STEP_LIMITS},
        {"sched_setscheduler", SYS_sched_setscheduler, EPERM, RUN_STEP_SCHEDULING},
        {"setpriority", SYS_setpriority, EACCES, RUN_STEP_SCHEDULING},
        {"ioprio_set", SYS_ioprio_set, EPERM, RUN_STEP_SCHEDULING},
        {"keyctl", SYS_keyctl, EDQUOT, RUN_STEP_KEYRING},
        {"capset", SYS_capset, EPERM, RUN_STEP_CAPABILITIES},
        {"chroot", SYS_chroot, EPERM, RUN_STEP_ROOT_DIRECTORY},
        {"personality", SYS_personality, EINVAL, RUN_STEP_SESSION},
        {"write", SYS_write, EACCES, RUN_STEP_OOM_SCORE},
};

/* So that each step has something to do. */
static void ask_for_everything(struct job_what *what) {
        what->root_directory = strdup("/");
        what->nice = 5;
        what->cpu_policy = SCHED_BATCH;
        what->io_priority = 3 << JOB_IO_CLASS_SHIFT;
        what->oom_score = 500;
        what->limits = calloc(1, sizeof(*what->limits));
        what->limits->set = UINT32_C(1) << RLIMIT_CORE;
}

START_TEST(a_refused_system_call_ends_the_start_before_exec) {
        const struct launch_settings settings = {
                .resets = LAUNCH_RESET_KEYRING | LAUNCH_RESET_CAPABILITIES | LAUNCH_RESET_PERSONALITY, .time_us = 1000000};

        if (geteuid() != 0)
                return;
        launch_pool_free(pool);
        ck_assert_int_eq(launch_pool_new(loop, &settings, &pool), 0);
        struct launch *l = order((const char *const[]){"/usr/bin/touch", path_of("ran"), NULL});
        l->what.has_identity = true;
        l->what.uid = l->what.gid = 0; /* root's own rights would let it write the file */
        ask_for_everything(&l->what);
        if (refusals[_i].number == SYS_chdir) { /* which RootDirectory= comes first to */
                free(l->what.root_directory);
                l->what.root_directory = NULL;
        }
        refuse(refusals[_i].number, -1, 0, refusals[_i].error);
        launch(l);
        ck_assert_msg(l->step == refusals[_i].step && l->error == refusals[_i].error, "%s: step %s, %s", refusals[_i].what,
                      run_step_to_string(l->step), strerror(l->error));
        ck_assert_msg(access(path_of("ran"), F_OK) < 0, "%s: it ran", refusals[_i].what);
        launch_free(l);
}
END_TEST

/* Before 5.11 close_range() knows no flags. */
START_TEST(an_old_kernel_starts_jobs_and_our_own_programs) {
        refuse(SYS_close_range, 2, 4 /* CLOSE_RANGE_CLOEXEC */, EINVAL);
        struct launch *l = order_script("ls /proc/self/fd | tr '\n' ' '");
        expect_output(l, "0 1 2 3 ");
        l = order((const char *const[]){"/bin/true", NULL});
        l->is_own_program = true;
        launch(l);
        ck_assert_msg(l->step == RUN_STEP_NONE, "step %s: %s", run_step_to_string(l->step), strerror(l->error));
        ck_assert_int_eq(exit_status(l), 0);
        launch_free(l);
}
END_TEST

static void on_many(void *userdata, struct launch *l) {
        (void)userdata;
        ck_assert_int_eq(l->step, RUN_STEP_NONE);
        exit_status(l);
        launch_free(l);
        n_done++;
}

START_TEST(many_starts_all_come_back) {
        for (int i = 0; i < 200; i++) {
                struct launch *l = order((const char *const[]){"/bin/true", NULL});
                l->on_done = on_many;
                ck_assert_int_eq(launch_submit(pool, l), 0);
        }
        wait_until(loop, n_done == 200);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("launch");
        TCase *tcase = tcase_create("launch");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_test(tcase, a_started_program_is_told_with_pid_and_clocks);
        tcase_add_loop_test(tcase, a_program_inherits_nothing, 0, ARRAY_SIZE(inherited));
        tcase_add_loop_test(tcase, a_failing_step_is_named_with_its_error, 0, ARRAY_SIZE(failures));
        tcase_add_loop_test(tcase, a_job_starts_only_where_its_paths_are_as_its_conditions_say, 0, ARRAY_SIZE(path_conditions));
        tcase_add_loop_test(tcase, a_job_whose_stop_path_exists_is_finished, 0, ARRAY_SIZE(stop_paths));
        tcase_add_test(tcase, no_descriptor_is_left_after_failures);
        tcase_add_test(tcase, a_bare_name_is_searched_in_the_jobs_path);
        tcase_add_test(tcase, a_job_runs_as_its_user_with_its_groups_only);
        tcase_add_test(tcase, a_missing_home_does_not_hold_up_a_job_that_asked_for_none);
        tcase_add_loop_test(tcase, output_goes_to_a_file, 0, ARRAY_SIZE(outputs));
        tcase_add_loop_test(tcase, standard_error_is_what_standard_output_is, 0, 2);
        tcase_add_test(tcase, output_goes_to_a_device);
        tcase_add_test(tcase, our_own_program_gets_its_descriptors);
        tcase_add_test(tcase, our_own_program_is_found_with_our_rights_not_its_own);
        tcase_add_test(tcase, a_start_that_hangs_holds_up_no_other_and_is_ended);
        tcase_add_test(tcase, a_start_that_was_given_up_is_known_until_it_comes_back);
#ifndef clone
        tcase_add_test(tcase, a_clone_that_fails_late_closes_nothing_of_others);
#endif
        tcase_add_loop_test(tcase, a_refused_system_call_ends_the_start_before_exec, 0, ARRAY_SIZE(refusals));
        tcase_add_test(tcase, an_old_kernel_starts_jobs_and_our_own_programs);
        tcase_add_test(tcase, many_starts_all_come_back);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
