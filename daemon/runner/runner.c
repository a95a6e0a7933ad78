// SPDX-License-Identifier: MIT
// runner: the life of chimed-runner: what must be right before the first job, signals, the scheduler's restarts, the orderly end.

#include "daemon/runner/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/first.h"
#include "daemon/runner/inherited.h"
#include "daemon/runner/runner_internal.h"

#define SYNC_LOOK_US    USEC_PER_SEC           /* so often the runner looks whether the clock is synchronised */
#define STOP_GRACE_US   (500 * USEC_PER_MSEC)  /* for runs, whatever their KillGrace= */
#define STOP_KILLED_US  (5500 * USEC_PER_MSEC) /* then what is left is left */
#define STOP_DELIVER_US (300 * USEC_PER_MSEC)
#define STOP_OWN_US     (10 * USEC_PER_SEC) /* the same where a scheduler has to be started for it */
#define STOP_LEAVE_US   (5 * USEC_PER_SEC)  /* a slow disk has the last of the ledger to take */
#define STOP_BURY_US    USEC_PER_SEC
#define FIRST_WORD_US   USEC_PER_MINUTE /* of a scheduler, which may have to read its ledger from a slow disk */
#define SCHEDULER_USER  "chimed"
#define ADMIN_GROUP     "chimed"

/* ---- the orderly end ---- */

static void set_stop(struct runner *runner, enum stop_stage stage, int64_t us) {
        int64_t now_bt_us = clock_now().bt_us;

        runner->stop = stage;
        runner->stop_bt_us = us < LOOP_NEVER - now_bt_us ? now_bt_us + us : LOOP_NEVER;
        if (runner->stop_timer)
                loop_arm_timer(runner->stop_timer, runner->stop_bt_us);
}

/* Goes to the next stage where this one has what it waits for, or its time is over. */
static bool stop_step(struct runner *runner, bool is_time_over) {
        switch (runner->stop) {
        case STOP_NONE:
                return false;
        case STOP_WAIT:
                if (runner->runs.n_in_flight > 0 && !is_time_over)
                        return false;
                set_stop(runner, STOP_END, STOP_GRACE_US + STOP_KILLED_US);
                runs_stop_all(runner, false, STOP_GRACE_US);
                return true;
        case STOP_END:
                if (runner->runs.n_in_flight > 0 && !is_time_over)
                        return false;
                set_stop(runner, STOP_DELIVER, STOP_DELIVER_US);
                return true;
        case STOP_DELIVER:
                if (runner->runs.n > 0 && !is_time_over) { /* a scheduler that has just died comes back in time */
                        if (runner->upkeep && upkeep_begin_own(runner->upkeep)) /* one that was stopped before us does not */
                                set_stop(runner, STOP_DELIVER, STOP_OWN_US);
                        return false;
                }
                if (runner->upkeep)
                        upkeep_stop(runner->upkeep);
                set_stop(runner, STOP_LEAVE, STOP_LEAVE_US);
                return true;
        case STOP_LEAVE:
                if (runner->upkeep && !upkeep_is_gone(runner->upkeep) && is_time_over)
                        upkeep_kill(runner->upkeep);
                else if (runner->upkeep && !upkeep_is_gone(runner->upkeep))
                        return false;
                set_stop(runner, STOP_BURY, STOP_BURY_US);
                return true;
        case STOP_BURY:
                if (!runner->upkeep || upkeep_is_gone(runner->upkeep) || is_time_over)
                        loop_exit(runner->loop, 0);
                return false;
        }
        return false;
}

void runner_check_stop(struct runner *runner) {
        while (stop_step(runner, false))
                ;
}

static int on_stop_time(void *userdata, bool is_clock_change) {
        struct runner *runner = userdata;

        (void)is_clock_change;
        if (clock_now().bt_us >= runner->stop_bt_us && stop_step(runner, true))
                runner_check_stop(runner);
        return 0;
}

