// SPDX-License-Identifier: MIT
// reexec: the runner executes its program anew and stays the parent of its jobs: how a new version comes into use.
// First the new program is asked whether it can run here, and read what it would be handed, and what the scheduler has no part in is to be in
// order. Then the scheduler leaves in order, and what it had asked for is begun: a new one starts behind the exec, out of the new version,
// too. Then starts and looks at process trees that are under way come to their end: they are on threads, which an exec ends. What is left
// is data and descriptors. Where it can't be done, the runner goes on as it was.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/runner/handover.h"

#define ANSWER_US  (10 * USEC_PER_SEC) /* for the new program's answer, and for what is to be in order */
#define WAIT_US    (5 * USEC_PER_SEC)  /* for what is under way; a scheduler is then killed, and has so long once more */
#define RESUME     "--resume="         /* see main.c */
#define BURY_US    (5 * USEC_PER_SEC)
#define BURY_AGAIN (10 * USEC_PER_MSEC)

int reexec_prepare(struct runner *runner) {
        return helper_own_path(runner->reexec.program);
}

/* ---- before ---- */

void reexec_cancel(struct runner *runner) {
        if (runner->reexec.stage == REEXEC_NONE)
                return;
        bool is_held = runner->reexec.stage != REEXEC_PREPARING;
        runner->reexec.stage = REEXEC_NONE;
        loop_arm_timer(runner->reexec.timer, LOOP_NEVER);
        successor_drop(runner->reexec.successor);
        if (is_held)
                upkeep_release(runner->upkeep);
        generation_continue(runner);
}

static void refuse(struct runner *runner, const char *why) {
        struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);

        journal_send(&r, "The runner is not re-executed and goes on as it was: %s", why);
        reexec_cancel(runner);
        folder_end_re_execution(&runner->folder, why);
}

/* What is executed with our rights may be written by nobody who has them not. NULL where it is so, else what is wrong. */
static const char *find_fault(const char *program) {
        struct stat st;

        if (stat(program, &st) < 0)
                return strerror(errno);
        if (!S_ISREG(st.st_mode) || access(program, X_OK) < 0)
                return "it is no program";
        if (!util_is_protected(&st))
                return "others can write it";
        return NULL;
}

static void refuse_program(struct runner *runner, const char *why) {
        _cleanup_free_ char *text = NULL;

        refuse(runner, asprintf(&text, "%s: %s", runner->reexec.program, why) < 0 ? why : text);
}

/* What would be lost by an exec now, whether a scheduler is there or not, or NULL. */
static const char *find_lasting_obstacle(const struct runner *runner) {
        if (launch_hangs(runner->pool))
                return "a start that was given up still hangs";
        if (!tree_is_idle(runner->tree))
                return "the processes of runs that are being ended can't be looked at";
        return journal_queued(runner->journal) > 0 ? "the journal takes no records" : NULL;
}

/* What would be lost by an exec now, or NULL. */
static const char *find_obstacle(const struct runner *runner) {
        if (!upkeep_is_idle(runner->upkeep))
                return "the scheduler does not leave";
        if (runner->reader && reader_is_launching(runner->reader))
                return "the start of the reader hangs";
        for (const struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run))
                if (run->phase == RUN_PHASE_LAUNCHING)
                        return "the start of a job hangs";
        const char *why = find_lasting_obstacle(runner);
        return why || launch_is_idle(runner->pool) ? why : "a start hangs";
}

static void wait_for(struct runner *runner, enum reexec_stage stage) {
        int64_t wait_us = stage == REEXEC_PREPARING ? ANSWER_US : WAIT_US;

        runner->reexec.stage = stage;
        loop_arm_timer(runner->reexec.timer, clock_now().bt_us + wait_us);
}

