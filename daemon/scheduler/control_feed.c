// SPDX-License-Identifier: MIT
// control_feed: subscriptions. An event is printed once, without its number; each subscriber's queue points at it, and the number is put
// behind it on the way out. A full queue drops its oldest events; what may not be dropped has a queue of its own, and the numbers say
// in which order both go out.

#include "daemon/scheduler/control_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_commands.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/control_watch.h"

/* An event as text: the reply up to where "seq" goes. */
struct event {
        unsigned n_uses;
        size_t size;
        char text[];
};

struct entry {
        struct event *event; /* one use */
        uint64_t seq;
};

/* A ring that grows up to a limit. */
struct queue {
        struct entry *entries;
        size_t first, n, allocated;
};

struct control_feed {
        unsigned kinds; /* bits, in the order of api_event_kinds() */
        struct queue events, ends;
        size_t limit;            /* of events */
        size_t bytes;            /* of what is in the queues */
        uint64_t seq;            /* of the latest event */
        uint64_t lost, lost_seq; /* events dropped since the last that went out, and the latest of them */
};

/* ---- kinds ---- */

static unsigned bit_of(const char *kind) {
        const char *const *kinds = api_event_kinds();
        for (unsigned i = 0; kinds[i]; i++)
                if (strcmp(kinds[i], kind) == 0)
                        return 1u << i;
        return 0;
}

/* ---- events ---- */

static struct event *event_unref(struct event *event) {
        if (event && --event->n_uses == 0)
                free(event);
        return NULL;
}

/* Takes the parameters and prints them with an open end. NULL without memory. */
static struct event *event_new(json_t *parameters) {
        struct pack p = {0};
        message_put_json(&p, parameters);
        json_decref(parameters);
        struct event *event = pack_result(&p) == 0 && p.size > 0 ? malloc(sizeof(*event) + p.size) : NULL;
        if (event) {
                *event = (struct event){.n_uses = 1, .size = p.size - 1}; /* without its last brace */
                memcpy(event->text, p.data, event->size);
        }
        pack_done(&p);
        return event;
}

static json_t *event_json(const char *kind, int64_t at_us, const char *job) {
        json_t *o = json_object();
        control_put_text(&o, "kind", kind);
        control_put_int(&o, "atUsec", at_us);
        if (job)
                control_put_text(&o, "job", job);
        return o;
}

static void put_event(struct control_client *client, const struct event *event, uint64_t seq, bool is_last) {
        static const char begin[] = "{\"parameters\":";
        char end[64];
        if (client->is_dead || client->is_deaf)
                return;
        int n = snprintf(end, sizeof(end), ",\"seq\":%" PRIu64 "}%s}", seq, is_last ? "" : ",\"continues\":true");
        pack_raw(&client->out, begin, sizeof(begin) - 1);
        pack_raw(&client->out, event->text, event->size);
        pack_raw(&client->out, end, (size_t)n + 1);
        control_client_touch(client);
}

/* ---- queues ---- */

static int queue_push(struct queue *q, struct event *event, uint64_t seq) {
        if (q->n == q->allocated) {
                size_t n = q->allocated ? q->allocated * 2 : 16;
                struct entry *entries = calloc(n, sizeof(*entries));
                if (!entries)
                        return -ENOMEM;
                for (size_t i = 0; i < q->n; i++)
                        entries[i] = q->entries[(q->first + i) % q->allocated];
                free(q->entries);
                *q = (struct queue){.entries = entries, .n = q->n, .allocated = n};
        }
        event->n_uses++;
        q->entries[(q->first + q->n++) % q->allocated] = (struct entry){.event = event, .seq = seq};
        return 0;
}

/* Takes the oldest out; its use goes to the caller. */
static struct entry queue_pop(struct queue *q) {
        struct entry entry = q->entries[q->first];
        q->first = (q->first + 1) % q->allocated;
        q->n--;
        return entry;
}

static struct entry feed_pop(struct control_feed *feed, struct queue *q) {
        struct entry entry = queue_pop(q);
        feed->bytes -= entry.event->size;
        return entry;
}

static void drop_oldest(struct control *c, struct control_feed *feed) {
        struct entry entry = feed_pop(feed, &feed->events);
        feed->lost++;
        feed->lost_seq = entry.seq;
        c->n_events_dropped++;
        event_unref(entry.event);
}

