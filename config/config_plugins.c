// SPDX-License-Identifier: MIT
// config_plugins: the plugins that jobs name: where their files are, whether their options are right, and who shares a host.

#include "config/config_plugins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/nearest.h"
#include "config/plugin_look.h"
#include "config/utf8.h"

#define LOOK_TIME_MS 5000
#define KNOWN_MAX    200 /* plugins that are looked at in one reading */

void config_plugins_done(struct config_plugins *plugins) {
        for (size_t i = 0; i < plugins->n; i++) {
                free(plugins->list[i].path);
                plugin_description_done(&plugins->list[i].description);
        }
        free(plugins->list);
        *plugins = (struct config_plugins){};
}

static const struct job_mention *find_mention(const struct job *job, enum job_hosted_key kind) {
        for (size_t i = 0; i < job->hosted.n; i++)
                if (job->hosted.list[i].kind == kind)
                        return &job->hosted.list[i];
        return NULL;
}

static void warn(const struct job *job, struct diags *diags, const char *what, const char *why) {
        const struct job_mention *plugin = find_mention(job, JOB_HOSTED_PLUGIN);

        diags_add(diags, true, plugin->file, plugin->line, plugin->column, "plugin %s %s: %s", plugin->name, what, why);
}

static int64_t now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Looks at the file that no job of the reading has named before. 0, -ENOMEM. */
static int look(struct config_plugins *plugins, const struct job *job, struct known_plugin *known, struct diags *diags) {
        int64_t left_ms = PLUGINS_LOOK_TIME_MS - plugins->spent_ms;
        char why[PLUGIN_LOOK_WHY];

        if (left_ms <= 0) {
                if (plugins->warns && !plugins->is_told)
                        warn(job, diags, "and those after it are not looked at", "the others took too long");
                plugins->is_told = true;
                return 0;
        }
        int64_t begin_ms = now_ms();
        int r = plugin_look(plugins->host, known->path, left_ms < LOOK_TIME_MS ? (int)left_ms : LOOK_TIME_MS,
                            &known->description, why);
        plugins->spent_ms += now_ms() - begin_ms;
        if (r < 0)
                return r;
        known->is_described = r == 0;
        if (r > 0 && plugins->warns)
                warn(job, diags, "can't be loaded", why);
        return 0;
}

/* *ret is NULL where nothing is known of it. 0, -ENOMEM. */
static int find(struct config_plugins *plugins, const struct job *job, struct diags *diags, const struct known_plugin **ret) {
        const char *path = job->what.argv[0];

        *ret = NULL;
        for (size_t i = 0; i < plugins->n; i++)
                if (strcmp(plugins->list[i].path, path) == 0) {
                        *ret = plugins->list[i].is_described ? &plugins->list[i] : NULL;
                        return 0;
                }
        if (plugins->n == KNOWN_MAX)
                return 0;
        struct known_plugin *list = reallocarray(plugins->list, plugins->n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        plugins->list = list;
        struct known_plugin *known = &list[plugins->n++];
        *known = (struct known_plugin){.path = strdup(path)};
        int r = known->path ? look(plugins, job, known, diags) : -ENOMEM;
        *ret = r == 0 && known->is_described ? known : NULL;
        return r;
}

static void tell_unknown(const struct job_mention *at, const struct plugin_description *d, struct diags *diags) {
        struct nearest nearest = nearest_begin(at->name);

        for (size_t i = 0; i < d->n_options; i++)
                nearest_offer(&nearest, d->options[i].name);
        if (!nearest.found && d->n_options == 1)
                nearest.found = d->options[0].name;
        diags_add(diags, false, at->file, at->line, 1, "plugin %s has no option %s%s%s%s", d->name, at->name,
                  nearest.found ? "; did you mean Option." : "", nearest.found ? nearest.found : "", nearest.found ? "=?" : "");
}

/* One option that the job sets. */
static bool is_right(const struct job_mention *at, const char *text, const struct plugin_description *d, struct diags *diags) {
        const struct plugin_option *option = plugin_option_find(d, at->name);
        char why[160];
        int64_t value;

        if (!option) {
                tell_unknown(at, d, diags);
                return false;
        }
        if (plugin_option_parse(option, text, &value, why) == 0)
                return true;
        diags_add(diags, false, at->file, at->line, at->column, "Option.%s=%.*s: %s", at->name, utf8_fit(text, 60), text, why);
        return false;
}

static bool has_option(const struct job *job, const char *name) {
        for (size_t i = 0; i < job->hosted.n; i++)
                if (job->hosted.list[i].kind == JOB_HOSTED_OPTION && strcmp(job->hosted.list[i].name, name) == 0)
                        return true;
        return false;
}

static int check_options(const struct job *job, const struct plugin_description *d, struct diags *diags) {
        const struct job_mention *plugin = find_mention(job, JOB_HOSTED_PLUGIN);
        bool is_good = true;
        size_t n = 0;

        for (size_t i = 0; i < job->hosted.n; i++)
                if (job->hosted.list[i].kind == JOB_HOSTED_OPTION) {
                        const char *text = strchr(job->what.options[n++], '=') + 1;
                        is_good = is_right(&job->hosted.list[i], text, d, diags) && is_good;
                }
        for (size_t i = 0; i < d->n_options; i++) {
                const struct plugin_option *option = &d->options[i];
                if (!option->is_required || has_option(job, option->name))
                        continue;
                diags_add(diags, false, plugin->file, plugin->line, plugin->column, "plugin %s needs Option.%s=: %.*s", d->name,
                          option->name, utf8_fit(option->help, 200), option->help);
                is_good = false;
        }
        return is_good ? 0 : 1;
}

int config_plugins_check(struct config_plugins *plugins, struct job *job, struct diags *diags) {
        const struct known_plugin *known;
        int r = plugins->folder && *plugins->folder ? job_what_set_plugin_folder(&job->what, plugins->folder) : 0;

        if (r < 0 || job->what.work != JOB_WORK_PLUGIN || !plugins->host)
                return r;
        r = find(plugins, job, diags, &known);
        return r < 0 || !known ? r : check_options(job, &known->description, diags);
}

/* ---- shared hosts ---- */

static int compare_host(const void *a, const void *b) {
        const struct declared *x = *(struct declared *const *)a, *y = *(struct declared *const *)b;
        int order = strcmp(x->job->what.host, y->job->what.host);

        return order ? order : (x > y) - (x < y);
}

static void settle(const struct declared *first, struct declared *other, struct diags *diags) {
        const char *key = job_host_difference(&first->job->what, &other->job->what);
        const struct job_mention *at = find_mention(other->job, JOB_HOSTED_HOST);

        if (!key)
                return;
        other->is_refused = true;
        diags_add(diags, false, at->file, at->line, at->column,
                  "PluginHost=%s: one process can't have two values of %s=: job %s (%s:%u) and job %s (%s:%u) differ in it",
                  at->name, key, first->name, first->file, first->line, other->name, other->file, other->line);
}

int config_plugins_settle(struct declared *list, size_t n, struct diags *diags) {
        struct declared **sharing = calloc(n + 1, sizeof(*sharing));
        size_t n_sharing = 0, first = 0;

        if (!sharing)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (list[i].job && list[i].job->what.host)
                        sharing[n_sharing++] = &list[i];
        qsort(sharing, n_sharing, sizeof(*sharing), compare_host);
        for (size_t i = 1; i < n_sharing; i++)
                if (strcmp(sharing[i]->job->what.host, sharing[first]->job->what.host) != 0)
                        first = i;
                else
                        settle(sharing[first], sharing[i], diags);
        free(sharing);
        return 0;
}