static void begin_stop(struct runner *runner) {
        if (runner->stop != STOP_NONE) {
                if (runner->stop == STOP_WAIT)
                        set_stop(runner, STOP_END, STOP_KILLED_US);
                else if (runner->stop == STOP_LEAVE)
                        stop_step(runner, true);
                runs_stop_all(runner, true, 0); /* asked for twice */
                runner_check_stop(runner);
                return;
        }
        reexec_cancel(runner);
        notify_stopping(runner->notify);
        link_tell_stopping(runner);
        set_stop(runner, STOP_WAIT, runner->settings.stop_wait_us);
        if (runner->settings.stop_wait_us == 0)
                stop_step(runner, true);
        runner_check_stop(runner);
}

static int on_signal(void *userdata, const struct signalfd_siginfo *info) {
        struct runner *runner = userdata;

        switch (info->ssi_signo) {
        case SIGHUP:
                generation_reload(runner, true, 0);
                break;
        case SIGUSR2:
                reexec_begin(runner);
                break;
        default:
                begin_stop(runner);
        }
        return 0;
}

/* ---- the clock ---- */

void runner_await_sync(struct runner *runner) {
        int64_t now_us = clock_now().bt_us;
        if (runner->is_synchronised)
                return;
        runner->is_synchronised = clock_is_synchronised();
        if (runner->is_synchronised)
                link_tell_synced(runner);
        else if (now_us < runner->settings.time_sync_wait_us)
                loop_arm_timer(runner->sync_timer, now_us + SYNC_LOOK_US);
}

static int on_sync_time(void *userdata, bool is_clock_change) {
        (void)is_clock_change;
        runner_await_sync(userdata);
        return 0;
}

/* ---- the scheduler ---- */

bool runner_may_tell(int64_t *told_bt_us) {
        int64_t now_bt_us = clock_now().bt_us;
        bool is_due = *told_bt_us == 0 || now_bt_us - *told_bt_us >= USEC_PER_MINUTE;

        if (is_due)
                *told_bt_us = now_bt_us;
        return is_due;
}

void runner_on_committed(struct runner *runner) {
        runner->is_told = true;
        definitions_purge(&runner->definitions);
        run_cgroups_forget_jobs(runner);
        if (!runner->is_ready_told)
                notify_ready(runner->notify);
        runner->is_ready_told = true;
        generation_continue(runner);
}

static void on_scheduler_start(void *userdata) {
        link_begin(userdata);
}

static void on_scheduler_room(void *userdata) {
        link_pump(userdata);
}

/* A scheduler that dies again and again is told once a minute. */
static void on_scheduler_end(void *userdata, int64_t delay_us, const char *why) {
        struct runner *runner = userdata;
        char delay[96];

        link_end(runner);
        if (delay_us == LOOP_NEVER)
                return; /* as it was asked to */
        if (*why)
                runner->n_restarts++;
        if (*why && runner_may_tell(&runner->restart_told_bt_us)) {
                struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);
                journal_field(&r, "CHIMED_COUNT", "%u", runner->n_restarts);
                journal_send(&r, "The scheduler has ended (%s) and is started again %s%s; runs go on", why,
                             delay_us > 0 ? "in " : "at once", delay_us > 0 ? duration_print(delay_us, delay) : "");
                runner->n_restarts = 0;
        }
        generation_continue(runner);
        runner_check_stop(runner);
}

/* The user to run it as; asked of the name service here, before the loop. A container may have left us no right to choose. */
static void find_scheduler_user(struct upkeep_settings *settings) {
        const struct passwd *user = geteuid() == 0 && inherited_may_change_user() ? getpwnam(SCHEDULER_USER) : NULL;

        if (!user)
                return;
        settings->has_identity = true;
        settings->uid = user->pw_uid;
        settings->gid = user->pw_gid;
}