/* Gives an event to a subscriber; who does not read drops its oldest ones for it. */
static void feed_push(struct control_wait *wait, struct event *event, bool is_end) {
        struct control_feed *feed = wait->feed;
        struct control *c = wait->client->control;
        uint64_t seq = ++feed->seq;
        while (feed->events.n > 0 &&
               ((!is_end && feed->events.n >= feed->limit) || feed->bytes + event->size > CONTROL_QUEUE_SIZE))
                drop_oldest(c, feed);
        struct queue *q = is_end ? &feed->ends : &feed->events;
        /* ends can't be dropped: with more of them than are bearable the stream has to end */
        if (q->n >= CONTROL_QUEUE_MAX || queue_push(q, event, seq) < 0) {
                control_client_close(wait->client);
                return;
        }
        feed->bytes += event->size;
        control_client_touch(wait->client);
}

void control_feed_shed(struct control *c, struct control_feed *feed) {
        while (feed->events.n > 0)
                drop_oldest(c, feed);
}

struct control_feed *control_feed_free(struct control_feed *feed) {
        if (!feed)
                return NULL;
        while (feed->events.n > 0)
                event_unref(feed_pop(feed, &feed->events).event);
        while (feed->ends.n > 0)
                event_unref(feed_pop(feed, &feed->ends).event);
        free(feed->events.entries);
        free(feed->ends.entries);
        free(feed);
        return NULL;
}

size_t control_feed_bytes(const struct control_feed *feed) {
        return feed->bytes + (feed->events.allocated + feed->ends.allocated) * sizeof(struct entry);
}

/* ---- out ---- */

static void send_dropped(struct control_wait *wait, struct clock_sample now) {
        struct control_feed *feed = wait->feed;
        json_t *o = event_json("dropped", now.rt_us, NULL);
        control_put_int(&o, "count", (int64_t)feed->lost);
        struct event *event = event_new(o);
        if (event)
                put_event(wait->client, event, feed->lost_seq, false);
        event_unref(event);
        feed->lost = 0;
}

/* Sends the next that waits. False where nothing does. */
static bool send_next(struct control_wait *wait, struct clock_sample now) {
        struct control_feed *feed = wait->feed;
        struct queue *events = &feed->events, *ends = &feed->ends;
        uint64_t event_seq = events->n > 0 ? events->entries[events->first].seq : UINT64_MAX;
        uint64_t end_seq = ends->n > 0 ? ends->entries[ends->first].seq : UINT64_MAX;
        if (feed->lost > 0 && feed->lost_seq < end_seq) {
                send_dropped(wait, now);
                return true;
        }
        if (event_seq == UINT64_MAX && end_seq == UINT64_MAX)
                return false;
        struct entry entry = feed_pop(feed, event_seq < end_seq ? events : ends);
        put_event(wait->client, entry.event, entry.seq, false);
        event_unref(entry.event);
        return true;
}

static json_t *state_json(const struct control *c, struct clock_sample now, uint32_t job) {
        const struct engine *e = link_engine(c->link);
        struct job_view view;
        engine_view(e, now, job, &view);
        json_t *o = event_json("state", now.rt_us, engine_job_name(e, job));
        control_put_text(&o, "state", job_status_to_string(view.status));
        control_put_known(&o, "nextSlotUsec", view.next_slot_rt_us != INT64_MAX, view.next_slot_rt_us);
        control_put(&o, "runningRunIds", control_json_running(e, job));
        control_put(&o, "hold", control_json_hold(e, now, &view, book_find(link_book(c->link), job)));
        return o;
}

/* How one more job stands; its run in flight is watched where the subscriber wants its output. False at the end. */
static bool send_state(struct control_wait *wait, struct clock_sample now) {
        struct control *c = wait->client->control;
        const struct engine *e = link_engine(c->link);
        uint32_t job = e ? control_rows_walk(&wait->rows, e, &wait->at) : INDEX_NONE;
        if (job == INDEX_NONE)
                return false;
        if (wait->feed->kinds & bit_of("state")) {
                struct event *event = event_new(state_json(c, now, job));
                if (event)
                        put_event(wait->client, event, ++wait->feed->seq, false);
                event_unref(event);
        }
        uint64_t runs[ENGINE_RUNS_MAX];
        size_t n = control_feed_wants_output(wait, e, job) ? engine_list_runs(e, job, runs) : 0;
        for (size_t i = 0; i < n; i++)
                (void)control_watch_begin(c, job, runs[i], false); /* without memory it is not followed */
        return true;
}

static bool has_states(const struct control_wait *wait) {
        return wait->rows.is_some ? wait->at < wait->rows.n : wait->at != INDEX_NONE;
}

bool control_feed_has_more(const struct control_wait *wait) {
        return wait->feed->events.n > 0 || wait->feed->ends.n > 0 || wait->feed->lost > 0 || has_states(wait);
}

