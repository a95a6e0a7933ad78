// SPDX-License-Identifier: MIT
// job: from settings to a definition.
// The settings are sorted into the table's rows first, so that only what is in force is read and keys can be checked together.

#include "config/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

bool job_name_is_valid(const char *name, const char **ret_why) {
        static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:";
        const char *why = NULL;

        if (!*name)
                why = "a name has at least one letter";
        else if (strlen(name) > JOB_NAME_MAX)
                why = "a name has at most 64 bytes";
        else if (!strchr(first, *name))
                why = "a name begins with a letter or digit";
        else if (name[strspn(name, more)])
                why = "a name has only letters, digits and _-.:";
        if (!why)
                return true;
        *ret_why = why;
        return false;
}

struct job *job_free(struct job *job) {
        if (!job)
                return NULL;
        free(job->name);
        free(job->description);
        free(job->file);
        job_what_done(&job->what);
        job_when_done(&job->when);
        mentions_done(&job->rights);
        mentions_done(&job->groups);
        mentions_done(&job->calendars);
        mentions_done(&job->hosted);
        mentions_done(&job->mail);
        mentions_done(&job->ties);
        free(job->time_zone);
        free(job);
        return NULL;
}

static struct job *job_new(const char *name, const char *file, unsigned line) {
        struct job *job = calloc(1, sizeof(*job));

        if (!job)
                return NULL;
        job_when_init(&job->when);
        job_what_init(&job->what);
        job->line = line;
        job->name = strdup(name);
        job->file = strdup(file);
        return job->name && job->file ? job : job_free(job);
}

static void draft_done(struct job_draft *d) {
        strv_free(d->command);
        free(d->script);
        free(d->shell);
        agenda_draft_done(&d->agenda);
        job_free(d->job);
}

/* Joined lines become one, but for the text of a script. Gives NULL without memory; *to_free is for the caller. */
static const char *one_line(const char *value, char **to_free) {
        *to_free = NULL;
        if (!strchr(value, '\n'))
                return value;
        char *copy = strdup(value), *to = copy;
        for (const char *from = copy; from && *from;) {
                if (*from != '\n') {
                        *to++ = *from++;
                        continue;
                }
                from += strspn(from, " \t\n");
                *to++ = ' ';
        }
        if (copy)
                *to = 0;
        return *to_free = copy;
}

static int parse_setting(struct job_draft *d, const struct job_key *key, const struct job_setting *s) {
        struct job_setting joined = *s;
        char *to_free = NULL;

        if (strlen(s->value) > JOB_WHAT_MAX)
                return draft_error(d, s, 0, "the value is longer than %d KiB; put the script into a file", JOB_WHAT_MAX / 1024);
        /* scripts keep their lines; lists of words see them, to tell of backslashes at their ends */
        if (key->parse != parse_script && key->parse != parse_command && key->parse != parse_exec_condition &&
            key->parse != parse_environment && key->parse != parse_allow && key->parse != parse_supplementary_groups)
                joined.value = one_line(s->value, &to_free);
        int r = joined.value ? key->parse(d, &joined) : -ENOMEM;
        free(to_free);
        return r;
}

static int tell_unknown(struct job_draft *d, const struct job_setting *s) {
        struct job_setting at_key = *s;
        char hint[160];

        at_key.column = 1;
        return draft_error(d, &at_key, 0, "%s", job_key_hint(s->key, NULL, 0, hint));
}

/* Finds for each row the setting in force; of lists, the last one that is not cleared. */
static bool sort_settings(struct job_draft *d, const struct job_setting *settings, size_t n) {
        size_t n_keys;
        const struct job_key *keys = job_keys(&n_keys);
        bool is_good = true;

        for (size_t i = 0; i < n; i++) {
                const struct job_setting *s = &settings[i];
                const struct job_key *key = job_key_find(s->key);
                if (!key) {
                        is_good = tell_unknown(d, s) == 0;
                        continue;
                }
                if (*s->value || !job_key_is_family(key)) /* an empty one is the end of one of the family */
                        d->set[key - keys] = *s->value ? s : NULL;
                d->job->has_allow |= key->parse == parse_allow;
        }
        return is_good;
}

/* Reads the items of a list from the last clearing on. As one value, a list is bounded before it is read. */
static int parse_list(struct job_draft *d, const struct job_key *key, const struct job_setting *settings, size_t n) {
        size_t first = 0, size = 0;
        int result = 0;

        for (size_t i = 0; i < n; i++)
                if (job_key_is(key, settings[i].key) && !*settings[i].value && !job_key_is_family(key))
                        first = i + 1;
        for (size_t i = first; i < n; i++) {
                if (!job_key_is(key, settings[i].key))
                        continue;
                size += sizeof(uint16_t) + strlen(settings[i].value);
                if (size > JOB_WHAT_MAX)
                        return draft_error(d, &settings[i], 0, "all %s= together are longer than %d KiB", key->name,
                                           JOB_WHAT_MAX / 1024);
                int r = parse_setting(d, key, &settings[i]);
                if (r < 0)
                        return r;
                result |= r;
        }
        return result;
}

static int parse_all(struct job_draft *d, const struct job_setting *settings, size_t n) {
        size_t n_keys;
        const struct job_key *keys = job_keys(&n_keys);
        int result = sort_settings(d, settings, n) ? 0 : 1;

        for (size_t i = 0; i < n_keys; i++) {
                if (d->set[i])
                        result |= draft_refuse_for_work(d, (enum job_key_index)i);
                if (!d->set[i])
                        continue;
                int r = keys[i].is_list ? parse_list(d, &keys[i], settings, n) : parse_setting(d, &keys[i], d->set[i]);
                if (r < 0)
                        return r;
                result |= r;
        }
        return result;
}

int job_build(const char *name, const char *file, unsigned line, const struct job_setting *settings, size_t n_settings,
              struct agendas *agendas, struct diags *diags, struct job **ret) {
        struct job_draft draft = {.job = job_new(name, file, line), .agendas = agendas, .diags = diags};

        if (!draft.job)
                return -ENOMEM;
        int r = parse_all(&draft, settings, n_settings);
        if (r == 0)
                r = draft_check_hosted(&draft);
        if (r == 0)
                r = draft_finish_when(&draft);
        if (r >= 0) {
                int work_result = draft_finish_work(&draft, file, line, r == 0);
                r = work_result < 0 ? work_result : r | work_result;
        }
        if (r == 0) {
                draft_finish_output(&draft);
                draft_finish_manner(&draft);
                *ret = draft.job;
                draft.job = NULL;
        }
        draft_done(&draft);
        return r;
}

int job_setting_check(const struct job_setting *setting, struct agendas *agendas, struct diags *diags) {
        const struct job_key *key = job_key_find(setting->key);
        struct job_draft draft = {.job = job_new("", "", 0), .agendas = agendas, .diags = diags};

        if (!draft.job)
                return -ENOMEM;
        int r = !key ? tell_unknown(&draft, setting) : *setting->value ? parse_setting(&draft, key, setting) : 0;
        draft_done(&draft);
        return r;
}
