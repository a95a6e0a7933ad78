// SPDX-License-Identifier: MIT
// trial_show: what a run of a job would get, for chimectl env: "KEY=VALUE" with a NUL behind, so that a value may hold anything.
// Keys are those of job files, and Job; Argument, one for each; Variable, sorted; Own, a name of those that each run has others of.

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/core/util.h"
#include "daemon/runner/inherited.h"
#include "daemon/runner/runner_internal.h"

__attribute__((format(printf, 2, 3))) static void put(const char *key, const char *format, ...) {
        va_list arguments;

        printf("%s=", key);
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
        putchar('\0');
}

static void put_list(const char *key, char *const *list) {
        for (; list && *list; list++)
                put(key, "%s", *list);
}

/* A user's own instance leaves its groups as they are. */
static void put_identity(const struct job_what *what) {
        bool is_given = what->has_identity || geteuid() == 0;

        put("User", "%u", (unsigned)(is_given ? what->uid : geteuid()));
        put("Group", "%u", (unsigned)(is_given ? what->gid : getegid()));
        for (size_t i = 0; is_given && i < what->n_groups; i++)
                put("SupplementaryGroups", "%u", (unsigned)what->groups[i]);
}

static void put_places(const struct job_what *what) {
        const struct job_output *outputs[] = {&what->output, &what->error};
        static const char *const keys[] = {"StandardOutput", "StandardError"};

        if (what->root_directory)
                put("RootDirectory", "%s", what->root_directory);
        put("WorkingDirectory", "%s%s", what->is_working_directory_optional ? "-" : "", launch_directory(what));
        for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
                put(keys[i], "%s%s", job_output_kind_name(outputs[i]->kind), outputs[i]->path ? outputs[i]->path : "");
        put_list("EnvironmentFile", what->environment_files);
}

static void put_priorities(const struct job_what *what) {
        put("UMask", "%04o", what->umask);
        put("Nice", "%d", what->nice);
        put("CPUSchedulingPolicy", "%s", job_cpu_policy_name(what->cpu_policy));
        if (what->cpu_priority > 0)
                put("CPUSchedulingPriority", "%u", what->cpu_priority);
        put("IOSchedulingClass", "%s", job_io_class_name(what->io_priority));
        if (what->io_priority > 0)
                put("IOSchedulingPriority", "%u", what->io_priority & ((1U << JOB_IO_CLASS_SHIFT) - 1));
        put("OOMScoreAdjust", "%d", what->oom_score);
        put("NoNewPrivileges", "%s", what->has_no_new_privs ? "yes" : "no");
}

static char *print_limit(uint64_t n, char buf[static 24]) {
        snprintf(buf, 24, "%llu", (unsigned long long)n);
        return n == LIMIT_INFINITY ? strcpy(buf, "infinity") : buf;
}

/* The job's, else those that the runner gives, else its own. */
static void put_limits(const struct job_what *what) {
        struct launch_settings settings = {};
        size_t n;
        const struct limit_row *rows = limit_rows(&n);

        inherited_find(&settings);
        for (size_t i = 0; i < n; i++) {
                unsigned number = rows[i].resource;
                struct rlimit own = {};
                char soft[24], hard[24];
                getrlimit(number, &own);
                struct limit limit = {.soft = own.rlim_cur, .hard = own.rlim_max};
                if (what->limits && what->limits->set >> number & 1)
                        limit = what->limits->of[number];
                else if (settings.limits.set >> number & 1)
                        limit = settings.limits.of[number];
                put(rows[i].key, "%s:%s", print_limit(limit.soft, soft), print_limit(limit.hard, hard));
        }
}

static void put_amount(const char *key, const struct amount *amount) {
        if (amount->n > 0 && amount->is_share)
                put(key, "%g%%", (double)amount->n * 100 / AMOUNT_SHARE_ONE);
        else if (amount->n > 0)
                put(key, "%llu", (unsigned long long)amount->n);
}

static void put_cgroup(const struct job_what *what) {
        const struct amount quota = {.n = what->cpu_quota, .is_share = true};

        put_amount("MemoryMax", &what->memory_max);
        put_amount("TasksMax", &what->tasks_max);
        put_amount("CPUQuota", &quota);
}

static void put_end(const struct job_what *what) {
        const char *name = sigabbrev_np(what->kill_signal);
        char span[96];

        put("Timeout", "%s", duration_print(what->timeout_us, span));
        if (name)
                put("KillSignal", "SIG%s", name);
        else
                put("KillSignal", "%d", what->kill_signal);
        put("KillGrace", "%s", duration_print(what->kill_grace_us, span));
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each run has others of what is fixed, but for the job. */
static void put_variables(struct environment *all, const struct environment *fixed) {
        if (all->n > 0)
                qsort(all->list, all->n, sizeof(*all->list), compare);
        put_list("Variable", all->list);
        for (size_t i = 0; i < fixed->n; i++)
                if (strncmp(fixed->list[i], "CHIMED_JOB=", strlen("CHIMED_JOB=")) != 0)
                        put("Own", "%.*s", (int)strcspn(fixed->list[i], "="), fixed->list[i]);
}

/* A unit has its own surroundings, which are systemd's to tell. */
static void put_unit(const struct job_what *what) {
        put("Unit", "%s", what->argv[0]);
        put_end(what);
}

static int put_coprocess(char *const *argv) {
        _cleanup_free_ char *text = NULL;
        int r = job_command_print(argv, JOB_WHAT_MAX, &text);

        if (r == 0)
                put("Coprocess", "%s", text);
        return r;
}

/* What is executed; the rest is that of its process, or of the host's. */
static int put_work(const struct job_what *what) {
        int r = 0;

        switch (what->work) {
        case JOB_WORK_COMMAND:
                put_list("Argument", what->argv);
                break;
        case JOB_WORK_PLUGIN:
                put("Plugin", "%s", what->argv[0]);
                for (char **option = what->options; option && *option; option++)
                        put("Option", "%s", *option);
                break;
        case JOB_WORK_COPROCESS:
                r = put_coprocess(what->argv);
                break;
        case JOB_WORK_UNIT:
        case JOB_WORK_MAX:
                break;
        }
        if (what->host)
                put("PluginHost", "%s", what->host);
        return r;
}

static int put_process(const struct job_what *what) {
        int r = put_work(what);

        if (r < 0)
                return r;
        put_identity(what);
        put_places(what);
        put_priorities(what);
        put_limits(what);
        put_cgroup(what);
        put_end(what);
        return 0;
}

int trial_show(struct runner *runner, const struct run *run, const struct job_what *what) {
        struct environment base = {}, fixed = {}, all = {};
        int r = run_environment_make(runner, run, what, &base, &fixed);

        if (r == 0)
                r = environment_build(&all, base.list, what, fixed.list);
        if (r == 0) {
                put("Job", "%s", run->name);
                if (what->work == JOB_WORK_UNIT)
                        put_unit(what);
                else if ((r = put_process(what)) == 0)
                        put_variables(&all, &fixed);
                if (fflush(stdout) != 0 && r == 0)
                        r = -errno;
        }
        environment_done(&base);
        environment_done(&fixed);
        environment_done(&all);
        return r;
}