/* What waits goes first: so the numbers rise. */
void control_feed_room(struct control_wait *wait, struct clock_sample now) {
        for (int i = 0; i < CONTROL_PAGE && !wait->client->is_dead; i++) {
                if (control_client_waiting(wait->client) > CONTROL_STREAM_MARK)
                        return;
                if (!send_next(wait, now) && !send_state(wait, now)) {
                        wait->at = wait->rows.is_some ? wait->at : INDEX_NONE;
                        return;
                }
        }
}

/* ---- in ---- */

/* True where the subscriber wants to hear of a job. */
static bool is_heard(const struct control_wait *wait, uint32_t job, unsigned kind) {
        if (wait->kind != CONTROL_WAIT_FEED || !(wait->feed->kinds & kind))
                return false;
        return job == INDEX_NONE || control_rows_has(&wait->rows, job);
}

bool control_feed_wants_output(const struct control_wait *wait, const struct engine *e, uint32_t job) {
        return is_heard(wait, job, bit_of("output")) && control_client_right(wait->client, e, job) >= API_RIGHT_CONTROL;
}

/* Gives an event to all who want it; parameters is taken. With may_control: only to those who may control the job, else only to those
 * who may not, or to all (ANYBODY). */
enum audience { ANYBODY, CONTROLLERS, OTHERS };

static bool is_audience(const struct control_wait *wait, const struct engine *e, uint32_t job, enum audience audience) {
        if (audience == ANYBODY)
                return true;
        bool may_control = control_client_right(wait->client, e, job) >= API_RIGHT_CONTROL;
        return may_control == (audience == CONTROLLERS);
}

static void tell(struct control *c, uint32_t job, const char *kind, enum audience audience, json_t *parameters) {
        const struct engine *e = link_engine(c->link);
        struct event *event = NULL;
        unsigned bit = bit_of(kind);
        for (struct control_wait *wait = c->waits, *next; wait; wait = next) {
                next = wait->next;
                if (!is_heard(wait, job, bit) || !is_audience(wait, e, job, audience))
                        continue;
                if (!event && !(event = event_new(json_incref(parameters))))
                        break;
                feed_push(wait, event, strcmp(kind, "end") == 0);
        }
        event_unref(event);
        json_decref(parameters);
}

/* True where somebody hears of this: else nothing is made. */
static bool is_wanted(const struct control *c, uint32_t job, const char *kind) {
        unsigned bit = bit_of(kind);
        for (const struct control_wait *wait = c->waits; wait; wait = wait->next)
                if (is_heard(wait, job, bit))
                        return true;
        return false;
}

/* ---- what happens to jobs ---- */

static void tell_state(struct control *c, struct clock_sample now, uint32_t job) {
        if (is_wanted(c, job, "state"))
                tell(c, job, "state", ANYBODY, state_json(c, now, job));
}

static void tell_armed(struct control *c, struct clock_sample now, uint32_t job) {
        const struct engine *e = link_engine(c->link);
        struct job_view view;
        if (!is_wanted(c, job, "armed"))
                return;
        engine_view(e, now, job, &view);
        if (control_unarmed_state(&view)) /* its end is told */
                return;
        json_t *o = event_json("armed", now.rt_us, engine_job_name(e, job));
        control_put_text(&o, "state", job_status_to_string(view.status));
        control_put_known(&o, "nextSlotUsec", view.next_slot_rt_us != INT64_MAX, view.next_slot_rt_us);
        if (c->command_job == job && c->command_by)
                control_put_text(&o, "by", c->command_by);
        tell(c, job, "armed", ANYBODY, o);
}

static void tell_end(struct control *c, struct clock_sample now, uint32_t job, const char *reason) {
        const struct engine *e = link_engine(c->link);
        if (!is_wanted(c, job, "end"))
                return;
        json_t *o = event_json("end", now.rt_us, job == INDEX_NONE ? NULL : engine_job_name(e, job));
        control_put_text(&o, "reason", reason);
        tell(c, job, "end", ANYBODY, o);
}

static void tell_hold(struct control *c, struct clock_sample now, const struct action *a) {
        switch (a->hold) {
        case HOLD_PAUSED:
                tell_state(c, now, a->job);
                break;
        case HOLD_CANCELLED:
                tell_end(c, now, a->job, "cancelled");
                break;
        case HOLD_FINISHED:
                tell_end(c, now, a->job, "finished");
                break;
        case HOLD_FAILED:
                tell_end(c, now, a->job, "failed");
                break;
        case HOLD_RESUMED:
        case HOLD_EXPIRED:
        case HOLD_STARTED:
        case HOLD_INTERVAL_SET:
        case HOLD_INTERVAL_RESET:
                tell_armed(c, now, a->job);
                break;
        case HOLD_REMINDER:
        case HOLD_CHANGE_MAX:
                break;
        }
}