/* What has gone by now is none: then it is done at the end of this pass. */
static int on_time(void *userdata, bool is_clock_change) {
        struct runner *runner = userdata;
        const struct reexec *reexec = &runner->reexec;

        (void)is_clock_change;
        if (reexec->stage == REEXEC_PREPARING && !reexec->is_accepted) {
                refuse_program(runner, "it does not answer");
                return 0;
        }
        if (reexec->stage == REEXEC_ASKED && !upkeep_is_idle(runner->upkeep)) {
                wait_for(runner, REEXEC_FORCED);
                upkeep_kill(runner->upkeep);
                return 0;
        }
        const char *why = reexec->stage == REEXEC_PREPARING ? find_lasting_obstacle(runner) : find_obstacle(runner);
        if (why)
                refuse(runner, why);
        return 0;
}

static void on_answer(void *userdata, const char *why) {
        struct runner *runner = userdata;

        if (why)
                refuse_program(runner, why);
        else
                runner->reexec.is_accepted = true;
}

int reexec_new(struct runner *runner) {
        int r = loop_add_timer(runner->loop, LOOP_CLOCK_BOOT, on_time, runner, &runner->reexec.timer);

        return r < 0 ? r : successor_new(runner->loop, runner->pool, on_answer, runner, &runner->reexec.successor);
}

void reexec_done(struct runner *runner) {
        runner->reexec.timer = loop_source_free(runner->reexec.timer);
        runner->reexec.successor = successor_free(runner->reexec.successor);
}

/* NULL: its answer comes; else why not. */
static const char *ask_program(struct runner *runner) {
        const char *fault = find_fault(runner->reexec.program);
        int r = fault ? 0 : successor_ask(runner->reexec.successor, runner->reexec.program);

        if (r == -EBUSY)
                return "it has not ended since it was asked before";
        return r < 0 ? strerror(-r) : fault;
}

void reexec_begin(struct runner *runner) {
        if (runner->reexec.stage != REEXEC_NONE || runner->stop != STOP_NONE)
                return;
        folder_begin_re_execution(&runner->folder);
        if (runner->remains.dead[0]) {
                refuse(runner, "what a runner before this one left is being ended");
                return;
        }
        const char *fault = ask_program(runner);
        if (fault) {
                refuse_program(runner, fault);
                return;
        }
        runner->reexec.is_accepted = false;
        wait_for(runner, REEXEC_PREPARING);
}

/* ---- the exec ---- */

/* The arguments that we were given, which are borrowed, and `resume`, where the new program finds what is handed over; NULL: it begins
 * anew. To be freed; NULL without memory. */
static char **make_arguments(char **given, char *resume) {
        size_t n = 0, n_made = 0;

        while (given[n])
                n++;
        char **argv = calloc(n + 2, sizeof(*argv));
        if (!argv)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (strncmp(given[i], RESUME, strlen(RESUME)) != 0)
                        argv[n_made++] = given[i];
        argv[n_made] = resume;
        return argv;
}

static int keep_descriptors(const struct runner *runner, bool is_kept) {
        int r = folder_keep(&runner->folder, is_kept);

        return r == 0 ? run_table_keep(&runner->runs, is_kept) : r;
}

/* Returns only where it failed, with the error. */
static int execute(struct runner *runner) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char **argv = NULL;
        char resume[sizeof(RESUME) + 16];
        int r = handover_write(runner, &fd);

        snprintf(resume, sizeof(resume), RESUME "%d", fd);
        if (r == 0 && !(argv = make_arguments(runner->options->argv, resume)))
                r = -ENOMEM;
        if (r == 0)
                r = keep_descriptors(runner, true);
        if (r == 0 && fcntl(fd, F_SETFD, 0) < 0)
                r = -errno;
        if (r == 0) {
                execv(runner->reexec.program, argv);
                r = -errno;
        }
        keep_descriptors(runner, false);
        return r;
}

void reexec_step(struct runner *runner) {
        if (runner->reexec.stage == REEXEC_PREPARING && runner->reexec.is_accepted && !find_lasting_obstacle(runner)) {
                wait_for(runner, REEXEC_ASKED);
                upkeep_hold(runner->upkeep);
        }
        if (runner->reexec.stage < REEXEC_ASKED || find_obstacle(runner))
                return;
        generation_interrupt(runner);
        int r = execute(runner);
        refuse_program(runner, strerror(-r));
}

