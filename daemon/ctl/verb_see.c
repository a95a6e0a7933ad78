// SPDX-License-Identifier: MIT
// verb_see: what only looks: list, show, why, next, watch.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/ctl/explain.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/recent.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/verbs.h"

#define LOOKED_UP_MAX 50 /* jobs of a list whose latest slots are asked for */

/* What the ledger has of the latest slots of a job, put beside what chimed says of it. Without a ledger nothing. */
static void add_latest_slots(struct session *s, json_t *job) {
        const char *name = reply_text_or(job, "name", "");
        json_t *reply = session_try(s, API_LIST_MISSED,
                                    json_pack("{s:s,s:i,s:[s,s,s,s,s]}", "job", name, "limit", RECENT_ROWS, "outcomes", "ran",
                                              "missed", "withheld", "merged", "interrupted"));

        if (reply)
                json_object_set(job, RECENT_MEMBER, json_object_get(reply, "missed"));
        json_decref(reply);
}

/* Of the jobs that have ever missed a slot it is looked up how they do now, up to a bound. */
static void add_missed(struct session *s, json_t *jobs) {
        size_t n = 0, i;
        json_t *job;

        json_array_foreach(jobs, i, job) {
                if (reply_int(job, "missed", 0) <= 0 || n++ >= LOOKED_UP_MAX)
                        continue;
                add_latest_slots(s, job);
                if (n == 1 && !json_object_get(job, RECENT_MEMBER)) /* there is no ledger */
                        return;
        }
}

/* All groups, page by page, given to the caller. */
static int list_groups(struct session *s, json_t **ret) {
        json_t *all = json_array();
        int64_t after = 0;
        int status = CTL_EXIT_DONE;

        while (status == CTL_EXIT_DONE && after >= 0) {
                json_t *page = NULL;
                status = session_call(s, API_LIST_GROUPS, json_pack("{s:I}", "after", (json_int_t)after), &page);
                if (status == CTL_EXIT_DONE) {
                        json_array_extend(all, json_object_get(page, "groups"));
                        int64_t next = reply_int(page, "after", -1);
                        after = next > after ? next : -1; /* else it would never end */
                }
                json_decref(page);
        }
        *ret = all;
        return status;
}

static int show_groups(struct session *s) {
        json_t *groups;

        if (s->n_names > 0)
                return session_fail(CTL_EXIT_USAGE, "list --groups takes no names; the members of one: chimectl list @NAME");
        int status = list_groups(s, &groups);
        if (status == CTL_EXIT_DONE && s->is_json)
                session_json(s, groups);
        else if (status == CTL_EXIT_DONE && screen_groups(&s->view, groups, s->out) < 0)
                status = session_tell_memory();
        json_decref(groups);
        return status;
}

int verb_list(struct session *s) {
        if (session_has(s, OPTION_GROUPS))
                return show_groups(s);
        json_t *jobs = NULL, *status = NULL;
        int r = names_list_jobs(s, s->names, s->n_names, &jobs);

        if (r == CTL_EXIT_DONE && s->is_json)
                session_json(s, jobs);
        else if (r == CTL_EXIT_DONE) {
                r = session_call(s, API_GET_STATUS, json_object(), &status);
                if (r == CTL_EXIT_DONE)
                        add_missed(s, jobs);
                if (r == CTL_EXIT_DONE && screen_list(&s->view, jobs, status, s->out) < 0)
                        r = session_tell_memory();
        }
        json_decref(status);
        json_decref(jobs);
        return r;
}

/* What a verb of single jobs does for each: calls a method, to which it adds something, and shows the reply. */
struct look {
        enum api_method method;
        int (*add)(struct session *s, json_t *parameters); /* an exit status; NULL: nothing */
        void (*extend)(struct session *s, json_t *reply);  /* for people; NULL: nothing */
        int (*show)(const struct view *v, const json_t *reply, FILE *out);
        bool is_nameless; /* what is shown does not begin with the job's name */
};

static void print_name(struct session *s, const char *job) {
        view_color(&s->view, s->out, VIEW_BOLD);
        fprintf(s->out, "%s:", job);
        view_color(&s->view, s->out, VIEW_PLAIN);
        fputc('\n', s->out);
}

