// SPDX-License-Identifier: MIT
// control_methods: one row a method: what it asks for is checked by the table of the interface before its function is called. Here
// are also the methods that only look.

#include "daemon/scheduler/control_methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_commands.h"
#include "daemon/scheduler/control_feed.h"
#include "daemon/scheduler/control_groups.h"
#include "daemon/scheduler/control_history.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_parameters.h"
#include "daemon/scheduler/control_policy.h"
#include "daemon/scheduler/control_simulate.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/control_words.h"

#define URL         "man:io.chimed(7)"
#define SLOTS_MAX   1000                        /* of one job in a reply of Next, and about so many in all */
#define INSTANT_MAX INT64_C(253402300799999999) /* the year 9999 */

/* ---- replies ---- */

void control_send(struct control_client *client, json_t *parameters, bool has_more) {
        if (!client->is_dead && !client->is_deaf) {
                message_put_reply(&client->out, parameters, has_more);
                control_client_touch(client);
        }
        json_decref(parameters);
}

static void send_error(struct control_client *client, const char *interface, const char *error, json_t *parameters) {
        if (!client->is_dead && !client->is_deaf) {
                message_put_error(&client->out, interface, error, parameters);
                control_client_touch(client);
        }
        json_decref(parameters);
}

void control_client_error(struct control_client *client, enum api_error error, json_t *parameters) {
        send_error(client, API_INTERFACE, api_errors()[error].name, parameters);
}

void control_reply(const struct control_call *call, json_t *parameters) {
        if (call->message->is_oneway)
                json_decref(parameters);
        else
                control_send(call->client, parameters, false);
}

void control_error(const struct control_call *call, enum api_error error, json_t *parameters) {
        if (call->message->is_oneway)
                json_decref(parameters);
        else
                control_client_error(call->client, error, parameters);
}

/* A standard error with one parameter of text, or none. */
static void service_error(struct control_client *client, const struct message_call *message, const char *error,
                          const char *name, const char *value) {
        if (message->is_oneway)
                return;
        json_t *parameters = json_object();
        if (name)
                control_put_text(&parameters, name, value);
        send_error(client, API_SERVICE, error, parameters);
}

void control_invalid(const struct control_call *call, const char *parameter) {
        service_error(call->client, call->message, "InvalidParameter", "parameter", parameter);
}

void control_denied(const struct control_call *call, enum api_right right) {
        char by[32];
        bool is_group = call->group != INDEX_NONE;
        const char *job = is_group                  ? message_get_text(call->message, "job", NULL)
                          : call->job != INDEX_NONE ? engine_job_name(call->engine, call->job)
                                                    : NULL;
        if (is_group)
                right = control_group_needs(call, right);
        control_tell(call->control, call->now, true, is_group ? NULL : job, "%s%s%s was denied to %s: no right to %s",
                     call->row->name, job ? " of " : "", job ? job : "", control_by(call->client, by),
                     api_right_to_string(right));
        if (call->message->is_oneway)
                return;
        json_t *parameters = json_object();
        control_put_text(&parameters, "right", api_right_to_string(right));
        control_put_text(&parameters, "job", job);
        control_put_text(&parameters, "holders", control_holders(right, is_group));
        send_error(call->client, API_SERVICE, "PermissionDenied", parameters);
}

static void no_such_job(const struct control_call *call, const char *name) {
        json_t *parameters = json_object();
        control_put_text(&parameters, "job", name);
        control_error(call, API_ERROR_NO_SUCH_JOB, parameters);
}

/* ---- parameters ---- */

static int add_row(struct control_rows *rows, size_t *allocated, uint32_t job) {
        if (rows->n == *allocated) {
                size_t n = *allocated * 2 + 8;
                uint32_t *list = reallocarray(rows->list, n, sizeof(*list));
                if (!list)
                        return -EBADMSG;
                rows->list = list;
                *allocated = n;
        }
        rows->list[rows->n++] = job;
        return 0;
}

/* A job, or the members of a group. 0; 1: there is none; -EBADMSG without memory. */
static int add_rows(const struct control_call *call, const char *name, struct control_rows *rows, size_t *allocated) {
        const struct engine *e = call->engine;
        uint32_t group;
        int r = 0;
        if (!control_find_group(e, name, &group)) {
                uint32_t job = engine_find_job(e, name);
                return job == INDEX_NONE ? 1 : add_row(rows, allocated, job);
        }
        if (group == INDEX_NONE)
                return 1;
        for (uint32_t job = engine_walk_members(e, group, 0); r == 0 && job != INDEX_NONE;
             job = engine_walk_members(e, group, job + 1))
                r = add_row(rows, allocated, job);
        return r;
}

