// SPDX-License-Identifier: MIT
// run_environment: the variables that a run gets whatever its job says: those of its user, and those that tell it what it is.

#include <stdio.h>
#include <unistd.h>

#include "config/parameters.h"
#include "config/timestamp.h"
#include "daemon/core/util.h"
#include "daemon/runner/parent.h"
#include "daemon/runner/runner_internal.h"

static int make_base(const struct runner *runner, const struct job_what *what, struct environment *e) {
        const char *name = what->has_identity ? what->login_name : runner->own_name;
        const char *home = what->has_identity ? what->home : runner->own_home;
        const char *shell = what->has_identity ? what->login_shell : runner->own_shell;
        int r = environment_set_value(e, "PATH", JOB_SEARCH_PATH);

        if (r == 0)
                r = environment_set_value(e, "LANG", runner->lang);
        if (r == 0)
                r = environment_set_value(e, "HOME", home && *home ? home : "/");
        if (r == 0 && name && *name)
                r = environment_set_value(e, "LOGNAME", name);
        if (r == 0 && name && *name)
                r = environment_set_value(e, "USER", name);
        if (r == 0)
                r = environment_set_value(e, "SHELL", shell && *shell ? shell : "/bin/sh");
        return r == 0 ? environment_pass(e, what->passed, environ) : r;
}

/* What its trigger has passed. */
static int set_parameters(struct environment *e, const struct wire_start *start) {
        char name[16 + PARAMETER_NAME_MAX];
        struct parameter parameter;
        size_t at = 0;
        int r = 0;

        while (r == 0 && parameters_next(start->parameters, start->parameters_size, &at, &parameter)) {
                snprintf(name, sizeof(name), "CHIMED_PARAM_%.*s", (int)parameter.name_size, parameter.name);
                r = environment_set_value(e, name, parameter.value);
        }
        return r;
}

static int make_fixed(const struct runner *runner, const struct run *run, struct environment *e) {
        const struct wire_start *start = &run->start;
        const char *last = start->last_result == RUN_RESULT_NONE ? "" : run_result_to_string(start->last_result);
        char id[TREE_RUN_ID_MAX], slot[40], slot_us[24], attempt[8], missed[24];

        runs_print_id(runner, run, id);
        timestamp_print_utc(start->slot_rt_us, slot);
        snprintf(slot_us, sizeof(slot_us), "%lld", (long long)start->slot_rt_us);
        snprintf(attempt, sizeof(attempt), "%u", start->attempt);
        snprintf(missed, sizeof(missed), "%llu", (unsigned long long)start->missed);
        const char *const pairs[][2] = {
                {"CHIMED_JOB", run_title(run)},
                {"CHIMED_RUN_ID", id},
                {"CHIMED_SLOT", slot},
                {"CHIMED_SLOT_USEC", slot_us},
                {"CHIMED_CAUSE", run_cause_to_string(start->cause)},
                {"CHIMED_ATTEMPT", attempt},
                {"CHIMED_MISSED", missed},
                {"CHIMED_LAST_RESULT", last},
        };
        size_t n = run->host ? 2 : ARRAY_SIZE(pairs); /* a host has no slot: its ticks have */
        int r = 0;
        for (size_t i = 0; i < n && r == 0; i++)
                r = environment_set_value(e, pairs[i][0], pairs[i][1]);
        if (r == 0)
                r = parent_set(e, runner->instance_text, start);
        return r == 0 ? set_parameters(e, start) : r;
}

int run_environment_make(const struct runner *runner, const struct run *run, const struct job_what *what,
                         struct environment *base, struct environment *fixed) {
        int r = make_base(runner, what, base);

        return r == 0 ? make_fixed(runner, run, fixed) : r;
}
