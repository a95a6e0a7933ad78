// SPDX-License-Identifier: MIT
// chimed, the program: becomes the runner, which starts it again as the scheduler.

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/chimed.h"
#include "daemon/scheduler/connect.h"

#define ARGUMENTS_MAX 256
#define FAILING_US    (2 * USEC_PER_SEC)

struct options {
        const char *config, *run, *state, *cgroup, *log, *connect;
        const char *jobs[ARGUMENTS_MAX / 2];
        size_t n_jobs;
        bool is_user, is_check, is_scheduler;
        gid_t admin_gid; /* (gid_t)-1: none */
};

static const char help[] = "Usage: chimed [OPTION]...\n"
                           "Run scheduled jobs; stays in the foreground.\n"
                           "\n"
                           "  --config=FILE     settings (default /etc/chimed/chimed.conf)\n"
                           "  --jobs=DIR        read job files from here instead of the default folders;\n"
                           "                    may be repeated, earlier ones mask later ones\n"
                           "  --run=DIR         lock and control socket (default /run/chimed)\n"
                           "  --state=DIR       keep the ledger here, what survives restarts; empty: keep none\n"
                           "  --cgroup=DIR      runs get cgroups of their own in this one of cgroup v2; auto\n"
                           "                    (default): in ours where systemd has delegated it; own: in ours\n"
                           "                    on your word; none: they get none\n"
                           "  --log=TARGET      journal, logfmt or json (lines on standard error)\n"
                           "  --user            jobs of the calling user: XDG folders\n"
                           "  --connect=SOCKET  only decide when: a chimed-runner that listens there does the rest\n"
                           "  --check           read the files, print all errors, exit 1 if there are any\n"
                           "  --help, --version\n"
                           "\n"
                           "SIGHUP reads the files anew (changes are noticed anyway), SIGTERM stops,\n"
                           "SIGUSR2 puts a new version to use; jobs that run go on.\n"
                           "See chimed(8) and chimed.job(5).\n";

/* 0 to go on, else the exit status plus one. */
static int parse(int argc, char **argv, struct options *o) {
        enum { CONFIG = 256, JOBS, RUN, LOG, USER, CHECK, SCHEDULER, CONNECT, ADMIN_GID, STATE, CGROUP, HELP, VERSION };
        static const struct option options[] = {
                {"config", required_argument, NULL, CONFIG},
                {"jobs", required_argument, NULL, JOBS},
                {"run", required_argument, NULL, RUN},
                {"state", required_argument, NULL, STATE},
                {"cgroup", required_argument, NULL, CGROUP},
                {"log", required_argument, NULL, LOG},
                {"user", no_argument, NULL, USER},
                {"check", no_argument, NULL, CHECK},
                {"scheduler", no_argument, NULL, SCHEDULER},
                {"connect", required_argument, NULL, CONNECT},
                {"admin-gid", required_argument, NULL, ADMIN_GID},
                {"help", no_argument, NULL, HELP},
                {"version", no_argument, NULL, VERSION},
                {0},
        };
        enum journal_target target;
        int c;
        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (c) {
                case CONFIG:
                        o->config = optarg;
                        break;
                case JOBS:
                        if (o->n_jobs == ARRAY_SIZE(o->jobs)) {
                                fprintf(stderr, "chimed: more than %zu --jobs\n", ARRAY_SIZE(o->jobs));
                                return 3;
                        }
                        o->jobs[o->n_jobs++] = optarg;
                        break;
                case RUN:
                        o->run = optarg;
                        break;
                case STATE:
                        o->state = optarg;
                        break;
                case CGROUP:
                        o->cgroup = optarg;
                        break;
                case LOG:
                        if (journal_target_from_string(optarg, &target) < 0) {
                                fprintf(stderr, "chimed: --log=%s: give journal, logfmt or json\n", optarg);
                                return 3;
                        }
                        o->log = optarg;
                        break;
                case USER:
                        o->is_user = true;
                        break;
                case CHECK:
                        o->is_check = true;
                        break;
                case SCHEDULER:
                        o->is_scheduler = true;
                        break;
                case CONNECT:
                        o->connect = optarg;
                        break;
                case ADMIN_GID: /* like --scheduler only for the runner to give */
                        o->admin_gid = (gid_t)strtoul(optarg, NULL, 10);
                        break;
                case HELP:
                        fputs(help, stdout);
                        return 1;
                case VERSION:
                        puts("chimed " CHIMED_VERSION);
                        return 1;
                default:
                        fputs("Try 'chimed --help'.\n", stderr);
                        return 3;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "chimed: %s: no arguments are taken, only options\n", argv[optind]);
                return 3;
        }
        if (o->connect && (o->config || o->n_jobs > 0 || o->run || o->cgroup || o->is_user || o->is_check)) {
                fputs("chimed: with --connect only --state and --log: the rest is for the runner\n", stderr);
                return 3;
        }
        return 0;
}