int control_get_rows(const struct control_call *call, const char *parameter, struct control_rows *ret) {
        const json_t *names = message_get(call->message, parameter);
        struct control_rows rows = {.is_some = names};
        size_t i, allocated = 0;
        json_t *name;
        if (json_array_size(names) > CONTROL_NAMES_MAX) {
                json_t *parameters = json_object();
                control_put_text(&parameters, "what", "jobs in a call");
                control_put_int(&parameters, "limit", CONTROL_NAMES_MAX);
                control_error(call, API_ERROR_LIMIT_REACHED, parameters);
                return 1;
        }
        json_array_foreach(names, i, name) {
                int r = add_rows(call, json_string_value(name), &rows, &allocated);
                if (r == 0)
                        continue;
                if (r == 1)
                        no_such_job(call, json_string_value(name));
                control_rows_done(&rows);
                return r;
        }
        control_rows_sort(&rows);
        *ret = rows;
        return 0;
}

/* The place of a page. False where the call is answered with an error. */
static bool get_after(const struct control_call *call, uint32_t *ret) {
        int64_t after = message_get_int(call->message, "after", 0);
        if (after < 0 || after > UINT32_MAX) {
                control_invalid(call, "after");
                return false;
        }
        *ret = (uint32_t)after;
        return true;
}

/* ---- GetStatus ---- */

