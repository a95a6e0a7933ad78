// SPDX-License-Identifier: MIT
// job_plugin: the keys of jobs whose work is done in a host process: the plugin, its options, and with whom the host is shared.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"
#include "config/plugin_option.h"

#define SUFFIX          ".so"
#define PLUGIN_NAME_MAX 128
#define ALNUM           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Keeps where it stands. */
static int mention(struct job_draft *d, const struct job_setting *s, enum job_hosted_key kind, const char *name) {
        struct job_mention *added;
        int r = draft_mention(s, 0, name, &d->job->hosted, &added);

        if (r == 0)
                added->kind = (uint8_t)kind;
        return r;
}

int parse_plugin(struct job_draft *d, const struct job_setting *s) {
        size_t size = strspn(s->value, ALNUM "_-.+"), end = strlen(SUFFIX);
        char *path = NULL;

        if (s->value[size] || *s->value == '.' || size > PLUGIN_NAME_MAX)
                return draft_error(
                        d, s, 0, "\"%.60s\" is no name of a plugin; write that of a file in the plugin folder, without " SUFFIX,
                        s->value);
        if (size > end && strcmp(s->value + size - end, SUFFIX) == 0)
                return draft_error(d, s, size - end, "leave " SUFFIX " out: Plugin=%.*s", (int)(size - end), s->value);
        if (asprintf(&path, "%s/%s" SUFFIX, JOB_PLUGIN_FOLDER, s->value) < 0)
                return -ENOMEM;
        int r = strv_of(path, &d->command);
        return r < 0 ? r : mention(d, s, JOB_HOSTED_PLUGIN, s->value);
}

int job_what_set_plugin_folder(struct job_what *what, const char *folder) {
        char *path;

        if (what->work != JOB_WORK_PLUGIN)
                return 0;
        if (asprintf(&path, "%s/%s", folder, strrchr(what->argv[0], '/') + 1) < 0)
                return -ENOMEM;
        free(what->argv[0]);
        what->argv[0] = path;
        return 0;
}

/* The place of NAME of "Option.NAME" in both lists; the number of options if it is not there. */
static size_t find_option(const struct job_what *what, const char *name) {
        size_t n = 0, size = strlen(name);

        for (; what->options && what->options[n]; n++)
                if (strncmp(what->options[n], name, size) == 0 && what->options[n][size] == '=')
                        break;
        return n;
}

/* The place of the option at i among all mentions. */
static size_t find_mention(const struct job_mentions *hosted, size_t i) {
        size_t at = 0;

        for (;; at++)
                if (hosted->list[at].kind == JOB_HOSTED_OPTION && i-- == 0)
                        return at;
}

static void remove_option(struct job *job, size_t i) {
        struct job_mentions *hosted = &job->hosted;
        char **list = job->what.options;
        size_t n = strv_count(list), at = find_mention(hosted, i);

        free(list[i]);
        memmove(list + i, list + i + 1, (n - i) * sizeof(*list));
        if (n == 1)
                job->what.options = strv_free(list);
        free(hosted->list[at].name);
        free(hosted->list[at].file);
        memmove(hosted->list + at, hosted->list + at + 1, (--hosted->n - at) * sizeof(*hosted->list));
}

int parse_option(struct job_draft *d, const struct job_setting *s) {
        struct job_what *what = &d->job->what;
        const char *name = strchr(s->key, '.') + 1;
        struct job_setting at_key = *s;
        char *option;

        at_key.column = 1;
        if (!plugin_option_name_is_valid(name))
                return draft_error(d, &at_key, 0, "\"%.60s\": an option's name has 1 to %d letters, digits, \"_\" and \"-\"",
                                   s->key, PLUGIN_OPTION_NAME_MAX);
        size_t i = find_option(what, name), n = strv_count(what->options);
        if (i < n) {
                remove_option(d->job, i);
                n--;
        }
        if (!*s->value)
                return 0;
        if (n >= PLUGIN_OPTIONS_MAX)
                return draft_error(d, &at_key, 0, "a job has at most %d options", PLUGIN_OPTIONS_MAX);
        if (strlen(s->value) > PLUGIN_VALUE_MAX)
                return draft_error(d, s, 0, "the value is longer than %d bytes", PLUGIN_VALUE_MAX);
        if (asprintf(&option, "%s=%s", name, s->value) < 0)
                return -ENOMEM;
        int r = strv_take(&what->options, n, option);
        return r < 0 ? r : mention(d, s, JOB_HOSTED_OPTION, name);
}