/* ---- after ---- */

static unsigned kill_children(const struct pass *pass) {
        unsigned n = 0;

        for (size_t i = 0; i < pass->n; i++) {
                if (pass->list[i].parent != getpid())
                        continue;
                kill(-pass->list[i].pid, SIGKILL);
                kill(pass->list[i].pid, SIGKILL);
                n++;
        }
        return n;
}

/* Kills all children, the sessions that they lead, and what comes to us when they die. Returns how many there were the first time. */
static unsigned bury(void) {
        _cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct pass pass = {.proc_fd = proc_fd, .own_pid = -1};
        int64_t limit_bt_us = clock_now().bt_us + BURY_US;
        unsigned n, n_first = 0;

        for (bool is_first = true;; is_first = false) {
                siginfo_t info = {};
                while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid > 0)
                        info.si_pid = 0;
                n = pass_read(&pass) == 0 ? kill_children(&pass) : 0;
                n_first += is_first ? n : 0;
                if (n == 0 || clock_now().bt_us >= limit_bt_us)
                        break;
                nanosleep(&(struct timespec){.tv_nsec = BURY_AGAIN * 1000}, NULL);
        }
        pass_done(&pass);
        return n_first;
}

static int begin_anew(struct runner *runner, int error) {
        const struct runner_options *options = runner->options;
        char **argv = make_arguments(options->argv, NULL);
        struct journal *journal;

        /* systemd's socket is behind the standard ones */
        bool has_socket = options->is_listening && fcntl(SD_LISTEN_FDS_START, F_SETFD, 0) == 0;
        util_close_from(STDERR_FILENO + 1 + has_socket);
        unsigned n = bury();
        if (journal_new(NULL, options->log, "chimed-runner", NULL, &journal) == 0) {
                struct journal_record r = journal_begin(journal, EVENT_DEGRADED);
                journal_field(&r, "CHIMED_COUNT", "%u", n);
                journal_field_i64(&r, "ERRNO", -error);
                journal_send(
                        &r,
                        "The runner was re-executed, but can't read what it was handed over (%s): its %u processes were ended, "
                        "their runs are interrupted",
                        error == -EPROTONOSUPPORT ? "in the form of another version" : strerror(-error), n);
                journal_free(journal);
        }
        if (!argv)
                return -ENOMEM;
        execv(runner->reexec.program, argv);
        return -errno;
}

/* What runs is worth more than the folder. */
static void tell_lost(struct runner *runner) {
        struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);

        journal_field_i64(&r, "ERRNO", -runner->reexec.lock_error);
        journal_send(
                &r, "While the runner was re-executed another instance has taken %s (%s): runs go on, clients may reach either",
                runner->options->run_folder, strerror(-runner->reexec.lock_error));
}

int reexec_resume(struct runner *runner, int fd) {
        int r = handover_read(runner, fd);

        if (r < 0)
                return begin_anew(runner, r);
        close(fd);
        runner->reexec.lock_error = folder_lock_again(&runner->folder);
        sd_id128_t instance;
        memcpy(instance.bytes, runner->instance, sizeof(instance.bytes));
        sd_id128_to_string(instance, runner->instance_text);
        return 0;
}

static size_t count_hosts(const struct runner *runner) {
        size_t n = 0;

        for (const struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run))
                n += run->start.is_host && run->phase != RUN_PHASE_ENDED;
        return n;
}

void reexec_tell(struct runner *runner) {
        if (runner->reexec.lock_error < 0)
                tell_lost(runner);
        folder_end_re_execution(&runner->folder, NULL);
        struct journal_record r = journal_begin(runner->journal, EVENT_RE_EXECUTED);

        size_t n = runner->runs.n_in_flight - count_hosts(runner); /* those have runs that are not known here */
        journal_field(&r, "CHIMED_COUNT", "%zu", n);
        journal_send(&r, "The runner was re-executed as version " CHIMED_VERSION ", %zu %s on", n,
                     n == 1 ? "run goes" : "runs go");
}
