// SPDX-License-Identifier: MIT
// chimed-runner, the program: its arguments.

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/parameters.h"
#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/runner/handover.h"
#include "daemon/runner/other.h"
#include "daemon/runner/runner.h"
#include "daemon/runner/trial.h"
#include "daemon/runner/unit.h"

#define FOLDERS_MAX 128

enum option_id {
        OPTION_SCHEDULER = 256,
        OPTION_LISTEN,
        OPTION_STOP,
        OPTION_RE_EXECUTE,
        OPTION_CONFIG,
        OPTION_JOBS,
        OPTION_RUN,
        OPTION_STATE,
        OPTION_CGROUP,
        OPTION_LOG,
        OPTION_USER,
        OPTION_READ,
        OPTION_CONTROLLERS,
        OPTION_CHECK,
        OPTION_RESUME,
        OPTION_TRY,
        OPTION_ENV,
        OPTION_QUIET,
        OPTION_SET,
        OPTION_UNIT,
        OPTION_HELP,
        OPTION_VERSION
};

static const struct option options[] = {
        {"scheduler", required_argument, NULL, OPTION_SCHEDULER},
        {"listen", no_argument, NULL, OPTION_LISTEN},
        {"stop", no_argument, NULL, OPTION_STOP},
        {"reexec", no_argument, NULL, OPTION_RE_EXECUTE},
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"jobs", required_argument, NULL, OPTION_JOBS},
        {"run", required_argument, NULL, OPTION_RUN},
        {"state", required_argument, NULL, OPTION_STATE},
        {"cgroup", required_argument, NULL, OPTION_CGROUP},
        {"log", required_argument, NULL, OPTION_LOG},
        {"user", no_argument, NULL, OPTION_USER},
        {"read", no_argument, NULL, OPTION_READ},
        {"controllers", required_argument, NULL, OPTION_CONTROLLERS},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"resume", required_argument, NULL, OPTION_RESUME},
        {"try", required_argument, NULL, OPTION_TRY},
        {"env", required_argument, NULL, OPTION_ENV},
        {"quiet", no_argument, NULL, OPTION_QUIET},
        {"set", required_argument, NULL, OPTION_SET},
        {"unit", required_argument, NULL, OPTION_UNIT},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {0},
};

static const char help[] = "Usage: chimed-runner --scheduler=PATH [--listen] [--run=DIR] [OPTION]...\n"
                           "       chimed-runner --stop|--reexec [--run=DIR]\n"
                           "       chimed-runner --read [--check] [OPTION]...\n"
                           "       chimed-runner --try=JOB|--env=JOB [OPTION]...\n"
                           "Start the jobs of chimed; or read the job files for it. chimed starts this by itself.\n"
                           "\n"
                           "  --scheduler=PATH  program that decides when\n"
                           "  --listen          as a unit of systemd: do not start it but serve who connects\n"
                           "                    to the socket that is handed over\n"
                           "  --stop            end the runner of that folder, and wait for its end\n"
                           "  --reexec          have it execute its program anew; jobs that run go on\n"
                           "  --run=DIR         lock and control socket (default /run/chimed)\n"
                           "  --state=DIR       the scheduler keeps its ledger here; empty: it keeps none\n"
                           "  --cgroup=DIR      runs get cgroups of their own in this one; or auto, own, none\n"
                           "  --config=FILE     settings (default /etc/chimed/chimed.conf)\n"
                           "  --jobs=DIR        read job files from here instead of the default folders;\n"
                           "                    may be repeated, earlier ones mask later ones\n"
                           "  --log=TARGET      journal, logfmt or json (lines on standard error)\n"
                           "  --user            jobs of the calling user: XDG folders\n"
                           "  --read            write the definitions to descriptor 3\n"
                           "  --check           with --read: print all errors, exit 1 if there are any\n"
                           "  --try=JOB         run the job here, as chimectl try does\n"
                           "  --env=JOB         print what its run would get, for chimectl env\n"
                           "  --quiet           with --try: do not say how it ended\n"
                           "  --set=NAME=VALUE  with --try: a parameter of the run; may be repeated\n"
                           "  --help, --version\n"
                           "\n"
                           "See chimed-runner(8).\n";

struct arguments {
        struct runner_options runner;
        const char *folders[FOLDERS_MAX];
        bool is_reader, is_check;
        enum other_order order; /* for the runner that is there; 0: none */
        struct trial_order trial;
        const char *sets[PARAMETERS_N_MAX]; /* of the trial */
        size_t n_sets;
        const char *unit; /* to be started */
};