int parse_plugin_host(struct job_draft *d, const struct job_setting *s) {
        const char *why;

        if (!job_name_is_valid(s->value, &why))
                return draft_error(d, s, 0, "\"%.70s\" can't name a host: %s", s->value, why);
        int r = draft_copy(s->value, &d->job->what.host);
        return r < 0 ? r : mention(d, s, JOB_HOSTED_HOST, s->value);
}

/* ---- who may share a host ---- */

int job_host_hash(const struct job_what *what, struct hash128 definition, struct hash128 *ret) {
        static const uint8_t key[16] = "chimed host   1";
        struct job_what shared = *what;
        struct pack p = {};

        if (!what->host) {
                *ret = definition;
                return 0;
        }
        shared.work = JOB_WORK_PLUGIN;
        shared.argv = shared.options = shared.accepted = NULL;
        shared.timeout_us = shared.kill_grace_us = 0;
        shared.capture_max = 0;
        shared.exits = (struct exit_classes){};
        job_what_encode(&shared, &p);
        int r = pack_result(&p);
        if (r == 0)
                *ret = hash_128(key, p.data, p.size);
        pack_done(&p);
        return r;
}

static bool is_same_text(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_list(char *const *a, char *const *b) {
        size_t i = 0, n = strv_count(a);

        while (i < n && b && b[i] && strcmp(a[i], b[i]) == 0)
                i++;
        return i == n && strv_count(b) == n;
}

static bool is_same_user(const struct job_what *a, const struct job_what *b) {
        return is_same_text(a->user, b->user) && a->has_identity == b->has_identity && a->uid == b->uid &&
               is_same_text(a->login_name, b->login_name) && is_same_text(a->home, b->home) &&
               is_same_text(a->login_shell, b->login_shell);
}

static bool is_same_groups(const struct job_what *a, const struct job_what *b) {
        return a->n_groups == b->n_groups &&
               (a->n_groups == 0 || memcmp(a->groups, b->groups, a->n_groups * sizeof(*a->groups)) == 0);
}

static bool is_same_output(const struct job_output *a, const struct job_output *b) {
        return a->kind == b->kind && is_same_text(a->path, b->path);
}

static bool is_same_amount(const struct amount *a, const struct amount *b) {
        return a->n == b->n && a->is_share == b->is_share;
}

static const char *limit_difference(const struct limits *a, const struct limits *b) {
        static const struct limits none;
        const struct limit_row *rows;
        size_t n;

        a = a ? a : &none;
        b = b ? b : &none;
        rows = limit_rows(&n);
        for (size_t i = 0; i < n; i++) {
                unsigned of = rows[i].resource;
                if ((a->set ^ b->set) >> of & 1 || a->of[of].soft != b->of[of].soft || a->of[of].hard != b->of[of].hard)
                        return rows[i].key;
        }
        return NULL;
}

const char *job_host_difference(const struct job_what *a, const struct job_what *b) {
        const struct {
                const char *key;
                bool is_same;
        } keys[] = {
                {"User", is_same_user(a, b)},
                {"Group", is_same_text(a->group, b->group) && a->gid == b->gid},
                {"SupplementaryGroups", is_same_groups(a, b)},
                {"RootDirectory", is_same_text(a->root_directory, b->root_directory)},
                {"WorkingDirectory", is_same_text(a->working_directory, b->working_directory) &&
                                             a->is_working_directory_optional == b->is_working_directory_optional},
                {"PassEnvironment", is_same_list(a->passed, b->passed)},
                {"Environment", is_same_list(a->environment, b->environment)},
                {"EnvironmentFile", is_same_list(a->environment_files, b->environment_files)},
                {"UMask", a->umask == b->umask},
                {"Nice", a->nice == b->nice},
                {"CPUSchedulingPolicy", a->cpu_policy == b->cpu_policy},
                {"CPUSchedulingPriority", a->cpu_priority == b->cpu_priority},
                {"IOSchedulingClass", a->io_priority >> JOB_IO_CLASS_SHIFT == b->io_priority >> JOB_IO_CLASS_SHIFT},
                {"IOSchedulingPriority", a->io_priority == b->io_priority},
                {"OOMScoreAdjust", a->oom_score == b->oom_score},
                {"MemoryMax", is_same_amount(&a->memory_max, &b->memory_max)},
                {"CPUQuota", a->cpu_quota == b->cpu_quota},
                {"TasksMax", is_same_amount(&a->tasks_max, &b->tasks_max)},
                {"NoNewPrivileges", a->has_no_new_privs == b->has_no_new_privs},
                {"KillSignal", a->kill_signal == b->kill_signal},
                {"StandardOutput", is_same_output(&a->output, &b->output)},
                {"StandardError", is_same_output(&a->error, &b->error)},
        };

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                if (!keys[i].is_same)
                        return keys[i].key;
        return limit_difference(a->limits, b->limits);
}