struct command {
        char *argv[ARGUMENTS_MAX + 16];
        size_t n;
        bool is_cut; /* an argument is missing */
};

/* An option with its value; a value of NULL is none. */
static void add(struct command *c, const char *option, const char *value) {
        if (!value)
                return;
        if (asprintf(&c->argv[c->n], "%s%s", option, value) < 0)
                c->is_cut = true;
        else
                c->n++;
}

static int become_runner(const struct options *o) {
        static char own[PATH_MAX], path[PATH_MAX];
        struct command c = {};
        int r = helper_own_path(own);
        if (r < 0) {
                fprintf(stderr, "chimed: /proc/self/exe: %s\n", strerror(-r));
                return 1;
        }
        const char *runner = helper_path(own, "chimed-runner", path);
        add(&c, "chimed-runner", "");
        add(&c, "--config=", o->config);
        for (size_t i = 0; i < o->n_jobs; i++)
                add(&c, "--jobs=", o->jobs[i]);
        if (o->is_user)
                add(&c, "--user", "");
        if (o->is_check) {
                add(&c, "--read", "");
                add(&c, "--check", "");
        } else {
                add(&c, "--scheduler=", own);
                add(&c, "--run=", o->run);
                add(&c, "--state=", o->state);
                add(&c, "--cgroup=", o->cgroup);
                add(&c, "--log=", o->log);
        }
        if (c.is_cut) {
                fputs("chimed: not enough memory\n", stderr);
                return 1;
        }
        execv(runner, c.argv);
        fprintf(stderr, "chimed: %s: %s\n", runner, strerror(errno));
        return 1;
}

/* A unit is started again soon, as it should be after a crash: what fails at once would be so without end. Ends with a signal to stop. */
static void fail_late(int64_t start_bt_us) {
        int64_t left_us = start_bt_us + FAILING_US - clock_now().bt_us;
        sigset_t set;
        if (left_us <= 0)
                return;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigprocmask(SIG_BLOCK, &set, NULL);
        sigtimedwait(&set, NULL,
                     &(struct timespec){.tv_sec = left_us / USEC_PER_SEC, .tv_nsec = left_us % USEC_PER_SEC * 1000});
}

static int run_connected(const struct options *o, enum journal_target target) {
        int64_t start_bt_us = clock_now().bt_us;
        struct chimed_ends ends;
        gid_t admin_gid;
        int status = connect_runner(o->connect, &ends, &admin_gid);
        if (status == 0)
                status = chimed_run(&ends, target, admin_gid, o->state);
        if (status != 0)
                fail_late(start_bt_us);
        return status;
}

int main(int argc, char **argv) {
        struct options o = {.admin_gid = (gid_t)-1};
        int r = parse(argc, argv, &o);
        if (r > 0)
                return r - 1;
        if (!o.is_scheduler && !o.connect)
                return become_runner(&o);
        /* the runner executes us by descriptor, which older kernels name by its number */
        prctl(PR_SET_NAME, "chimed", 0, 0, 0);
        enum journal_target target = JOURNAL_AUTO;
        if (o.log)
                journal_target_from_string(o.log, &target);
        if (o.connect)
                return run_connected(&o, target);
        struct chimed_ends ends = {.control_fd = CHIMED_CONTROL_FD,
                                   .output_fd = CHIMED_OUTPUT_FD,
                                   .listen_fd = CHIMED_LISTEN_FD,
                                   .hosts_fd = fcntl(CHIMED_HOSTS_FD, F_GETFD) >= 0 ? CHIMED_HOSTS_FD : -1};
        return chimed_run(&ends, target, o.admin_gid, o.state);
}
