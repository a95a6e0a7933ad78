// SPDX-License-Identifier: MIT
// work_plugin: the calls of a plugin's functions, and what is judged before and after. Each call stands between host_enter() and
// host_leave(), so that whoever finds the process dead knows what it died in.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"
#include "daemon/core/util.h"
#include "daemon/host/host_internal.h"

_Static_assert((int)RUN_CAUSE_SCHEDULE == CHIMED_CAUSE_SCHEDULE && (int)RUN_CAUSE_CATCH_UP == CHIMED_CAUSE_CATCH_UP &&
                       (int)RUN_CAUSE_BOOT == CHIMED_CAUSE_BOOT && (int)RUN_CAUSE_TRIGGER == CHIMED_CAUSE_TRIGGER &&
                       (int)RUN_CAUSE_RETRY == CHIMED_CAUSE_RETRY && (int)RUN_CAUSE_WAKE == CHIMED_CAUSE_WAKE &&
                       (int)RUN_CAUSE_CHAIN == CHIMED_CAUSE_CHAIN,
               "the same order");

__attribute__((format(printf, 2, 3))) static int refuse(struct chimed_job *job, const char *format, ...) {
        char text[MESSAGE_MAX];
        va_list arguments;

        va_start(arguments, format);
        int n = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        hosted_set_message(job, text, n < 0 ? 0 : strlen(text));
        return 1;
}

/* The text that the job gives an option; NULL: none. */
static const char *find_text(const struct chimed_job *job, const char *name) {
        size_t n = strlen(name);

        for (char **at = job->what.options; at && *at; at++)
                if (strncmp(*at, name, n) == 0 && (*at)[n] == '=')
                        return *at + n + 1;
        return NULL;
}

/* Every option that the job sets is one of the plugin's. */
static int check_names(struct chimed_job *job) {
        const struct plugin_description *d = &job->file->description;

        for (char **at = job->what.options; at && *at; at++) {
                char name[PLUGIN_OPTION_NAME_MAX + 1];
                snprintf(name, sizeof(name), "%.*s", (int)strcspn(*at, "="), *at);
                if (plugin_option_find(d, name))
                        continue;
                struct nearest nearest = nearest_begin(name);
                for (size_t i = 0; i < d->n_options; i++)
                        nearest_offer(&nearest, d->options[i].name);
                return refuse(job, "%s has no option %s%s%s%s", d->name, name, nearest.found ? "; did you mean " : "",
                              nearest.found ? nearest.found : "", nearest.found ? "?" : "");
        }
        return 0;
}

static int read_options(struct chimed_job *job) {
        const struct plugin_description *d = &job->file->description;
        int r = check_names(job);

        free(job->values);
        job->values = r == 0 ? calloc(d->n_options + 1, sizeof(*job->values)) : NULL;
        if (r == 0 && !job->values)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < d->n_options; i++) {
                const struct plugin_option *option = &d->options[i];
                struct hosted_value *value = &job->values[i];
                char why[160];
                value->text = find_text(job, option->name);
                value->is_set = value->text;
                if (!value->text && option->default_text[0])
                        value->text = option->default_text;
                if (!value->text && option->is_required)
                        r = refuse(job, "Option.%s= is missing: %s", option->name, option->help);
                else if (value->text && plugin_option_parse(option, value->text, &value->number, why) < 0)
                        r = refuse(job, "Option.%s=%.200s: %s", option->name, value->text, why);
        }
        return r;
}

/* Calls load(). */
static int call_load(struct chimed_job *job) {
        const struct chimed_plugin *plugin = job->file->plugin;

        if (!plugin->load)
                return 0;
        job->message[0] = '\0';
        host_enter(job->host, TICK_PHASE_LOAD, job);
        int r = plugin->load(job, &job->data);
        host_leave(job->host, job);
        if (r == 0)
                return 0;
        while (job->watches)
                work_plugin_free_watch(job->watches);
        job->data = NULL;
        return job->message[0] ? 1 : refuse(job, "%s: load() has failed with %d", job->file->description.name, r);
}

int work_plugin_load(struct chimed_job *job) {
        char why[PLUGIN_WHY_MAX];

        host_enter(job->host, TICK_PHASE_LOAD, job);
        int r = plugin_files_open(&job->host->files, job->what.argv[0], job->owner, &job->file, why);
        host_leave(job->host, job);
        if (r == -EINVAL)
                return refuse(job, "%s", why);
        if (r == 0)
                r = read_options(job);
        if (r == 0)
                r = call_load(job);
        if (r != 0) {
                free(job->values);
                job->values = NULL;
                job->file = NULL;
        }
        return r;
}