/* "settings\nfolder\nfolder" */
static void put_files(json_t **object, const char *files) {
        json_t *folders = json_array();
        size_t n = strcspn(files ? files : "", "\n");
        _cleanup_free_ char *copy = strdup(files ? files : "");
        if (!copy || !folders) {
                json_decref(folders);
                control_put(object, "jobFolders", NULL);
                return;
        }
        char *save = NULL, *rest = copy + n + (copy[n] == '\n');
        copy[n] = '\0';
        control_put_text(object, "settingsFile", copy);
        for (char *line = strtok_r(rest, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                control_append(&folders, control_json_text(line));
        control_put(object, "jobFolders", folders);
}

static void put_instance(json_t **object, const uint8_t *instance) {
        char text[33] = "";
        for (int i = 0; instance && i < 16; i++)
                snprintf(text + 2 * i, 3, "%02x", instance[i]);
        control_put_text(object, "instance", text);
}

static int do_get_status(struct control_call *call) {
        struct control *c = call->control;
        const struct wire_commit *commit = link_commit(c->link);
        struct engine_totals totals;
        engine_count(call->engine, &totals);
        json_t *o = json_object();
        control_put_text(&o, "version", CHIMED_VERSION);
        put_instance(&o, link_instance(c->link));
        control_put_int(&o, "upSinceUsec", c->since_rt_us);
        control_put_int(&o, "pid", getpid());
        put_files(&o, link_files(c->link));
        control_put_int(&o, "generation", (int64_t)commit->generation);
        control_put_int(&o, "files", commit->n_files);
        control_put_int(&o, "errors", commit->n_errors);
        control_put_int(&o, "warnings", commit->n_warnings);
        control_put_int(&o, "jobs", commit->n_jobs);
        control_put_int(&o, "running", totals.n_running);
        control_put_int(&o, "paused", totals.n_paused);
        control_put_int(&o, "cancelled", totals.n_cancelled);
        control_put_int(&o, "failing", book_totals(call->book)->n_failing);
        control_put_int(&o, "connections", (int64_t)c->n_clients);
        control_put_int(&o, "subscriptions", (int64_t)c->n_feeds);
        control_put_int(&o, "eventsDropped", (int64_t)c->n_events_dropped);
        control_put_int(&o, "journalDropped", (int64_t)journal_dropped(c->journal));
        control_put_bool(&o, "isStopping", c->is_stopping);
        control_reply(call, o);
        return 0;
}

/* ---- ListJobs ---- */

json_t *control_list_page(struct control *c, struct control_client *client, struct clock_sample now,
                          const struct control_rows *rows, uint32_t *at, bool *ret_is_last) {
        const struct engine *e = link_engine(c->link);
        json_t *jobs = json_array(), *o = json_object();
        uint32_t job = INDEX_NONE;
        (void)client;
        for (int i = 0; i < CONTROL_PAGE && (job = control_rows_walk(rows, e, at)) != INDEX_NONE; i++)
                control_append(&jobs, control_json_job(e, link_book(c->link), now, job));
        control_put(&o, "jobs", jobs);
        control_put_known(&o, "after", job != INDEX_NONE, *at);
        *ret_is_last = job == INDEX_NONE;
        return o;
}

static int do_list_jobs(struct control_call *call) {
        struct control_rows rows;
        uint32_t at;
        bool is_last;
        if (!get_after(call, &at))
                return 0;
        int r = control_get_rows(call, "jobs", &rows);
        if (r != 0)
                return r < 0 ? r : 0;
        if (call->message->is_more) {
                if (control_wait_is_free(call)) {
                        struct control_wait *wait = control_wait_begin(call, CONTROL_WAIT_PAGES, INT64_MAX);
                        wait->rows = rows;
                        wait->at = at;
                        return 0;
                }
        } else
                control_reply(call, control_list_page(call->control, call->client, call->now, &rows, &at, &is_last));
        control_rows_done(&rows);
        return 0;
}

/* ---- ShowJob ---- */

static void put_recent(json_t **object, const char *name, const struct book_job *book) {
        json_t *recent = json_array();
        for (size_t i = 0; book && i < book->n_recent; i++)
                control_append(&recent, control_json_range(name, &book->recent[i], 0));
        control_put(object, "recent", recent);
}

void control_show(struct control_client *client, struct clock_sample now, uint32_t job,
                  const struct wire_described *described) {
        const struct engine *e = link_engine(client->control->link);
        const struct book *b = link_book(client->control->link);
        const char *name = engine_job_name(e, job);
        const struct book_job *book = book_find(b, job);
        bool may_control = control_client_right(client, e, job) >= API_RIGHT_CONTROL;
        json_t *o = control_json_job(e, b, now, job);
        if (described && (!described->is_known || !may_control))
                described = NULL;
        control_put(&o, "lastRun", control_json_run(name, book ? book->last : NULL, may_control));
        control_put(&o, "lastGood", control_json_run(name, book ? book->last_good : NULL, may_control));
        control_put(&o, "lastFailure", control_json_run(name, book ? book->last_failure : NULL, may_control));
        put_recent(&o, name, book);
        control_put_policy(&o, e, job);
        control_put_text(&o, "command", described && !described->is_unit ? described->command : NULL);
        control_put_text(&o, "unit", described && described->is_unit ? described->command : NULL);
        control_put_text(&o, "user", described && described->user[0] ? described->user : NULL);
        control_put_text(&o, "stopPath", described && described->stop_path[0] ? described->stop_path : NULL);
        control_put(&o, "accepted", control_json_accepted(e, job));
        control_put(&o, "conditions", described ? control_json_lines(described->conditions) : json_null());
        bool has_timeout = described && described->timeout_us <= DURATION_MAX;
        control_put_known(&o, "timeoutUsec", has_timeout, has_timeout ? described->timeout_us : 0);
        control_put_text(&o, "file", described ? described->file : NULL);
        control_put_known(&o, "line", described, described ? described->line : 0);
        control_send(client, o, false);
}

/* Only who may control hears what a job runs, so only for them the runner is asked. */
static int do_show_job(struct control_call *call) {
        struct control *c = call->control;
        if (call->right >= API_RIGHT_CONTROL) {
                if (!control_wait_is_free(call))
                        return 0;
                int r = link_describe(c->link, ++c->descriptions, engine_job_name(call->engine, call->job));
                if (r < 0 && r != -ENOBUFS) /* a runner that does not read its orders won't answer */
                        return r;
                if (r == 0) {
                        struct control_wait *wait =
                                control_wait_begin(call, CONTROL_WAIT_DESCRIBE, call->now.bt_us + CONTROL_DESCRIBE_US);
                        wait->number = c->descriptions;
                        return 0;
                }
        }
        control_show(call->client, call->now, call->job, NULL);
        return 0;
}

/* ---- Next ---- */

/* Appends the slots of a job; returns how many. */
static size_t put_slots(const struct control_call *call, uint32_t job, int64_t from_us, size_t n, json_t **list) {
        static int64_t slots[SLOTS_MAX], starts[SLOTS_MAX];
        char buf[WORDS_SCHEDULE_MAX];
        struct job_view view;
        engine_view(call->engine, call->now, job, &view);
        const char *note = words_next_reason(&view, engine_job_when(call->engine, job), buf);
        n = engine_next_slots(call->engine, call->now, job, from_us, n, slots, starts);
        for (size_t i = 0; i < n; i++) {
                json_t *o = json_object();
                control_put_text(&o, "job", engine_job_name(call->engine, job));
                control_put_int(&o, "slotUsec", slots[i]);
                control_put_int(&o, "startUsec", starts[i]);
                control_put_text(&o, "note", note);
                control_append(list, o);
        }
        return n;
}

static json_t *next_page(const struct control_call *call, const struct control_rows *rows, uint32_t at, int64_t from_us,
                         size_t n) {
        json_t *list = json_array(), *o = json_object();
        uint32_t job = INDEX_NONE;
        size_t n_slots = 0;
        for (int i = 0; i < CONTROL_PAGE && n_slots < SLOTS_MAX; i++) {
                job = control_rows_walk(rows, call->engine, &at);
                if (job == INDEX_NONE)
                        break;
                n_slots += put_slots(call, job, from_us, n, &list);
        }
        control_put(&o, "next", list);
        control_put_known(&o, "after", job != INDEX_NONE, at);
        return o;
}

static int do_next(struct control_call *call) {
        struct control_rows rows;
        uint32_t at;
        int64_t n = message_get_int(call->message, "n", 1),
                from_us = message_get_int(call->message, "fromUsec", call->now.rt_us);
        if (!get_after(call, &at))
                return 0;
        if (n < 1 || n > SLOTS_MAX || from_us < 0 || from_us > INSTANT_MAX) {
                control_invalid(call, n < 1 || n > SLOTS_MAX ? "n" : "fromUsec");
                return 0;
        }
        int r = control_get_rows(call, "jobs", &rows);
        if (r != 0)
                return r < 0 ? r : 0;
        control_reply(call, next_page(call, &rows, at, from_us, (size_t)n));
        control_rows_done(&rows);
        return 0;
}

/* ---- org.varlink.service ---- */

static int do_get_info(struct control_client *client, const struct message_call *message) {
        json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:[s,s]}", "vendor", "chimed", "product", "chimed", "version", CHIMED_VERSION,
                              "url", URL, "interfaces", API_INTERFACE, API_SERVICE);
        if (message->is_oneway)
                json_decref(o);
        else
                control_send(client, o, false);
        return 0;
}

