// SPDX-License-Identifier: MIT
// run_cgroups: the cgroups of runs: which run has which, what is told of them, and what its processes have used.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/runner/runner_internal.h"

#define EMPTY_US (10 * USEC_PER_SEC) /* what was left before us is killed and has so long to go */

static void tell_left(struct runner *runner, unsigned n, unsigned n_left) {
        char rest[64] = "";

        if (n_left > 0)
                snprintf(rest, sizeof(rest), "in %u cgroups some can't be killed", n_left);
        remains_tell(runner, n, rest);
}

/* The cgroup of a run that is over: nobody knows any more what it is like. */
static int take_back(int dir_fd, const char *name, void *userdata) {
        struct runner *runner = userdata;
        struct cgroup_entry *entry;

        (void)dir_fd;
        if (strlen(name) >= CGROUP_NAME_MAX || cgroup_names_find(&runner->cgroup_names, name))
                return 0;
        int r = cgroup_names_add(&runner->cgroup_names, name, &entry);
        if (r < 0)
                return r;
        cgroup_open(runner->cgroups, name, &entry->cgroup);
        entry->is_suspect = true;
        cgroup_names_give(&runner->cgroup_names, entry);
        return 0;
}

/* Runs that were handed over are in their cgroups, if we have them still. */
static void resume(struct runner *runner) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run)) {
                struct cgroup_entry *entry;
                if (!run->cgroup[0] || run->phase == RUN_PHASE_ENDED)
                        continue;
                if (runner->cgroups && cgroup_names_add(&runner->cgroup_names, run->cgroup, &entry) == 0)
                        cgroup_open(runner->cgroups, run->cgroup, &entry->cgroup);
                else
                        run->cgroup[0] = '\0';
        }
        if (runner->cgroups)
                cgroups_each(runner->cgroups, take_back, runner);
}

int run_cgroups_begin(struct runner *runner) {
        bool is_resumed = runner_is_resumed(runner);
        char why[CGROUP_WHY_MAX];
        unsigned n, n_left;
        int r = cgroups_open(runner->options->cgroup, &runner->cgroups, why);

        if (r < 0)
                fprintf(stderr, "chimed-runner: --cgroup: %s\n", why);
        if (is_resumed)
                resume(runner);
        if (r != 0 || is_resumed)
                return is_resumed || r > 0 ? 0 : r;
        n = cgroups_empty(runner->cgroups, EMPTY_US, &n_left);
        if (n > 0 || n_left > 0)
                tell_left(runner, n, n_left);
        return 0;
}

void run_cgroups_done(struct runner *runner) {
        cgroup_names_done(&runner->cgroup_names);
        runner->cgroups = cgroups_free(runner->cgroups);
}

static struct cgroup_entry *entry_of(const struct runner *runner, const struct run *run) {
        return run->cgroup[0] ? cgroup_names_find(&runner->cgroup_names, run->cgroup) : NULL;
}

int run_cgroups_take(struct runner *runner, struct run *run, struct launch *l) {
        struct cgroup_entry *entry = entry_of(runner, run);

        if (!runner->cgroups)
                return 0;
        if (!entry && cgroup_names_take(&runner->cgroup_names, run->name, &entry) < 0)
                return -ENOMEM;
        strcpy(run->cgroup, entry->name);
        strcpy(l->cgroup, entry->name);
        l->cgroups = runner->cgroups;
        l->is_cgroup_fresh = entry->is_suspect;
        l->cgroup_open = entry->cgroup;
        entry->cgroup = CGROUP_NONE; /* lent */
        return 0;
}

void run_cgroups_on_launched(struct runner *runner, struct run *run, struct launch *l) {
        struct cgroup_entry *entry = entry_of(runner, run);

        if (!entry)
                return;
        entry->cgroup = l->cgroup_open;
        l->cgroup_open = CGROUP_NONE; /* given back */
        run->cgroup_cpu_us = entry->cgroup.cpu_us;
        run->cgroup_oom_kills = entry->cgroup.oom_kills;
        entry->is_suspect = l->step == RUN_STEP_TIME || l->step == RUN_STEP_CGROUP; /* who knows how far it came */
        if (entry->is_suspect && entry->cgroup.dir_fd < 0) /* a start that was given up has not given it back */
                cgroup_open(runner->cgroups, entry->name, &entry->cgroup);
}

int run_cgroups_folder(const struct runner *runner, const struct run *run) {
        const struct cgroup_entry *entry = entry_of(runner, run);

        return entry ? entry->cgroup.dir_fd : -1;
}

bool run_cgroups_has_left(const struct runner *runner, const struct run *run) {
        const struct cgroup_entry *entry = entry_of(runner, run);

        return entry && entry->cgroup.dir_fd >= 0 ? !cgroup_is_empty(&entry->cgroup)
                                                  : tree_has_orphans(runner->tree, runner->n_handed_over);
}

void run_cgroups_measure(struct runner *runner, struct run *run, struct run_end *end) {
        struct cgroup_entry *entry = entry_of(runner, run);
        struct cgroup_state state;

        if (!entry)
                return;
        entry->is_suspect = entry->cgroup.dir_fd < 0 || cgroup_look(runner->cgroups, &entry->cgroup, &state) < 0;
        if (entry->is_suspect)
                return;
        end->cpu_us = state.cpu_us - run->cgroup_cpu_us;
        end->memory_peak = (int64_t)state.memory_peak;
        if (state.oom_kills > run->cgroup_oom_kills && (end->result == RUN_RESULT_FAILED || end->result == RUN_RESULT_SIGNAL))
                end->result = RUN_RESULT_OOM;
        entry->cgroup.cpu_us = state.cpu_us;
        entry->cgroup.oom_kills = state.oom_kills;
        /* a kernel may kill at birth whatever begins where cgroup.kill was written once */
        entry->is_suspect = state.has_processes || state.is_frozen || run->stop == RUN_STOP_KILLED;
}

/* What is not there any more, or too much. */
static void drop(struct runner *runner, bool (*is_there)(void *userdata, const char *job)) {
        char name[CGROUP_NAME_MAX];

        while (cgroup_names_drop(&runner->cgroup_names, is_there, runner, name))
                tree_remove_cgroup(runner->tree, name);
}

void run_cgroups_give(struct runner *runner, struct run *run) {
        struct cgroup_entry *entry = entry_of(runner, run);

        if (!entry)
                return;
        cgroup_names_give(&runner->cgroup_names, entry);
        drop(runner, NULL);
}

static bool is_defined(void *userdata, const char *job) {
        const struct runner *runner = userdata;

        return definitions_by_name(&runner->definitions, job) != NULL;
}

void run_cgroups_forget_jobs(struct runner *runner) {
        drop(runner, is_defined);
}