/* Whose members may control everything: of the system's instance only, a user's own is the user's. */
static void find_admins(const struct runner *runner, struct upkeep_settings *settings) {
        const struct group *group = geteuid() == 0 && !runner->options->paths.is_user ? getgrnam(ADMIN_GROUP) : NULL;

        settings->has_admins = group != NULL;
        settings->admin_gid = group ? group->gr_gid : 0;
}

static int start_scheduler(struct runner *runner) {
        static const struct upkeep_callbacks callbacks = {
                .on_start = on_scheduler_start,
                .on_record = link_handle,
                .on_room = on_scheduler_room,
                .on_end = on_scheduler_end,
        };
        struct upkeep_settings settings = {
                .program = runner->options->scheduler,
                .log = journal_target_to_string(journal_target(runner->journal)),
                .listen_fd = runner->folder.is_given ? -1 : runner->folder.listen_fd,
                .link_fd = runner->folder.is_given ? runner->folder.listen_fd : -1,
                .first_word_us = FIRST_WORD_US,
                .state = runner->options->state_folder,
        };

        find_scheduler_user(&settings);
        int r = state_prepare(&settings, runner->options->paths.is_user);
        if (r < 0)
                return r;
        find_admins(runner, &settings);
        return upkeep_new(runner->loop, runner->pool, &settings, &callbacks, runner, &runner->upkeep);
}

/* ---- the beginning ---- */

static void tell_tails(struct runner *runner) {
        struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);

        journal_field(&r, "CHIMED_COUNT", "%llu",
                      (unsigned long long)(runner->runs.n_tails_dropped - runner->n_tails_dropped_told));
        journal_send(
                &r,
                "Runs hold too much output, or the scheduler takes no results: some lose what CaptureMax= keeps, their results "
                "are safe");
        runner->n_tails_dropped_told = runner->runs.n_tails_dropped;
}

static int on_pass_end(void *userdata) {
        struct runner *runner = userdata;

        if (runner->upkeep)
                upkeep_flush(runner->upkeep);
        if (runner->runs.n_tails_dropped > 0 && runner->n_tails_dropped_told == 0)
                tell_tails(runner);
        if (runner->stop >= STOP_LEAVE)
                runner_check_stop(runner);
        reexec_step(runner);
        return 0;
}

/* The standard ones are there, all three. */
static void fill_descriptors(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
        util_close(fd);
}

/* Standard error anew, so that a full pipe or a stopped terminal blocks neither us nor the scheduler. */
static void renew_stderr(void) {
        struct stat st;

        if (fstat(STDERR_FILENO, &st) < 0 || S_ISREG(st.st_mode))
                return; /* a file never blocks, and its other writers share the offset */
        int fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
                dup2(fd, STDERR_FILENO);
        util_close(fd);
}

static void find_own_user(struct runner *runner) {
        const struct passwd *user = getpwuid(geteuid());

        runner->own_name = user ? strdup(user->pw_name) : NULL;
        runner->own_home = user ? strdup(user->pw_dir) : NULL;
        runner->own_shell = user ? strdup(user->pw_shell) : NULL;
        runner->lang = getenv("LANG") && *getenv("LANG") ? getenv("LANG") : "C.UTF-8";
}

static int find_ids(struct runner *runner) {
        sd_id128_t instance, secret;
        int r = first_boot(runner->boot_id, &runner->boot_bt_us);

        if (r >= 0)
                r = sd_id128_randomize(&instance);
        if (r >= 0)
                r = sd_id128_randomize(&secret);
        if (r < 0)
                return r;
        memcpy(runner->instance, instance.bytes, sizeof(runner->instance));
        memcpy(runner->secret, secret.bytes, sizeof(runner->secret));
        sd_id128_to_string(instance, runner->instance_text);
        return 0;
}

/* What is told to the runner by signals. */
static void make_signals(sigset_t *set) {
        sigemptyset(set);
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGINT);
        sigaddset(set, SIGHUP);
        sigaddset(set, SIGUSR2);
}