/* Of each member how it stands by now. */
static void tell_group_hold(struct control *c, struct clock_sample now, const struct action *a) {
        const struct engine *e = link_engine(c->link);
        uint32_t group = a->group_hold.group;
        if (a->group_hold.change == HOLD_REMINDER)
                return;
        for (uint32_t job = engine_walk_members(e, group, 0); job != INDEX_NONE; job = engine_walk_members(e, group, job + 1))
                if (a->group_hold.change == HOLD_PAUSED)
                        tell_state(c, now, job);
                else
                        tell_armed(c, now, job);
}

static void tell_started(struct control *c, const struct action *a, const char *kind) {
        const struct job_run *run = &a->run.run;
        if (!is_wanted(c, a->job, kind))
                return;
        json_t *o = event_json(kind, run->start_rt_us, engine_job_name(link_engine(c->link), a->job));
        control_put_int(&o, "runId", (int64_t)run->run);
        control_put_known(&o, "slotUsec", run->item != WIRE_ITEM_TRIGGER, run->slot_rt_us);
        control_put_text(&o, "cause", run_cause_to_string(run->cause));
        control_put_int(&o, "attempt", run->attempt > 0 ? run->attempt : 1);
        control_put_int(&o, "startUsec", run->start_rt_us);
        control_put_known(&o, "lagUsec", run->item != WIRE_ITEM_TRIGGER, run->lag_us);
        tell(c, a->job, kind, ANYBODY, o);
}

static json_t *ended_json(struct control *c, struct clock_sample now, const struct action *a) {
        const char *job = engine_job_name(link_engine(c->link), a->job);
        json_t *o = event_json("ended", now.rt_us, job);
        control_put_run(&o, job, &a->run.run, &a->run.end);
        if (o) { /* what an event has not */
                json_object_del(o, "memoryPeak");
                json_object_del(o, "parentRunId");
        }
        return o;
}

/* Those who may control the job get the value too. */
static void tell_ended(struct control *c, struct clock_sample now, const struct action *a, const void *value, size_t size) {
        if (!is_wanted(c, a->job, "ended"))
                return;
        json_t *o = ended_json(c, now, a);
        if (!value) {
                tell(c, a->job, "ended", ANYBODY, o);
                return;
        }
        tell(c, a->job, "ended", OTHERS, json_incref(o));
        control_put_value(&o, value, size);
        tell(c, a->job, "ended", CONTROLLERS, o);
}

static void tell_outcome(struct control *c, struct clock_sample now, const struct action *a) {
        const char *kind = slot_outcome_to_string(a->outcome.outcome);
        if (a->outcome.outcome == SLOT_RAN || !is_wanted(c, a->job, kind))
                return;
        json_t *o = event_json(kind, now.rt_us, engine_job_name(link_engine(c->link), a->job));
        control_put_int(&o, "firstSlotUsec", a->outcome.first_rt_us);
        control_put_int(&o, "lastSlotUsec", a->outcome.last_rt_us);
        control_put_int(&o, "count", (int64_t)a->outcome.n);
        control_put_text(&o, "reason", slot_reason_to_string(a->outcome.reason));
        if (a->outcome.outcome == SLOT_MERGED)
                control_put_int(&o, "runId", (int64_t)a->outcome.run);
        tell(c, a->job, kind, ANYBODY, o);
}

static void tell_clock(struct control *c, struct clock_sample now, const struct clockstep *change) {
        json_t *o = event_json("clock", now.rt_us, NULL);
        control_put_int(&o, "stepUsec", change->step_us);
        if (change->slept_us > 0)
                control_put_int(&o, "sleptUsec", change->slept_us);
        tell(c, INDEX_NONE, "clock", ANYBODY, o);
}