void work_plugin_unload(struct chimed_job *job) {
        if (!job->file)
                return;
        if (job->file->plugin->unload) {
                host_enter(job->host, TICK_PHASE_UNLOAD, job);
                job->file->plugin->unload(job, job->data);
                host_leave(job->host, job);
        }
        while (job->watches)
                work_plugin_free_watch(job->watches);
        free(job->values);
        job->values = NULL;
        job->file = NULL;
}

bool work_plugin_is_outdated(struct chimed_job *job) {
        int64_t now = host_now(job->host);

        if (job->state != HOSTED_READY)
                return now >= job->retry_bt_us && plugin_files_is_outdated(&job->host->files, job->what.argv[0]);
        if (now - job->file->looked_bt_us < HOST_LOOK_US)
                return false;
        job->file->looked_bt_us = now;
        return plugin_file_has_changed(job->file);
}

/* NAME=VALUE texts as an array that ends with NULL; without memory there are none. */
static void set_parameters(struct chimed_job *job, const struct tick_run *run) {
        const char *text = run->parameters;
        uint32_t n = 0;

        free(job->parameters);
        job->parameters = NULL;
        for (size_t at = 0; at < run->parameters_size; at += strlen(text + at) + 1)
                n++;
        if (n > 0)
                job->parameters = calloc(n + 1, sizeof(*job->parameters));
        for (uint32_t i = 0; job->parameters && i < n; text += strlen(text) + 1)
                job->parameters[i++] = text;
        job->tick.n_parameters = job->parameters ? n : 0;
        job->tick.parameters = job->parameters;
}

void work_plugin_end(struct chimed_job *job, int result) {
        struct tick_answer answer = {.exit_code = -1};

        switch (result) {
        case CHIMED_SUCCESS:
                answer.result = RUN_RESULT_SUCCESS;
                break;
        case CHIMED_SKIPPED:
                answer.result = RUN_RESULT_SKIPPED;
                break;
        case CHIMED_FINISHED:
                answer.result = RUN_RESULT_FINISHED;
                break;
        default: /* a plugin may return any number */
                answer.result = RUN_RESULT_FAILED;
                if (result != CHIMED_FAILED && !job->message[0])
                        refuse(job, "%s: tick() has returned %d, which is no result", job->file->description.name, result);
        }
        hosted_end(job, &answer);
}

void work_plugin_begin(struct chimed_job *job, const struct tick_run *run) {
        const struct wire_start *start = &run->start;
        struct host *h = job->host;
        struct tick *tick = job->current;

        job->tick = (struct chimed_tick){.size = sizeof(job->tick),
                                         .cause = start->cause,
                                         .run = start->run,
                                         .slot_us = start->slot_rt_us,
                                         .missed = start->missed,
                                         .attempt = start->attempt};
        if (run->parameters_size > 0)
                set_parameters(job, run);
        job->is_in_tick = true;
        job->has_early = false;
        host_enter(h, TICK_PHASE_RUN, job);
        int result = job->file->plugin->tick(job, &job->tick, job->data);
        host_judge(h, job);
        job->is_in_tick = false;
        if (job->has_early && result != CHIMED_LATER)
                hosted_tell_stray(job);
        if (job->has_early)
                work_plugin_end(job, (int)job->early);
        else if (result != CHIMED_LATER)
                work_plugin_end(job, result);
        else
                host_tell_begun(h, tick);
        host_rest(h);
}

void work_plugin_cancel(struct chimed_job *job) {
        if (!job->file->plugin->cancel) {
                hosted_end(job, &(struct tick_answer){.result = RUN_RESULT_FAILED, .exit_code = -1});
                return;
        }
        host_enter(job->host, TICK_PHASE_CANCEL, job);
        job->file->plugin->cancel(job, &job->tick, job->data);
        host_leave(job->host, job);
}

struct chimed_watch *work_plugin_free_watch(struct chimed_watch *watch) {
        struct chimed_job *job;

        if (!watch)
                return NULL;
        job = watch->job;
        if (watch->previous)
                watch->previous->next = watch->next;
        else
                job->watches = watch->next;
        if (watch->next)
                watch->next->previous = watch->previous;
        job->n_watches--;
        loop_source_free(watch->source);
        free(watch);
        return NULL;
}