static int look_at(struct session *s, const struct look *look, const char *job, bool is_first, bool is_only) {
        json_t *reply = NULL, *parameters = json_pack("{s:s}", "job", job);
        int status = look->add && parameters ? look->add(s, parameters) : CTL_EXIT_DONE;

        if (status == CTL_EXIT_DONE)
                status = session_call(s, look->method, json_incref(parameters), &reply);
        json_decref(parameters);
        if (status != CTL_EXIT_DONE)
                return status;
        if (s->is_json)
                session_json(s, reply);
        else {
                if (!is_first)
                        fputc('\n', s->out);
                if (look->is_nameless && !is_only)
                        print_name(s, job);
                if (look->extend)
                        look->extend(s, reply);
                if (look->show(&s->view, reply, s->out) < 0)
                        status = session_tell_memory();
        }
        json_decref(reply);
        return status;
}

/* The worst status wins. */
static int look_at_each(struct session *s, const struct look *look) {
        struct names names;
        int worst = names_resolve(s, s->names, s->n_names, &names);

        if (worst != CTL_EXIT_DONE)
                return worst;
        for (size_t i = 0; i < names.n; i++) {
                int status = look_at(s, look, names.list[i], i == 0, names.n == 1);
                worst = status > worst ? status : worst;
        }
        names_done(&names);
        return worst;
}

int verb_show(struct session *s) {
        static const struct look look = {API_SHOW_JOB, NULL, add_latest_slots, screen_show, false};

        return look_at_each(s, &look);
}

/* An instant to the second means all of it: the screens show no more. */
static int add_instant(struct session *s, json_t *parameters) {
        int64_t at_us = session_number(s, OPTION_AT, 0);

        if (session_has(s, OPTION_AT))
                json_object_set_new(parameters, "atUsec",
                                    json_integer(at_us % USEC_PER_SEC == 0 ? at_us + USEC_PER_SEC - 1 : at_us));
        return CTL_EXIT_DONE;
}

int verb_why(struct session *s) {
        static const struct look look = {API_WHY, add_instant, NULL, screen_why, true};

        return look_at_each(s, &look);
}

/* ---- next ---- */

static json_t *next_parameters(const struct session *s, const char *name, int64_t after) {
        json_t *p = json_object();

        if (name)
                json_object_set_new(p, "jobs", json_pack("[s]", name));
        if (session_has(s, OPTION_NUMBER))
                json_object_set_new(p, "n", json_integer(session_number(s, OPTION_NUMBER, 1)));
        if (session_has(s, OPTION_FROM))
                json_object_set_new(p, "fromUsec", json_integer(session_number(s, OPTION_FROM, 0)));
        if (after >= 0)
                json_object_set_new(p, "after", json_integer(after));
        return p;
}

/* Appends all pages of one job, or of all. */
static int add_next(struct session *s, const char *name, json_t *slots) {
        int64_t after = -1;

        do {
                json_t *page;
                int status = session_call(s, API_NEXT, next_parameters(s, name, after), &page);
                if (status != CTL_EXIT_DONE)
                        return status;
                json_array_extend(slots, json_object_get(page, "next"));
                int64_t next = reply_int(page, "after", -1);
                after = next > after ? next : -1; /* else it would never end */
                json_decref(page);
        } while (after >= 0);
        return CTL_EXIT_DONE;
}

static int compare_slots(const void *a, const void *b) {
        int64_t x = reply_int(*(json_t *const *)a, "startUsec", 0), y = reply_int(*(json_t *const *)b, "startUsec", 0);

        return (x > y) - (x < y);
}

/* Whether the arguments are expressions: an option for them says so, or one that can be nothing else. */
static bool is_about_expressions(const struct session *s) {
        size_t i = 0;

        if (s->n_names > 0 && (session_has(s, OPTION_CRON) || session_has(s, OPTION_ZONE) || session_has(s, OPTION_GAP) ||
                               session_has(s, OPTION_FOLD)))
                return true;
        while (i < s->n_names && !explain_is_expression(s->names[i]))
                i++;
        return i < s->n_names;
}

