// SPDX-License-Identifier: MIT
// names: the jobs that the command line means. Patterns are chimectl's matter: chimed knows names only.

#include "daemon/ctl/names.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "config/nearest.h"
#include "daemon/core/util.h"
#include "daemon/ctl/errors.h"
#include "daemon/ctl/reply.h"

static bool is_pattern(const char *name) {
        return strpbrk(name, "*?[") != NULL;
}

static bool is_group(const char *name) {
        return name[0] == '@';
}

static int list_all(struct session *s, json_t **ret) {
        json_t *all = json_array();
        int64_t after = -1;
        int status = CTL_EXIT_DONE;

        do {
                json_t *page = NULL, *parameters = json_object();
                if (after >= 0)
                        json_object_set_new(parameters, "after", json_integer(after));
                status = session_call(s, API_LIST_JOBS, parameters, &page);
                if (status == CTL_EXIT_DONE) {
                        json_array_extend(all, json_object_get(page, "jobs"));
                        int64_t next = reply_int(page, "after", -1);
                        after = next > after ? next : -1; /* else it would never end */
                }
                json_decref(page);
        } while (status == CTL_EXIT_DONE && after >= 0);
        if (status == CTL_EXIT_DONE)
                *ret = all;
        else
                json_decref(all);
        return status;
}

static bool has(const struct names *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (strcmp(names->list[i], name) == 0)
                        return true;
        return false;
}

static int add(struct names *names, const char *name) {
        if (has(names, name))
                return 0;
        char **list = reallocarray(names->list, names->n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        names->list = list;
        list[names->n] = strdup(name);
        if (!list[names->n])
                return -ENOMEM;
        names->n++;
        return 0;
}

void names_done(struct names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->list[i]);
        free(names->list);
        *names = (struct names){};
}

static int check_form(const char *name) {
        const char *why;

        if (is_group(name))
                return job_name_is_valid(name + 1, &why)
                               ? CTL_EXIT_DONE
                               : session_fail(CTL_EXIT_NO_SUCH_JOB, "no group \"%s\"; %s", name + 1, why);
        if (!is_pattern(name) && !job_name_is_valid(name, &why))
                return session_fail(CTL_EXIT_NO_SUCH_JOB, "no job \"%s\"; no job can have this name: %s", name, why);
        return CTL_EXIT_DONE;
}

static bool is_meant(const char *given, const json_t *job) {
        size_t i;
        json_t *group;

        if (!is_group(given))
                return fnmatch(given, reply_text_or(job, "name", ""), 0) == 0;
        json_array_foreach(json_object_get(job, "groups"), i, group) {
                if (strcmp(json_string_value(group) ? json_string_value(group) : "", given + 1) == 0)
                        return true;
        }
        return false;
}

static int tell_none(struct session *s, const char *given) {
        if (is_group(given))
                return session_fail(CTL_EXIT_NO_SUCH_JOB,
                                    "no job is a member of a group %s; the groups there are: chimectl list --groups",
                                    given + 1);
        if (is_pattern(given))
                return session_fail(CTL_EXIT_NO_SUCH_JOB, "no job matches \"%s\"; the jobs there are: chimectl list", given);
        return errors_tell_no_job(s, given);
}

/* Adds the jobs of one name, pattern or group; or that group as it is. */
static int match(struct session *s, const char *given, const json_t *jobs, bool keeps_groups, struct names *names) {
        size_t i, n = 0;
        json_t *job;

        json_array_foreach(jobs, i, job) {
                if (!is_meant(given, job))
                        continue;
                n++;
                if (add(names, keeps_groups && is_group(given) ? given : reply_text_or(job, "name", "")) < 0)
                        return session_tell_memory();
        }
        return n > 0 ? CTL_EXIT_DONE : tell_none(s, given);
}

/* Checks each name and adds what it means; all that are wrong are told. */
static int match_all(struct session *s, char *const *given, size_t n, const json_t *jobs, bool keeps_groups,
                     struct names *names) {
        int worst = CTL_EXIT_DONE;

        for (size_t i = 0; i < n; i++) {
                int status = match(s, given[i], jobs, keeps_groups, names);
                worst = status > worst ? status : worst;
        }
        return worst;
}

static int check_forms(char *const *given, size_t n) {
        int status = CTL_EXIT_DONE;

        for (size_t i = 0; status == CTL_EXIT_DONE && i < n; i++)
                status = check_form(given[i]);
        return status;
}

static int resolve(struct session *s, char *const *given, size_t n, bool keeps_groups, struct names *ret) {
        struct names names = {};
        json_t *jobs = NULL;
        int status = check_forms(given, n);

        bool is_plain = n == 1 && (is_group(given[0]) ? keeps_groups : !is_pattern(given[0]));
        if (status == CTL_EXIT_DONE && is_plain) {
                if (add(&names, given[0]) < 0)
                        status = session_tell_memory();
        } else if (status == CTL_EXIT_DONE && n > 0) {
                status = list_all(s, &jobs);
                if (status == CTL_EXIT_DONE)
                        status = match_all(s, given, n, jobs, keeps_groups, &names);
        }
        json_decref(jobs);
        if (status == CTL_EXIT_DONE)
                *ret = names;
        else
                names_done(&names);
        return status;
}

int names_resolve(struct session *s, char *const *given, size_t n, struct names *ret) {
        return resolve(s, given, n, false, ret);
}

int names_resolve_targets(struct session *s, char *const *given, size_t n, struct names *ret) {
        return resolve(s, given, n, true, ret);
}

int names_list_jobs(struct session *s, char *const *given, size_t n, json_t **ret) {
        struct names names = {};
        json_t *jobs;
        int status = check_forms(given, n);

        if (status == CTL_EXIT_DONE)
                status = list_all(s, &jobs);
        if (status != CTL_EXIT_DONE)
                return status;
        status = match_all(s, given, n, jobs, false, &names);
        for (size_t i = json_array_size(jobs); status == CTL_EXIT_DONE && n > 0 && i > 0; i--)
                if (!has(&names, reply_text_or(json_array_get(jobs, i - 1), "name", "")))
                        json_array_remove(jobs, i - 1);
        names_done(&names);
        if (status == CTL_EXIT_DONE)
                *ret = jobs;
        else
                json_decref(jobs);
        return status;
}

char *names_nearest(struct session *s, const char *name) {
        struct nearest nearest = nearest_begin(name);
        json_t *jobs, *job;
        size_t i;

        if (list_all(s, &jobs) != CTL_EXIT_DONE)
                return NULL;
        json_array_foreach(jobs, i, job) {
                nearest_offer(&nearest, reply_text_or(job, "name", ""));
        }
        char *found = nearest.found ? strdup(nearest.found) : NULL;
        json_decref(jobs);
        return found;
}
