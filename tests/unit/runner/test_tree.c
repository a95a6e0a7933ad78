// SPDX-License-Identifier: MIT
// All processes of a run: found whatever they did to get away, and nobody else.

#include <check.h>
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/tree.h"
#include "tests/unit/runner/harness.h"
#include "tests/unit/run_suite.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAY_THREAD_AFTER_FORK false /* the thread sanitizer ends a process that does so */
#endif
#endif
#ifndef MAY_THREAD_AFTER_FORK
#define MAY_THREAD_AFTER_FORK true
#endif

#define RUN_ID "0123456789abcdef0123456789abcdef-42"

static struct loop *loop;
static struct tree *tree;
static int n_results, n_found, n_zombies;
static pid_t main_pid; /* not to be reaped by the way */

static char found_names[TREE_NAMES_MAX];

static void on_result(void *userdata, uint64_t run, uint32_t n, const char *names) {
        (void)userdata;
        strcpy(found_names, names);
        ck_assert_uint_eq(run, 42);
        n_results++;
        n_found = (int)n;
}

static void on_dead(void *userdata, uint32_t n, const char *names) {
        (void)userdata, (void)names;
        n_results++;
        n_found = (int)n;
}

static void on_zombie(void *userdata, pid_t pid) {
        siginfo_t info;

        (void)userdata;
        n_zombies++;
        if (pid != main_pid)
                waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

static void begin(void) {
        static const struct tree_callbacks callbacks = {.on_result = on_result, .on_dead = on_dead, .on_zombie = on_zombie};

        n_results = n_found = n_zombies = 0;
        main_pid = 0;
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(tree_new(loop, NULL, &callbacks, NULL, &tree), 0);
}

static void end(void) {
        tree_free(tree);
        loop_free(loop);
}

/* A process as the runner starts it: session of its own, the run's id in its environment. Writes a byte per process that is up. */
static pid_t start(const char *script, int n_ready) {
        int fds[2];
        char byte;

        ck_assert_int_eq(pipe(fds), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                setsid();
                dup2(fds[1], 3);
                setenv("CHIMED_RUN_ID", RUN_ID, 1);
                execl("/bin/sh", "sh", "-c", script, NULL);
                _exit(127);
        }
        close(fds[1]);
        for (int i = 0; i < n_ready; i++)
                ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        close(fds[0]);
        return pid;
}

static int open_pidfd(pid_t pid) {
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

        ck_assert_int_ge(pidfd, 0);
        return pidfd;
}

static void request(pid_t pid, int pidfd, int signal) {
        struct tree_run run = {.number = 42, .main_pid = pid, .main_pidfd = pidfd, .id = RUN_ID, .cgroup_fd = -1};

        ck_assert_int_eq(tree_signal(tree, &run, signal), 0);
}

static int ask(pid_t pid, int signal) {
        int before = n_results, pidfd = open_pidfd(pid);

        main_pid = pid;
        request(pid, pidfd, signal);
        close(pidfd);
        wait_until(loop, n_results > before);
        return n_found;
}

/* Each row: a script, how many of its processes say that they are up, how many processes there are. */
static const struct {
        const char *what, *script;
        int n_ready, n;
} trees[] = {
        {"itself", "printf x >&3; exec sleep 100", 1, 1},
        {"children", "sleep 100 & sleep 100 & printf x >&3; wait", 1, 3},
        {"a child in a session of its own", "setsid sh -c 'printf x >&3; exec sleep 100' & wait", 1, 2},
        {"an orphan in a session of its own", "(setsid sh -c 'printf x >&3; exec sleep 100' &) & exec sleep 100", 1, 2},
        {"the child of such an orphan", "(setsid sh -c 'sleep 100 & printf x >&3; wait' &) & exec sleep 100", 1, 3},
        {"what ignores TERM", "trap '' TERM; sleep 100 & printf x >&3; wait", 1, 2},
};

START_TEST(all_of_a_run_is_found_and_killed) {
        pid_t pid = start(trees[_i].script, trees[_i].n_ready);
        int n = 0;

        for (int i = 0; i < 100 && n != trees[_i].n; i++) /* a shell may still be on its way out */
                n = ask(pid, 0);
        ck_assert_msg(n == trees[_i].n, "%s: %d processes instead of %d", trees[_i].what, n, trees[_i].n);
        while (ask(pid, SIGKILL) > 0)
                ;
        ck_assert_int_eq(kill(pid, 0), 0); /* not reaped yet: its number was not used again */
        ck_assert_int_eq(ask(pid, SIGKILL), 0);
        int status;
        while (waitpid(-1, &status, 0) > 0)
                ck_assert(WIFSIGNALED(status) || WIFEXITED(status));
}
END_TEST

/* Nothing but a pass before tells that it is of the run, once its parent is gone. */
START_TEST(what_cleans_its_environment_stays_found) {
        pid_t pid = start("env -i setsid sh -c 'printf x >&3; exec sleep 100' & wait", 1);
        int n = 0;

        for (int i = 0; i < 100 && n != 2; i++)
                n = ask(pid, 0);
        ck_assert_int_eq(n, 2);
        ck_assert_int_eq(strncmp(found_names, "sh, s", 5), 0); /* the second is a shell still, or what it becomes */
        kill(pid, SIGKILL);
        siginfo_t info;
        ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        ck_assert(tree_has_orphans(tree, 0));
        ck_assert_int_eq(ask(pid, SIGKILL), 1);
        while (ask(pid, SIGKILL) > 0)
                ;
        while (waitpid(-1, NULL, 0) > 0)
                ;
        ck_assert(!tree_has_orphans(tree, 0));
}
END_TEST

static void *wait_for_ever(void *userdata) {
        for (;;)
                pause();
        return userdata;
}

static bool is_first_thread_dead(pid_t pid) {
        char path[64], state = 0;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        FILE *f = fopen(path, "re");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
        fclose(f);
        return state == 'Z';
}

/* It looks like a zombie. */
START_TEST(a_program_whose_first_thread_has_ended_is_alive) {
        pid_t pid = fork();

        if (pid == 0) {
                pthread_t thread;
                setsid();
                if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
                        _exit(1);
                pthread_exit(NULL);
        }
        while (!is_first_thread_dead(pid))
                sched_yield();
        ck_assert_int_eq(ask(pid, 0), 1);
        ck_assert_int_eq(n_zombies, 0);
        while (ask(pid, SIGKILL) > 0)
                ;
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

START_TEST(a_stopped_process_gets_term_at_once) {
        pid_t pid = start("printf x >&3; kill -STOP $$; exit 3", 1);
        int status;

        ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
        ck_assert(WIFSTOPPED(status));
        ck_assert_int_eq(ask(pid, SIGTERM), 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

START_TEST(other_runs_and_strangers_are_left_alone) {
        pid_t pid = start("printf x >&3; exec sleep 100", 1);
        int fds[2];
        char byte;

        ck_assert_int_eq(pipe(fds), 0);
        pid_t other = fork();
        if (other == 0) {
                setsid();
                setenv("CHIMED_RUN_ID", RUN_ID "3", 1);
                dup2(fds[1], 3);
                execl("/bin/sh", "sh", "-c", "printf x >&3; exec sleep 100", NULL);
                _exit(127);
        }
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        while (ask(pid, SIGKILL) > 0)
                ;
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(waitpid(other, NULL, WNOHANG), 0);
        kill(other, SIGKILL);
        ck_assert_int_eq(waitpid(other, NULL, 0), other);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

/* A process of that very number, the leader of a session as a run's is; -1 where that can't be had here. */
static pid_t start_as(pid_t pid) {
        struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
        pid_t got = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

        if (got != 0)
                return got;
        setsid();
        execl("/bin/sleep", "sleep", "100", NULL);
        _exit(127);
}

/* Two requests for a run, the first of which is enough: its main process is reaped, and its number is another's when the second is
 * served. */
START_TEST(what_is_asked_too_late_hits_nobody_who_has_the_number_now) {
        pid_t pid = start("printf x >&3; exec sleep 100", 1);
        int pidfd = open_pidfd(pid);

        while (ask(pid, SIGKILL) > 0)
                ;
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        pid_t stranger = start_as(pid);
        if (stranger < 0) {
                close(pidfd);
                return; /* no right to choose, or somebody has it already */
        }
        ck_assert_int_eq(stranger, pid);
        n_results = 0;
        request(pid, pidfd, 0);
        request(pid, pidfd, SIGKILL);
        close(pidfd);
        wait_until(loop, n_results == 2);
        ck_assert_int_eq(n_found, 0);
        ck_assert_int_eq(waitpid(stranger, NULL, WNOHANG), 0);
        kill(stranger, SIGKILL);
        ck_assert_int_eq(waitpid(stranger, NULL, 0), stranger);
}
END_TEST

/* Anyone can write any run's id into his environment: that makes him no part of another user's run. */
START_TEST(another_users_process_with_a_forged_id_is_no_part_of_the_run) {
        int fds[2];
        char byte;

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(pipe(fds), 0);
        pid_t own = fork();
        if (own == 0) {
                setsid();
                dup2(fds[1], 3);
                if (setresuid(65533, 65533, 65533) == 0)
                        execl("/bin/sh", "sh", "-c", "printf x >&3; exec sleep 100", NULL);
                _exit(127);
        }
        pid_t forger = fork();
        if (forger == 0) {
                setsid();
                setenv("CHIMED_RUN_ID", RUN_ID, 1);
                dup2(fds[1], 3);
                if (setresuid(65534, 65534, 65534) == 0)
                        execl("/bin/sh", "sh", "-c", "printf x >&3; exec sleep 100", NULL);
                _exit(127);
        }
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        while (ask(own, SIGKILL) > 0)
                ;
        ck_assert_int_eq(waitpid(own, NULL, 0), own);
        ck_assert_int_eq(waitpid(forger, NULL, WNOHANG), 0);
        kill(forger, SIGKILL);
        ck_assert_int_eq(waitpid(forger, NULL, 0), forger);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

static int end_dead(const char *runners) {
        int before = n_results;

        ck_assert_int_eq(tree_kill_dead(tree, runners), 0);
        wait_until(loop, n_results > before);
        return n_found;
}

/* The last one has no id: only its parent tells. */
START_TEST(what_dead_runners_have_left_is_killed) {
        pid_t pid = start("(setsid sh -c 'printf x >&3; exec sleep 100' &) & env -i sh -c 'printf x >&3; exec sleep 100' & "
                          "printf x >&3; wait; wait; sleep 100",
                          3);

        main_pid = pid;
        ck_assert_int_eq(end_dead("3123456789abcdef0123456789abcdef\n0123456789abcdef0123456789abcde\n"), 0);
        ck_assert_int_ge(end_dead("3123456789abcdef0123456789abcdef\n0123456789abcdef0123456789abcdef\n"), 3);
        while (end_dead("0123456789abcdef0123456789abcdef\n") > 0)
                ;
        while (waitpid(-1, NULL, 0) > 0)
                ;
}
END_TEST

/* As at and batch do, which keep the environment of whoever asked. */
START_TEST(what_a_dead_runners_run_has_had_started_by_another_program_is_left_alone) {
        int fds[2];
        char byte;

        ck_assert_int_eq(pipe(fds), 0);
        pid_t other = main_pid = fork();
        if (other == 0) {
                setsid();
                dup2(fds[1], 3);
                execl("/bin/sh", "sh", "-c", "CHIMED_RUN_ID=" RUN_ID " sh -c 'printf x >&3; exec sleep 100' & wait", NULL);
                _exit(127);
        }
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        ck_assert_int_eq(end_dead("0123456789abcdef0123456789abcdef\n"), 0);
        kill(-other, SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        close(fds[0]);
        close(fds[1]);
}
END_TEST

START_TEST(what_has_left_the_cgroup_of_a_dead_runner_is_left_alone) {
        char own[256], runner[400];

        if (cgroups_own(NULL, own, sizeof(own)) < 0)
                return; /* no cgroup v2 here */
        main_pid = start("sleep 100 & printf x >&3; wait", 1);
        snprintf(runner, sizeof(runner), "0123456789abcdef0123456789abcdef %s/no\n", strcmp(own, "/") == 0 ? "" : own);
        ck_assert_int_eq(end_dead(runner), 0);
        snprintf(runner, sizeof(runner), "0123456789abcdef0123456789abcdef %s\n", own);
        ck_assert_int_eq(end_dead(runner), 2);
        while (end_dead(runner) > 0)
                ;
        while (waitpid(-1, NULL, 0) > 0)
                ;
}
END_TEST

/* What bears the id is another user's, and has a child of root's. */
START_TEST(a_forged_id_ends_only_what_the_forger_could_have_ended) {
        int fds[2];
        pid_t child;

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(pipe(fds), 0);
        pid_t forger = main_pid = fork();
        if (forger == 0) {
                child = fork();
                if (child == 0) {
                        pause();
                        _exit(0);
                }
                setenv("CHIMED_RUN_ID", RUN_ID, 1);
                dup2(fds[1], 3);
                if (write(fds[1], &child, sizeof(child)) == sizeof(child) && setresuid(65534, 65534, 65534) == 0)
                        execl("/bin/sh", "sh", "-c", "printf exec >&3; exec sleep 100", NULL);
                _exit(127);
        }
        char text[4];
        ck_assert_int_eq(read(fds[0], &child, sizeof(child)), sizeof(child));
        ck_assert_int_eq(read(fds[0], text, sizeof(text)), sizeof(text));
        ck_assert_int_eq(end_dead("0123456789abcdef0123456789abcdef\n"), 1);
        while (end_dead("0123456789abcdef0123456789abcdef\n") > 0)
                ;
        ck_assert_int_eq(waitpid(forger, NULL, 0), forger);
        ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

START_TEST(zombies_of_ours_are_shown) {
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        siginfo_t info;
        ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(tree_find_zombies(tree), 0);
        wait_until(loop, n_zombies > 0);
        ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
        ck_assert_int_eq(n_results, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("tree");
        TCase *tcase = tcase_create("tree");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_loop_test(tcase, all_of_a_run_is_found_and_killed, 0, ARRAY_SIZE(trees));
        tcase_add_test(tcase, what_cleans_its_environment_stays_found);
        if (MAY_THREAD_AFTER_FORK)
                tcase_add_test(tcase, a_program_whose_first_thread_has_ended_is_alive);
        tcase_add_test(tcase, a_stopped_process_gets_term_at_once);
        tcase_add_test(tcase, other_runs_and_strangers_are_left_alone);
        tcase_add_test(tcase, what_is_asked_too_late_hits_nobody_who_has_the_number_now);
        tcase_add_test(tcase, another_users_process_with_a_forged_id_is_no_part_of_the_run);
        tcase_add_test(tcase, what_dead_runners_have_left_is_killed);
        tcase_add_test(tcase, what_a_dead_runners_run_has_had_started_by_another_program_is_left_alone);
        tcase_add_test(tcase, what_has_left_the_cgroup_of_a_dead_runner_is_left_alone);
        tcase_add_test(tcase, a_forged_id_ends_only_what_the_forger_could_have_ended);
        tcase_add_test(tcase, zombies_of_ours_are_shown);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