struct runner *runner_begin(const struct runner_options *options) {
        struct runner *runner = calloc(1, sizeof(*runner));
        sigset_t set;

        if (!runner)
                return NULL;
        make_signals(&set);
        first_hold_signals(&set);
        runner->options = options;
        runner->folder = (struct run_folder){.fd = -1, .lock_fd = -1, .listen_fd = -1};
        runner->run_timer_bt_us = LOOP_NEVER;
        run_table_init(&runner->runs);
        definitions_init(&runner->definitions);
        umask(0022);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGCHLD, SIG_DFL); /* ignored, as it may be inherited, children would reap themselves */
        fill_descriptors();
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        if (geteuid() == 0)
                prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a job that has changed its user shares our memory until exec */
        find_own_user(runner);
        return find_ids(runner) == 0 ? runner : runner_end(runner);
}

int runner_begin_runs(struct runner *runner, const sigset_t *set, loop_signal_fn fn) {
        static const struct tree_callbacks tree_callbacks = {
                .on_result = runs_on_tree, .on_dead = remains_on_dead, .on_zombie = orphans_on_zombie};
        struct launch_settings settings = {};
        struct loop *loop = runner->loop;
        sigset_t child;

        inherited_find(&settings);
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        int r = loop_add_signals(loop, set, fn, runner, &runner->signals);
        if (r == 0)
                r = loop_add_signals(loop, &child, orphans_on_child, runner, &runner->child_signal);
        if (r == 0)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, runs_on_time, runner, &runner->run_timer);
        if (r == 0)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, orphans_on_time, runner, &runner->reap_timer);
        if (r == 0)
                r = launch_pool_new(loop, &settings, &runner->pool);
        return r == 0 ? tree_new(loop, runner->cgroups, &tree_callbacks, runner, &runner->tree) : r;
}

static void print_status(void *userdata, char text[static NOTIFY_STATUS_MAX]) {
        const struct runner *runner = userdata;
        const char *more = "";

        if (runner->stop != STOP_NONE)
                more = "; stopping";
        else if (runner->link.phase != LINK_PHASE_UP)
                more = "; waiting for the scheduler";
        snprintf(text, NOTIFY_STATUS_MAX, "%u job%s, %zu run%s in flight%s", runner->commit.n_jobs,
                 runner->commit.n_jobs == 1 ? "" : "s", runner->runs.n_in_flight, runner->runs.n_in_flight == 1 ? "" : "s",
                 more);
}

static int start_parts(struct runner *runner) {
        sigset_t set;

        make_signals(&set);
        inherited_lower_oom_score();
        int r = runner_begin_runs(runner, &set, on_signal);
        if (r == 0)
                r = loop_add_timer(runner->loop, LOOP_CLOCK_BOOT, on_stop_time, runner, &runner->stop_timer);
        if (r == 0)
                r = loop_add_timer(runner->loop, LOOP_CLOCK_BOOT, on_sync_time, runner, &runner->sync_timer);
        if (r == 0)
                r = reexec_new(runner);
        if (r == 0)
                r = notify_new(runner->loop, print_status, runner, &runner->notify);
        if (r == 0)
                r = start_scheduler(runner);
        if (r == 0)
                r = remains_begin(runner);
        if (r == 0)
                r = generation_begin(runner);
        loop_set_flush(runner->loop, on_pass_end, runner);
        if (r == 0 && (runner->options->is_listening || runner->is_ready_told)) /* else when the scheduler is */
                notify_ready(runner->notify);
        return r;
}