/* Read by the runner that is to be executed anew as this program. */
static void print_version(void) {
        char forms[HANDOVER_FORMS_MAX];

        handover_print_forms(forms);
        printf("chimed-runner " CHIMED_VERSION "\n%s\n", forms);
}

/* -1 to go on, else the exit status. */
static int take_option(struct arguments *a, int id) {
        struct reader_paths *paths = &a->runner.paths;

        switch (id) {
        case OPTION_SCHEDULER:
                a->runner.scheduler = optarg;
                return -1;
        case OPTION_LISTEN:
                a->runner.is_listening = true;
                return -1;
        case OPTION_STOP:
        case OPTION_RE_EXECUTE:
                a->order = id == OPTION_STOP ? OTHER_STOP : OTHER_RE_EXECUTE;
                return -1;
        case OPTION_CONFIG:
                paths->settings_file = optarg;
                return -1;
        case OPTION_JOBS:
                if (paths->n_folders == FOLDERS_MAX) {
                        fprintf(stderr, "chimed-runner: more than %d --jobs\n", FOLDERS_MAX);
                        return 2;
                }
                a->folders[paths->n_folders++] = optarg;
                return -1;
        case OPTION_RUN:
                a->runner.run_folder = optarg;
                return -1;
        case OPTION_STATE:
                a->runner.state_folder = optarg;
                return -1;
        case OPTION_CGROUP:
                a->runner.cgroup = optarg;
                return -1;
        case OPTION_LOG:
                if (journal_target_from_string(optarg, &a->runner.log) == 0)
                        return -1;
                fprintf(stderr, "chimed-runner: --log=%s: give journal, logfmt or json\n", optarg);
                return 2;
        case OPTION_USER:
                paths->is_user = true;
                return -1;
        case OPTION_READ:
                a->is_reader = true;
                return -1;
        case OPTION_CONTROLLERS: /* only for the runner to give */
                paths->controllers = atoi(optarg);
                return -1;
        case OPTION_CHECK:
                a->is_check = true;
                return -1;
        case OPTION_RESUME: /* only for the runner itself to give */
                a->runner.resume_fd = (int)strtol(optarg, NULL, 10);
                return -1;
        case OPTION_TRY:
        case OPTION_ENV:
                a->trial.kind = id == OPTION_TRY ? TRIAL_RUN : TRIAL_SHOW;
                a->trial.job = optarg;
                return -1;
        case OPTION_QUIET:
                a->trial.is_quiet = true;
                return -1;
        case OPTION_SET:
                if (a->n_sets == PARAMETERS_N_MAX) {
                        fprintf(stderr, "chimed-runner: more than %d --set\n", PARAMETERS_N_MAX);
                        return 2;
                }
                a->sets[a->n_sets++] = optarg;
                return -1;
        case OPTION_UNIT: /* only for the runner itself to give */
                a->unit = optarg;
                return -1;
        case OPTION_HELP:
                fputs(help, stdout);
                return 0;
        case OPTION_VERSION:
                print_version();
                return 0;
        }
        fputs("Try 'chimed-runner --help'.\n", stderr);
        return 2;
}

static int parse(int argc, char **argv, struct arguments *a) {
        int id, status = -1;

        a->runner.log = JOURNAL_AUTO;
        a->runner.argv = argv;
        a->runner.paths.folders = a->folders;
        a->runner.paths.controllers = -1;
        while (status < 0 && (id = getopt_long(argc, argv, "", options, NULL)) >= 0)
                status = take_option(a, id);
        if (status >= 0)
                return status;
        if (optind < argc) {
                fprintf(stderr, "chimed-runner: %s: no arguments are taken, only options\n", argv[optind]);
                return 2;
        }
        if (a->is_check && !a->is_reader) {
                fputs("chimed-runner: --check goes with --read\n", stderr);
                return 2;
        }
        if (!a->is_reader && !a->runner.scheduler && !a->order && !a->trial.kind && !a->unit) {
                fputs("chimed-runner: give --scheduler=PATH, --stop, --reexec, --read, --try=JOB or --env=JOB\n", stderr);
                return 2;
        }
        return -1;
}