void control_feed_action(struct control *c, struct clock_sample now, const struct action *a, const void *value,
                         size_t value_size) {
        switch (a->kind) {
        case ACTION_SEGMENT:
                if (c->command_job != a->job) /* else its hold says it, and who did it */
                        tell_armed(c, now, a->job);
                break;
        case ACTION_OUTCOME:
                tell_outcome(c, now, a);
                break;
        case ACTION_STARTED:
                if (a->run.run.cause == RUN_CAUSE_CATCH_UP)
                        tell_started(c, a, "caught-up");
                tell_started(c, a, "started");
                break;
        case ACTION_ENDED:
                tell_ended(c, now, a, value, value_size);
                break;
        case ACTION_HOLD:
                tell_hold(c, now, a);
                break;
        case ACTION_GROUP_HOLD:
                tell_group_hold(c, now, a);
                break;
        case ACTION_CLOSED:
                tell_end(c, now, a->job, slot_reason_to_string(a->unplanned));
                break;
        case ACTION_CLOCK:
                tell_clock(c, now, &a->clock);
                break;
        case ACTION_START:
        case ACTION_KILL:
        case ACTION_REFUSED:
        case ACTION_DROPPED:
        case ACTION_HORIZON:
        case ACTION_WRITE:
        case ACTION_GIVEN_UP:
        case ACTION_OVERDUE:
        case ACTION_GONE:
                break;
        }
}

void control_feed_commit(struct control *c, struct clock_sample now, const struct wire_commit *commit) {
        json_t *o = event_json("reload", now.rt_us, NULL);
        control_put_int(&o, "generation", (int64_t)commit->generation);
        control_put_int(&o, "added", commit->n_added);
        control_put_int(&o, "changed", commit->n_changed);
        control_put_int(&o, "removed", commit->n_removed);
        control_put_int(&o, "errors", commit->n_errors);
        tell(c, INDEX_NONE, "reload", ANYBODY, o);
}

void control_feed_output(struct control *c, struct clock_sample now, uint32_t job, const struct wire_bytes *piece,
                         const char *text) {
        if (!is_wanted(c, job, "output"))
                return;
        json_t *o = event_json("output", now.rt_us, engine_job_name(link_engine(c->link), job));
        control_put_int(&o, "runId", (int64_t)piece->run);
        control_put_int(&o, "stream", piece->stream);
        control_put_text(&o, "text", text);
        if (piece->dropped > 0)
                control_put_int(&o, "count", piece->dropped);
        tell(c, job, "output", CONTROLLERS, o);
}

/* What waits in the queues is not sent any more: the last word goes past them. */
void control_feed_stop(struct control *c, struct clock_sample now) {
        json_t *o = event_json("end", now.rt_us, NULL);
        control_put_text(&o, "reason", "stopping");
        struct event *event = event_new(o);
        for (struct control_wait *wait = c->waits, *next; wait && event; wait = next) {
                next = wait->next;
                if (wait->kind != CONTROL_WAIT_FEED)
                        continue;
                while (send_next(wait, now))
                        ;
                put_event(wait->client, event, ++wait->feed->seq, true);
                control_wait_end(wait);
        }
        event_unref(event);
}

/* ---- Subscribe ---- */

/* The kinds that are asked for, as bits; 0 where one is unknown. */
static unsigned get_kinds(const struct control_call *call) {
        const json_t *kinds = message_get(call->message, "kinds");
        unsigned bits = 0;
        size_t i;
        json_t *kind;
        if (!kinds) {
                for (const char *const *at = api_event_kinds(); *at; at++)
                        bits |= bit_of(*at);
                return bits & ~bit_of("output");
        }
        json_array_foreach(kinds, i, kind) {
                if (bit_of(json_string_value(kind)) == 0)
                        return 0;
                bits |= bit_of(json_string_value(kind));
        }
        return bits;
}

int control_do_subscribe(struct control_call *call) {
        int64_t limit = message_get_int(call->message, "queue", CONTROL_QUEUE_DEFAULT);
        unsigned kinds = get_kinds(call);
        struct control_rows rows;
        if (kinds == 0 || limit < 1 || limit > CONTROL_QUEUE_MAX) {
                control_invalid(call, kinds == 0 ? "kinds" : "queue");
                return 0;
        }
        if (!control_wait_is_free(call))
                return 0;
        int r = control_get_rows(call, "jobs", &rows);
        if (r != 0)
                return r < 0 ? r : 0;
        struct control_feed *feed = calloc(1, sizeof(*feed));
        if (!feed) {
                control_rows_done(&rows);
                return -EBADMSG;
        }
        *feed = (struct control_feed){.kinds = kinds, .limit = (size_t)limit};
        struct control_wait *wait = control_wait_begin(call, CONTROL_WAIT_FEED, INT64_MAX);
        wait->feed = feed;
        wait->rows = rows;
        wait->is_output_wanted = kinds & bit_of("output");
        call->control->n_feeds++;
        call->control->n_output_wanted += wait->is_output_wanted;
        return 0;
}