static int do_describe_interface(struct control_client *client, const struct message_call *message) {
        static const struct api_field fields[] = {{"interface", API_STRING, NULL, false, ""}};
        _cleanup_free_ char *printed = NULL;
        const char *wrong = message_check(message, fields, ARRAY_SIZE(fields)), *text = NULL;
        if (wrong) {
                service_error(client, message, "InvalidParameter", "parameter", wrong);
                return 0;
        }
        const char *name = message_get_text(message, "interface", "");
        if (strcmp(name, API_SERVICE) == 0)
                text = api_service_idl();
        else if (strcmp(name, API_INTERFACE) == 0) {
                int r = api_print_idl(&printed);
                if (r < 0)
                        return -EBADMSG;
                text = printed;
        }
        if (!text) {
                service_error(client, message, "InterfaceNotFound", "interface", name);
                return 0;
        }
        if (!message->is_oneway) {
                json_t *o = json_object();
                control_put_text(&o, "description", text);
                control_send(client, o, false);
        }
        return 0;
}

static int dispatch_service(struct control_client *client, const struct message_call *message, const char *method) {
        if (strcmp(method, "GetInterfaceDescription") == 0)
                return do_describe_interface(client, message);
        if (strcmp(method, "GetInfo") != 0) {
                service_error(client, message, "MethodNotFound", "method", message->method);
                return 0;
        }
        const char *wrong = message_check(message, NULL, 0);
        if (!wrong)
                return do_get_info(client, message);
        service_error(client, message, "InvalidParameter", "parameter", wrong);
        return 0;
}

/* ---- dispatch ---- */