/* Whether a user's instance may be in the folder: who owns it, or may write there, could put another in its place. Prints why not. */
static bool is_own_runtime(const char *runtime) {
        const char *why = NULL;
        struct stat st;

        if (!runtime || !*runtime)
                why = "is not set";
        else if (runtime[0] != '/')
                why = "is not an absolute path";
        else if (stat(runtime, &st) < 0)
                why = strerror(errno);
        else if (!S_ISDIR(st.st_mode))
                why = strerror(ENOTDIR);
        else if (st.st_uid != geteuid())
                why = "belongs to another user";
        else if (st.st_mode & (S_IWGRP | S_IWOTH))
                why = "can be written by others";
        if (why)
                fprintf(stderr, "chimed-runner: XDG_RUNTIME_DIR%s%s: %s; give --run=DIR\n", runtime && *runtime ? "=" : "",
                        runtime ? runtime : "", why);
        return !why;
}

/* Where the run folder is if it was not given. */
static int default_run_folder(bool is_user, const char **ret) {
        static char folder[PATH_MAX];
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        if (!is_user) {
                *ret = "/run/chimed";
                return 0;
        }
        if (!is_own_runtime(runtime))
                return -EINVAL;
        if (snprintf(folder, sizeof(folder), "%s/chimed", runtime) >= (int)sizeof(folder)) {
                fputs("chimed-runner: XDG_RUNTIME_DIR is too long; give --run=DIR\n", stderr);
                return -EINVAL;
        }
        *ret = folder;
        return 0;
}

/* Where the ledger is if that was not said: an instance with a run folder of its own has it there. An empty --state= is none. */
static int default_state_folder(struct runner_options *o, bool is_private) {
        static char folder[PATH_MAX];
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        int n;

        if (o->state_folder) {
                if (!o->state_folder[0])
                        o->state_folder = NULL;
                return 0;
        }
        if (is_private)
                n = snprintf(folder, sizeof(folder), "%s/state", o->run_folder);
        else if (!o->paths.is_user)
                n = snprintf(folder, sizeof(folder), "/var/lib/chimed");
        else if (state && state[0] == '/')
                n = snprintf(folder, sizeof(folder), "%s/chimed", state);
        else
                n = home && home[0] == '/' ? snprintf(folder, sizeof(folder), "%s/.local/state/chimed", home) : PATH_MAX;
        if (n >= (int)sizeof(folder)) {
                fputs("chimed-runner: HOME is not set; give --state=DIR\n", stderr);
                return -EINVAL;
        }
        o->state_folder = folder;
        return 0;
}

/* The reader starts in /, so what is relative is so to where we are. */
static int make_absolute(const char **path) {
        char *whole;

        if (!*path || **path == '/')
                return 0;
        _cleanup_free_ char *here = getcwd(NULL, 0);
        int r = here ? asprintf(&whole, "%s/%s", here, *path) : -1;
        if (r < 0) {
                fprintf(stderr, "chimed-runner: %s: %s\n", *path, strerror(errno));
                return -EINVAL;
        }
        *path = whole;
        return 0;
}

static int make_all_absolute(struct arguments *a) {
        int r = make_absolute(&a->runner.state_folder);

        if (r == 0)
                r = make_absolute(&a->runner.paths.settings_file);

        for (size_t i = 0; i < a->runner.paths.n_folders && r == 0; i++)
                r = make_absolute(&a->folders[i]);
        return r;
}

static int try_job(struct arguments *a) {
        _cleanup_free_ char *set = NULL;
        size_t bad = 0;
        int r = parameters_make(a->sets, a->n_sets, &set, &a->trial.parameters_size, &bad);

        if (r < 0) {
                fprintf(stderr, "chimed-runner: --set=%s: %s\n", a->sets[bad], strerror(-r));
                return 2;
        }
        a->trial.parameters = set;
        return make_all_absolute(a) < 0 ? TRIAL_EXIT_FAILED : trial_main(&a->runner, &a->trial);
}

/* The program of hosts, which is beside this one. */
static const char *find_host(void) {
        static char own[PATH_MAX], path[PATH_MAX];

        return helper_path(helper_own_path(own) == 0 ? own : "", "chimed-host", path);
}

int main(int argc, char **argv) {
        static struct arguments a;
        int status = parse(argc, argv, &a);

        if (status >= 0)
                return status;
        if (a.unit)
                return unit_child_main(a.unit, a.runner.paths.is_user);
        if (a.is_reader)
                return reader_main(&a.runner.paths, a.is_check);
        a.runner.host = find_host();
        if (a.trial.kind)
                return try_job(&a);
        bool is_private = a.runner.run_folder;
        if (!is_private && default_run_folder(a.runner.paths.is_user, &a.runner.run_folder) < 0)
                return 2;
        if (a.order)
                return other_main(a.runner.run_folder, a.order);
        if (default_state_folder(&a.runner, is_private) < 0)
                return 2;
        if (make_all_absolute(&a) < 0)
                return 1;
        return runner_run(&a.runner);
}