int verb_next(struct session *s) {
        if (is_about_expressions(s))
                return verb_explain_each(s, true);
        struct names names = {};
        json_t *slots = json_array();
        int status = names_resolve(s, s->names, s->n_names, &names);

        for (size_t i = 0; status == CTL_EXIT_DONE && i < names.n; i++)
                status = add_next(s, names.list[i], slots);
        if (status == CTL_EXIT_DONE && names.n == 0)
                status = add_next(s, NULL, slots);
        if (status == CTL_EXIT_DONE && names.n == 0 && reply_sort(slots, compare_slots) < 0)
                status = session_tell_memory();
        if (status == CTL_EXIT_DONE && s->is_json) {
                json_t *reply = json_pack("{s:O}", "next", slots);
                session_json(s, reply);
                json_decref(reply);
        } else if (status == CTL_EXIT_DONE && screen_next(&s->view, slots, s->out) < 0)
                status = session_tell_memory();
        if (status == CTL_EXIT_DONE && json_array_size(slots) == 0)
                session_say(s, "Nothing is planned; why: chimectl why %s", names.n > 0 ? names.list[0] : "JOB");
        json_decref(slots);
        names_done(&names);
        return status;
}

/* ---- watch ---- */

/* "started,ended" as an array. NULL where one is unknown (told). */
static json_t *split_kinds(const char *text) {
        json_t *kinds = json_array();

        while (kinds && *text) {
                size_t size = strcspn(text, ",");
                const char *const *kind = api_event_kinds();
                while (*kind && (strlen(*kind) != size || memcmp(*kind, text, size) != 0))
                        kind++;
                if (!*kind) {
                        fprintf(stderr, "chimectl: --kinds: no kind of events \"%.*s\"; there are:", (int)size, text);
                        for (kind = api_event_kinds(); *kind; kind++)
                                fprintf(stderr, " %s", *kind);
                        fputc('\n', stderr);
                        json_decref(kinds);
                        return NULL;
                }
                json_array_append_new(kinds, json_string(*kind));
                text += size + (text[size] == ',');
        }
        return kinds;
}

static int print_events(struct session *s, struct client *client) {
        struct client_reply reply = {.has_more = true};

        while (reply.has_more) {
                int status = session_take(s, API_SUBSCRIBE, client_receive(client, CLIENT_NO_DEADLINE, &reply), &reply);
                if (status != CTL_EXIT_DONE)
                        return status;
                s->view.now_us = reply_int(reply.parameters, "atUsec", s->view.now_us);
                if (s->is_json)
                        session_json_line(s, reply.parameters);
                else if (screen_event(&s->view, reply.parameters, s->out) < 0)
                        status = session_tell_memory();
                session_flush(s);
                client_reply_done(&reply);
                if (status != CTL_EXIT_DONE)
                        return status;
        }
        return CTL_EXIT_DONE;
}

int verb_watch(struct session *s) {
        json_t *kinds = session_has(s, OPTION_KINDS) ? split_kinds(session_text(s, OPTION_KINDS)) : NULL;
        struct names names = {};
        struct client *client = NULL;

        if (session_has(s, OPTION_KINDS) && !kinds)
                return CTL_EXIT_USAGE;
        int status = names_resolve(s, s->names, s->n_names, &names);
        json_t *parameters = json_object();
        if (kinds)
                json_object_set_new(parameters, "kinds", kinds);
        if (names.n > 0)
                json_object_set_new(parameters, "jobs", json_array());
        for (size_t i = 0; i < names.n; i++)
                json_array_append_new(json_object_get(parameters, "jobs"), json_string(names.list[i]));
        names_done(&names);
        if (status == CTL_EXIT_DONE)
                status = session_connect(s, &client);
        if (status == CTL_EXIT_DONE)
                status = session_send(s, client, API_SUBSCRIBE, parameters, true);
        else
                json_decref(parameters);
        if (status == CTL_EXIT_DONE)
                status = print_events(s, client);
        client_free(client);
        return status;
}
