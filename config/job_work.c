// SPDX-License-Identifier: MIT
// job_work: what a job runs: exactly one of the keys that say it, and which other keys mean nothing with it.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define SHELL_DEFAULT "/bin/sh"

static const struct {
        enum job_key_index key;
        enum job_work work;
} rows[] = {
        {KEY_COMMAND, JOB_WORK_COMMAND},     {KEY_SCRIPT, JOB_WORK_COMMAND}, {KEY_PLUGIN, JOB_WORK_PLUGIN},
        {KEY_COPROCESS, JOB_WORK_COPROCESS}, {KEY_UNIT, JOB_WORK_UNIT},
};

#define N_ROWS       (sizeof(rows) / sizeof(rows[0]))
#define BIT(work)    (1U << (work))
#define IS_COMMAND   BIT(JOB_WORK_COMMAND)
#define IS_UNIT      BIT(JOB_WORK_UNIT)
#define IS_PLUGIN    BIT(JOB_WORK_PLUGIN)
#define IS_COPROCESS BIT(JOB_WORK_COPROCESS)
#define IS_HOSTED    (IS_PLUGIN | IS_COPROCESS)

/* The keys, a range of the table, that mean nothing with some kinds of work, and what would be right; NULL: the unit has it. */
static const struct {
        enum job_key_index first, last;
        unsigned works;
        bool is_promise; /* a default is refused, too: the job would run where it must not */
        const char *advice;
} refusals[] = {
        {KEY_SHELL, KEY_SHELL, IS_UNIT, false, NULL},
        {KEY_KILL_SIGNAL, KEY_KILL_SIGNAL, IS_UNIT, false, NULL},
        {KEY_USER, KEY_CAPTURE_MAX, IS_UNIT, false, NULL},
        {KEY_SHELL, KEY_SHELL, IS_HOSTED, false, "Script= has a shell"},
        {KEY_OPTION, KEY_OPTION, IS_COMMAND | IS_UNIT, false, "options are a plugin's: Plugin=NAME"},
        {KEY_OPTION, KEY_OPTION, IS_COPROCESS, false, "a coprocess has arguments"},
        {KEY_PLUGIN_HOST, KEY_PLUGIN_HOST, IS_COMMAND | IS_UNIT, false, "each run is a process of its own"},
        {KEY_STOP_PATH, KEY_CONDITION_WAIT, IS_HOSTED, true,
         "a tick starts no process before which it could be asked; the tick itself may answer that there is nothing to do"},
        {KEY_SUCCESS_EXIT_STATUS, KEY_FINISH_EXIT_STATUS, IS_PLUGIN, false,
         "a plugin says its result itself and does not exit"},
};

/* The setting that says what the job runs, the first of several; NULL: none. */
static const struct job_setting *find_work(const struct job_draft *d, enum job_work *ret) {
        for (size_t i = 0; i < N_ROWS; i++)
                if (d->set[rows[i].key]) {
                        *ret = rows[i].work;
                        return d->set[rows[i].key];
                }
        return NULL;
}

static int refuse(struct job_draft *d, const struct job_setting *s, const struct job_setting *work, const char *advice) {
        struct job_setting at_key = *s;

        at_key.column = 1;
        if (!advice)
                return draft_error(d, &at_key, 0, "%s= means nothing with %s=; the unit says it: systemctl edit %.100s", s->key,
                                   work->key, work->value);
        return draft_error(d, &at_key, 0, "%s= means nothing with %s=: %s%s", s->key, work->key, advice,
                           s->is_default ? "; an empty value in the job takes the default back" : "");
}

int draft_refuse_for_work(struct job_draft *d, enum job_key_index key) {
        const struct job_setting *s = d->set[key];
        enum job_work work;
        const struct job_setting *by = find_work(d, &work);

        for (size_t i = 0; by && i < sizeof(refusals) / sizeof(refusals[0]); i++) {
                if (key < refusals[i].first || key > refusals[i].last || !(refusals[i].works & BIT(work)))
                        continue;
                d->set[key] = NULL;
                return s->is_default && !refusals[i].is_promise ? 0 : refuse(d, s, by, refusals[i].advice);
        }
        return 0;
}

int draft_check_hosted(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        const struct job_setting *overlap = d->set[KEY_OVERLAP];
        enum job_work work;

        if (when->overlap != JOB_OVERLAP_PARALLEL || !find_work(d, &work) || !job_work_is_hosted(work))
                return 0;
        if (!overlap->is_default)
                return draft_error(
                        d, overlap, 0,
                        "a host does one tick of a job at a time; write Overlap=queue, or several jobs of one PluginHost=");
        when->overlap = JOB_OVERLAP_SKIP;
        d->set[KEY_OVERLAP] = NULL;
        if (d->set[KEY_MAX_PARALLEL] && d->set[KEY_MAX_PARALLEL]->is_default) {
                d->set[KEY_MAX_PARALLEL] = NULL;
                when->max_parallel = 1;
        }
        return 0;
}

static int take_script(struct job_draft *d) {
        struct job_what *what = &d->job->what;
        int r = d->shell ? 0 : draft_copy(SHELL_DEFAULT, &d->shell);

        if (r == 0)
                r = strv_take(&what->argv, 0, d->shell);
        if (r == 0)
                r = strv_take(&what->argv, 1, strdup("-c"));
        d->shell = NULL;
        if (r == 0) {
                r = strv_take(&what->argv, 2, d->script);
                d->script = NULL;
        }
        return r;
}

int draft_finish_work(struct job_draft *d, const char *file, unsigned line, bool is_good) {
        const struct job_setting *first = find_work(d, &d->job->what.work), *shell = d->set[KEY_SHELL];

        for (size_t i = 0; i < N_ROWS && first; i++) {
                const struct job_setting *s = d->set[rows[i].key];
                if (s && s != first)
                        return draft_error(d, s, 0, "a job has either %s= (%s:%u) or %s= (%s:%u), not both", first->key,
                                           first->file, first->line, s->key, s->file, s->line);
        }
        if (!first && d->diags && is_good)
                diags_add(d->diags, false, file, line, 0,
                          "job %s has none of Command=, Script=, Plugin=, Coprocess= and Unit=", d->job->name);
        if (d->script)
                return take_script(d);
        if (!d->command)
                return 1; /* told */
        d->job->what.argv = d->command;
        d->command = NULL;
        if (shell && !shell->is_default)
                draft_warn(d, shell, 0, "Shell= means nothing with Command=; Script= has a shell");
        return 0;
}