struct runner *runner_end(struct runner *runner) {
        if (!runner)
                return NULL;
        generation_done(runner);
        upkeep_free(runner->upkeep);
        run_table_done(&runner->runs);
        launch_pool_free(runner->pool);
        tree_free(runner->tree);
        free(runner->members.list);
        run_cgroups_done(runner);
        definitions_done(&runner->definitions);
        pack_done(&runner->link.pack);
        loop_source_free(runner->signals);
        loop_source_free(runner->child_signal);
        loop_source_free(runner->run_timer);
        loop_source_free(runner->stop_timer);
        loop_source_free(runner->reap_timer);
        loop_source_free(runner->sync_timer);
        reexec_done(runner);
        loop_source_free(runner->remains.timer);
        notify_free(runner->notify);
        journal_free(runner->journal);
        loop_free(runner->loop);
        folder_leave(&runner->folder);
        free(runner->own_name);
        free(runner->own_home);
        free(runner->own_shell);
        free(runner);
        return NULL;
}

/* That of the unit chimed-runner.socket. Prints the error. */
static int find_given_socket(void) {
        int n = sd_listen_fds(0);

        if (n == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, NULL, 0) > 0 &&
            util_set_nonblocking(SD_LISTEN_FDS_START) == 0 && fcntl(SD_LISTEN_FDS_START, F_SETFD, FD_CLOEXEC) == 0)
                return SD_LISTEN_FDS_START;
        fputs("chimed-runner: --listen: one listening socket is to be handed over, as chimed-runner.socket does\n", stderr);
        return -EINVAL;
}

/* Takes the run folder, or what the program before hands over. Prints the error. */
static int enter(struct runner *runner) {
        const struct runner_options *options = runner->options;
        char boot_text[SD_ID128_STRING_MAX];
        sd_id128_t boot;

        if (runner_is_resumed(runner)) {
                runner->folder.is_given = options->is_listening;
                return reexec_resume(runner, options->resume_fd);
        }
        memcpy(boot.bytes, runner->boot_id, sizeof(boot.bytes));
        int fd = options->is_listening ? find_given_socket() : -1;
        int r = options->is_listening && fd < 0
                        ? fd
                        : folder_enter(options->run_folder, sd_id128_to_string(boot, boot_text), fd, &runner->folder);
        if (r == 0 && access(options->scheduler, X_OK) < 0) {
                r = -errno;
                fprintf(stderr, "chimed-runner: %s: %s\n", options->scheduler, strerror(-r));
        }
        return r;
}

/* With runs in flight nothing is a reason to give up. */
static int open_journal(struct runner *runner) {
        enum journal_target target = runner->options->log;
        int r = journal_new(runner->loop, target, "chimed-runner", NULL, &runner->journal);

        return r < 0 && runner_is_resumed(runner)
                       ? journal_new(runner->loop, JOURNAL_AUTO, "chimed-runner", NULL, &runner->journal)
                       : r;
}

static void resume_parts(struct runner *runner) {
        reexec_tell(runner);
        tree_remember(runner->tree, &runner->members);
        runs_resume(runner);
        orphans_reap_later(runner); /* some may have ended meanwhile */
        runner_await_sync(runner);
}

int runner_run(const struct runner_options *options) {
        struct runner *runner = runner_begin(options);

        if (!runner) {
                fputs("chimed-runner: out of memory\n", stderr);
                return 1;
        }
        renew_stderr();
        int r = reexec_prepare(runner);
        if (r == 0)
                r = enter(runner);
        if (r < 0) {
                runner_end(runner);
                return 1;
        }
        r = loop_new(&runner->loop);
        if (r == 0)
                r = open_journal(runner);
        if (r == 0 && run_cgroups_begin(runner) < 0) {
                runner_end(runner);
                return 1;
        }
        if (r == 0)
                r = start_parts(runner);
        if (r == 0 && runner_is_resumed(runner))
                resume_parts(runner);
        if (r == 0)
                r = loop_run(runner->loop);
        if (r == 0)
                remains_done(runner);
        if (r < 0)
                fprintf(stderr, "chimed-runner: %s\n", strerror(-r));
        runner_end(runner);
        return r < 0;
}