static int (*const functions[API_METHOD_MAX])(struct control_call *call) = {
        [API_GET_STATUS] = do_get_status,
        [API_LIST_JOBS] = do_list_jobs,
        [API_SHOW_JOB] = do_show_job,
        [API_NEXT] = do_next,
        [API_SIMULATE] = control_do_simulate,
        [API_LIST_GROUPS] = control_do_list_groups,
        [API_WHY] = control_do_why,
        [API_LIST_RUNS] = control_do_list_runs,
        [API_LIST_MISSED] = control_do_list_missed,
        [API_AUDIT] = control_do_audit,
        [API_TRIGGER] = control_do_trigger,
        [API_CANCEL] = control_do_cancel,
        [API_START] = control_do_start,
        [API_PAUSE] = control_do_pause,
        [API_RESUME] = control_do_resume,
        [API_SET_INTERVAL] = control_do_set_interval,
        [API_WAIT] = control_do_wait,
        [API_SUBSCRIBE] = control_do_subscribe,
        [API_RELOAD] = control_do_reload,
};

/* The ledger knows jobs that nobody defines any more. */
static bool may_be_gone(const struct api_row *row) {
        ptrdiff_t method = row - api_methods();
        return method == API_LIST_RUNS || method == API_LIST_MISSED || method == API_AUDIT;
}

/* Everything that the table says of the call. False where it is answered with an error. */
static bool is_in_order(struct control_call *call) {
        const struct api_row *row = call->row;
        const char *wrong = message_check(call->message, row->in, row->n_in);
        if (wrong) {
                control_invalid(call, wrong);
                return false;
        }
        if (row->more == API_MUST_MORE && !call->message->is_more) {
                service_error(call->client, call->message, "ExpectedMore", NULL, NULL);
                return false;
        }
        if (!call->engine) {
                control_error(call, API_ERROR_NOT_READY, NULL);
                return false;
        }
        const char *job = message_get_text(call->message, "job", NULL);
        if (job && control_takes_group((enum api_method)(row - api_methods())) &&
            control_find_group(call->engine, job, &call->group)) {
                if (call->group == INDEX_NONE) {
                        no_such_job(call, job);
                        return false;
                }
                call->right = control_group_right(call);
        } else if (job && (call->job = engine_find_job(call->engine, job)) == INDEX_NONE && !may_be_gone(row)) {
                no_such_job(call, job);
                return false;
        }
        if (call->group == INDEX_NONE)
                call->right = control_client_right(call->client, call->engine, call->job);
        if (call->right >= row->right)
                return true;
        control_denied(call, row->right);
        return false;
}

static int dispatch(struct control_client *client, const struct message_call *message) {
        struct control *c = client->control;
        const char *dot = strrchr(message->method, '.');
        size_t n = dot ? (size_t)(dot - message->method) : 0;
        if (dot && n == strlen(API_SERVICE) && strncmp(message->method, API_SERVICE, n) == 0)
                return dispatch_service(client, message, dot + 1);
        bool is_ours = dot && n == strlen(API_INTERFACE) && strncmp(message->method, API_INTERFACE, n) == 0;
        const struct api_row *row = is_ours ? api_method_find(dot + 1) : NULL;
        if (!row) {
                service_error(client, message, "MethodNotFound", "method", message->method);
                return 0;
        }
        struct control_call call = {
                .control = c,
                .client = client,
                .message = message,
                .row = row,
                .job = INDEX_NONE,
                .group = INDEX_NONE,
        };
        if (link_engine(c->link)) {
                int r = link_now(c->link, &call.now); /* hears the runner, whose last word this may be */
                if (r < 0)
                        return r;
                call.engine = link_engine(c->link);
                call.book = link_book(c->link);
        }
        if (!is_in_order(&call))
                return 0;
        /* where nobody hears the answer, looking has no effect: who sends much and hangs up shall not make work */
        if (call.group != INDEX_NONE)
                return control_do_group(&call);
        bool is_heard = !message->is_oneway && !client->is_deaf;
        return is_heard || row->right > API_RIGHT_SEE ? functions[row - api_methods()](&call) : 0;
}

int control_dispatch(struct control_client *client, const char *text, size_t size) {
        struct message_call message;
        int r = message_read_call(text, size, &message);
        if (r < 0)
                return -EBADMSG; /* without memory too: the client may come again */
        r = dispatch(client, &message);
        message_call_done(&message);
        return r;
}
