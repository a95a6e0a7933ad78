// SPDX-License-Identifier: MIT
// link: one row a record: what the runner may say in which phase, and who handles it. There is no ledger between: a result is
// acknowledged as soon as the engine has it.

#include "daemon/scheduler/link_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/machine.h"
#include "daemon/scheduler/plan.h"

/* ---- actions ---- */

int link_send(struct link *link, enum wire_type type) {
        int r = pack_result(&link->pack);
        if (r == 0)
                r = channel_send(link->control, type, link->pack.data, link->pack.size);
        pack_clear(&link->pack);
        return r == -EPIPE ? 0 : r; /* the loop will hear of the end */
}

int link_send_number(struct link *link, enum wire_type type, uint64_t number) {
        wire_put_number(&link->pack, number);
        return link_send(link, type);
}

/* The runner can't be told: the run ends here, as one that could not start. */
static void refuse_start(struct link *link, struct clock_sample now, const struct wire_start *start, int error) {
        struct wire_ended ended = {.run = start->run};
        ended.end = (struct run_end){
                .result = RUN_RESULT_START_FAILED,
                .exit_code = -1,
                .step = RUN_STEP_LINK,
                .error = -error,
                .end_rt_us = now.rt_us,
                .end_bt_us = now.bt_us,
        };
        engine_ended(link->engine, now, &ended);
}

/* The end of what the parent's run has put out, if the book still has it; it begins with a whole character. */
static void add_parent_output(const struct link *link, struct wire_start *start) {
        uint32_t job = registry_find(engine_registry(link->engine), start->parent.job);
        const struct book_job *known = job != INDEX_NONE ? book_find(link->book, job) : NULL;
        const struct book_run *runs[] = {known ? known->last : NULL, known ? known->last_good : NULL,
                                         known ? known->last_failure : NULL};
        for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
                if (!runs[i] || runs[i]->run.run != start->parent.run)
                        continue;
                const char *text = runs[i]->value.data;
                size_t size = runs[i]->value.size, skip = size > WIRE_PARENT_OUTPUT_MAX ? size - WIRE_PARENT_OUTPUT_MAX : 0;
                while (skip > 0 && skip < size && ((unsigned char)text[skip] & 0xc0) == 0x80)
                        skip++;
                start->parent_output = size > 0 ? text + skip : NULL;
                start->parent_output_size = size - skip;
                return;
        }
}

static int do_start(struct link *link, struct clock_sample now, uint32_t job, struct wire_start *start) {
        start->parameters = engine_parameters(link->engine, job, start->run, &start->parameters_size);
        int r = hosts_tick(link->hosts, now, start);
        if (r != 1)
                return r;
        if (start->parent.run > 0)
                add_parent_output(link, start);
        wire_put_start(&link->pack, start);
        r = link_send(link, WIRE_START);
        if (r < 0)
                refuse_start(link, now, start, r);
        return 0;
}

static int send_kill(struct link *link, uint64_t run) {
        wire_put_kill(&link->pack, &(struct wire_kill_run){.run = run, .how = WIRE_KILL_ASK});
        return link_send(link, WIRE_KILL);
}

static int do_kill(struct link *link, struct clock_sample now, uint64_t run) {
        int r = hosts_cancel(link->hosts, now, run);
        if (r != 1)
                return r;
        r = send_kill(link, run);
        if (r != -ENOBUFS)
                return r;
        if (link->n_kills == link->allocated_kills) {
                size_t n = link->allocated_kills * 2 + 64;
                uint64_t *p = realloc(link->kills, n * sizeof(*p));
                if (!p)
                        return -ENOMEM;
                link->kills = p;
                link->allocated_kills = n;
        }
        link->kills[link->n_kills++] = run;
        return 0;
}

static bool is_watched(const struct link *link, uint32_t job, uint64_t run) {
        return link->listener.is_watched && link->phase == LINK_PHASE_UP &&
               link->listener.is_watched(link->listener_data, job, run);
}

int link_take_actions(struct link *link, struct clock_sample now) {
        const struct action *next;
        int r = 0;
        link->is_taking = true;
        while (r == 0 && (next = engine_next_action(link->engine))) {
                struct action a = *next; /* do_start() may add to the queue */
                if (a.kind == ACTION_HORIZON) {
                        (void)vault_note(link->vault, link->engine, link->book, now, &a, NULL, 0); /* it needs no memory */
                        continue;
                }
                bool has_value = a.kind == ACTION_ENDED && a.run.run.run == link->value_run;
                const void *value = has_value ? link->value.data : NULL;
                size_t value_size = has_value ? link->value.size : 0;
                book_note(link->book, link->engine, now, &a, value, value_size);
                story_tell(link->story, link->engine, link->book, now, &a, value, value_size);
                if (vault_is_on(link->vault))
                        r = vault_note(link->vault, link->engine, link->book, now, &a, value, value_size);
                if (r < 0)
                        break;
                if (a.kind == ACTION_START) {
                        a.start.is_watched = is_watched(link, a.job, a.start.run);
                        r = do_start(link, now, a.job, &a.start);
                } else if (a.kind == ACTION_KILL)
                        r = do_kill(link, now, a.kill_run);
                else if (a.kind == ACTION_HOLD &&
                         (a.hold == HOLD_CANCELLED || a.hold == HOLD_FAILED || a.hold == HOLD_FINISHED))
                        hosts_unload(link->hosts, engine_job_name(link->engine, a.job));
                if (link->listener.on_action && link->phase == LINK_PHASE_UP)
                        link->listener.on_action(link->listener_data, now, &a, value, value_size);
        }
        link->is_taking = false;
        if (r == 0 && vault_is_on(link->vault))
                r = vault_flush(link->vault, link->engine, link->book, now);
        link_hosts_settle(link, now);
        return r < 0 ? r : engine_has_failed(link->engine) ? -ENOMEM : 0;
}

/* ---- time ---- */

static void take_reading(struct link *link, struct clock_sample *ret_now, struct clockstep_reading *ret) {
        *ret_now = clock_now();
        *ret = (struct clockstep_reading){
                .rt_us = ret_now->rt_us,
                .bt_us = ret_now->bt_us,
                .awake_us = clock_awake_us(),
                .is_synchronised = link->is_synchronised,
        };
}

int link_read_clock(struct link *link, struct clock_sample *ret) {
        struct clock_sample now;
        struct clockstep_reading reading;
        take_reading(link, &now, &reading);
        struct clockstep change = clockstep_compare(&link->reading, &reading);
        if (change.kind > CLOCKSTEP_SLEW) { /* the first reading may have been torn apart by other processes */
                take_reading(link, &now, &reading);
                change = clockstep_compare(&link->reading, &reading);
        }
        *ret = now;
        link->reading = reading;
        if (change.kind <= CLOCKSTEP_SLEW)
                return 0;
        int r = engine_clock_change(link->engine, now, &change);
        return r < 0 ? r : link_take_actions(link, now);
}

/* ---- what the runner says ---- */

/* Answers the runner: it tells what there is from now on. */
static int begin_sync(struct link *link) {
        struct wire_hello hello = link->hello;
        struct clock_sample now = clock_now();
        link->is_hello_waiting = false;
        int r = engine_new(&hello, &link->engine);
        if (r == 0) {
                uint8_t machine[16];
                machine_key(machine);
                engine_set_machine(link->engine, machine);
                r = story_new(link->journal, hello.instance, &link->story);
        }
        if (r == 0)
                r = book_new(&link->book);
        if (r == 0 && link->vault)
                r = vault_begin(link->vault, link->engine, link->book, now, &hello);
        if (r < 0)
                return r;
        memcpy(link->instance, hello.instance, sizeof(link->instance));
        link->is_synchronised = link->reading.is_synchronised = hello.is_synchronised;
        hello.epoch++;
        hosts_set_epoch(link->hosts, hello.epoch, hello.secret);
        wire_put_hello(&link->pack, &hello);
        link->phase = LINK_PHASE_SYNC;
        return link_send(link, WIRE_HELLO);
}

static int on_hello(struct link *link, const void *payload, size_t size) {
        struct wire_hello hello;
        int r = wire_get_hello(payload, size, &hello);
        if (r < 0)
                return r;
        if (hello.version != WIRE_VERSION) {
                struct journal_record record = journal_begin(link->journal, EVENT_DEGRADED);
                journal_send(&record,
                             "The runner speaks version %u of the link, this scheduler %u: install both from one build",
                             hello.version, WIRE_VERSION);
                return -EPROTO;
        }
        link->hello = hello;
        link->is_hello_waiting = true;
        return !link->vault || vault_is_settled(link->vault) ? begin_sync(link) : 0;
}

/* The data of its zone have gone since the reader saw them, or since it read the definition that stays in force. The job is there all
 * the same: with the plan at hand, or without one until the zone is back. */
static int define_without_zone(struct link *link, const struct wire_define *define) {
        uint32_t job = registry_find(engine_registry(link->engine), define->name);
        _cleanup_free_ char *description = job == INDEX_NONE ? NULL : strdup(engine_job_description(link->engine, job));
        struct job_when when;
        if (job != INDEX_NONE && !description)
                return -ENOMEM;
        job_when_init(&when);
        if (job != INDEX_NONE)
                when = *engine_plan_when(link->engine, job);
        struct journal_record r = journal_begin(link->journal, EVENT_CONFIG_ERROR);
        journal_send(&r, "job %s: the data of its time zone can't be read by the scheduler: it %s until they are back",
                     define->name, plan_exists(&when) ? "keeps the schedule it has" : "has no schedule");
        return engine_define(link->engine, define, &when, description);
}

static int on_define(struct link *link, const void *payload, size_t size) {
        struct wire_define define;
        int r = wire_get_define(payload, size, &define);
        if (r < 0)
                return r;
        if (!link->is_defining) /* what questions have found since the last commit may be older than what the reader has seen */
                zones_done(&link->zones);
        link->is_defining = true;
        struct job_when when;
        char *description;
        r = job_when_parse(define.when, define.when_size, &link->agendas, &when, &description);
        if (r == 1)
                r = define_without_zone(link, &define);
        else if (r == 0) {
                r = engine_define(link->engine, &define, &when, description);
                job_when_done(&when);
                free(description);
        }
        if (r >= 0)
                r = hosts_define(link->hosts, &define);
        wire_define_done(&define);
        return r < 0 ? r : 0;
}

static int on_group(struct link *link, const void *payload, size_t size) {
        struct wire_group group;
        int r = wire_get_group(payload, size, &group);
        if (r < 0)
                return r;
        r = engine_define_group(link->engine, group.name, *group.description ? group.description : NULL, group.max_running);
        wire_group_done(&group);
        return r;
}

static int on_remove(struct link *link, const void *payload, size_t size) {
        _cleanup_free_ char *name = NULL;
        int r = wire_get_text(payload, size, &name);
        if (r < 0)
                return r;
        engine_remove(link->engine, name);
        return hosts_remove(link->hosts, name);
}

static int on_diag(struct link *link, const void *payload, size_t size) {
        _cleanup_free_ char *text = NULL;
        int r = wire_get_text(payload, size, &text);
        if (r < 0)
                return r;
        if (strncmp(text, "<3>", 3) != 0 && strncmp(text, "<4>", 3) != 0)
                return -EBADMSG;
        struct journal_record record = journal_begin(link->journal, text[1] == '3' ? EVENT_CONFIG_ERROR : EVENT_CONFIG_WARNING);
        journal_send(&record, "%s", text + 3);
        if (link->listener.on_diag)
                link->listener.on_diag(link->listener_data, text[1] == '3', text + 3);
        return 0;
}

static void tell_commit(struct link *link, const struct wire_commit *c) {
        bool is_first = link->phase == LINK_PHASE_SYNC;
        if (!is_first && c->is_resync)
                return;
        struct journal_record r = journal_begin(link->journal, is_first ? EVENT_READY : EVENT_RELOAD);
        journal_field(&r, "CHIMED_JOBS", "%u", c->n_jobs);
        if (is_first && c->is_resync && c->generation > 0)
                journal_send(&r, "Scheduling %u job%s", c->n_jobs, c->n_jobs == 1 ? "" : "s");
        else
                journal_send(&r, "%s %u job%s from %u file%s: %u new, %u changed, %u removed; %u error%s, %u warning%s%s%s",
                             is_first ? "Scheduling" : "Read anew:", c->n_jobs, c->n_jobs == 1 ? "" : "s", c->n_files,
                             c->n_files == 1 ? "" : "s", c->n_added, c->n_changed, c->n_removed, c->n_errors,
                             c->n_errors == 1 ? "" : "s", c->n_warnings, c->n_warnings == 1 ? "" : "s", c->why[0] ? "; " : "",
                             c->why);
}

int link_commit_now(struct link *link) {
        struct wire_commit commit = link->commit;
        struct clock_sample now;
        int r = link_read_clock(link, &now);
        link->is_commit_waiting = false;
        size_t cursor = 0;
        const char *name;
        while (link->phase == LINK_PHASE_SYNC && (name = hosts_walk_known(link->hosts, &cursor)))
                engine_trust_host(link->engine, name);
        if (link->phase == LINK_PHASE_SYNC)
                book_adopt(link->book, link->engine);
        if (r == 0) {
                engine_set_max_running(link->engine, commit.max_running);
                r = engine_commit(link->engine, now, &commit);
        }
        if (r < 0)
                return r;
        zones_done(&link->zones);
        link->is_defining = false;
        if (link->vault)
                vault_set_size(link->vault, commit.ledger_max_size);
        tell_commit(link, &commit);
        bool is_first = link->phase == LINK_PHASE_SYNC;
        link->phase = LINK_PHASE_UP;
        hosts_commit(link->hosts);
        if (is_first) /* before it the runner takes no START; behind any other, none of what was removed */
                r = link_send_number(link, WIRE_COMMITTED, commit.generation);
        if (r == 0)
                r = link_take_actions(link, now);
        if (r == 0 && !is_first)
                r = link_send_number(link, WIRE_COMMITTED, commit.generation);
        link->has_more = true;
        if (r == 0 && link->listener.on_commit)
                link->listener.on_commit(link->listener_data, now, &commit);
        return r;
}

static int on_commit(struct link *link, const void *payload, size_t size) {
        struct wire_commit commit;
        int r = wire_get_commit(payload, size, &commit);
        if (r < 0)
                return r;
        if (link->is_commit_waiting)
                return -EBADMSG;
        link->commit = commit;
        if (link->phase == LINK_PHASE_SYNC && !hosts_sync(link->hosts, clock_now())) {
                link->is_commit_waiting = true;
                return 0;
        }
        return link_commit_now(link);
}

static int on_run(struct link *link, const void *payload, size_t size) {
        struct wire_run run;
        int r = wire_get_run(payload, size, &run);
        if (r < 0)
                return r;
        struct clock_sample now;
        r = link_read_clock(link, &now);
        if (r == 0)
                r = run.start.is_host ? hosts_on_run(link->hosts, &run) : engine_adopt(link->engine, now, &run);
        wire_run_done(&run);
        return r;
}

static int on_started(struct link *link, const void *payload, size_t size) {
        struct wire_started started;
        int r = wire_get_started(payload, size, &started);
        if (r < 0)
                return r;
        struct clock_sample now = clock_now();
        engine_started(link->engine, now, &started);
        return link_take_actions(link, now);
}

static int on_value(struct link *link, const void *payload, size_t size) {
        struct wire_bytes bytes;
        int r = wire_get_bytes(payload, size, &bytes);
        if (r < 0)
                return r;
        if (bytes.run != link->value_run) {
                pack_clear(&link->value);
                link->value_run = bytes.run;
        }
        link->value.limit = JOB_CAPTURE_MAX;
        pack_raw(&link->value, bytes.data, bytes.size);
        return 0;
}

static int on_ended(struct link *link, const void *payload, size_t size) {
        struct wire_ended ended;
        int r = wire_get_ended(payload, size, &ended);
        if (r < 0)
                return r;
        if (link->listener.on_output && (r = channel_poll(link->output)) < 0) /* the output comes before its end */
                return r;
        struct clock_sample now;
        r = link_read_clock(link, &now);
        if (r < 0)
                return r;
        bool is_host = hosts_owns(link->hosts, ended.run);
        r = is_host ? hosts_on_ended(link->hosts, now, &ended) : engine_ended(link->engine, now, &ended);
        if (r < 0)
                return r;
        bool is_known = !is_host && r == 0;
        r = link_take_actions(link, now);
        pack_clear(&link->value);
        link->value_run = 0;
        if (r < 0 || (is_known && vault_is_on(link->vault)))
                return r; /* acknowledged when it is durable */
        return link_send_number(link, WIRE_ACK, ended.run);
}

static int on_stopping(struct link *link, const void *payload, size_t size) {
        (void)payload;
        if (size > 0)
                return -EBADMSG;
        struct clock_sample now;
        int r = link_read_clock(link, &now);
        if (r < 0)
                return r;
        engine_stop(link->engine, now);
        hosts_quit(link->hosts);
        if (vault_is_on(link->vault))
                vault_hurry(link->vault, now);
        struct journal_record record = journal_begin(link->journal, EVENT_STOPPED);
        journal_send(&record, "Scheduling has stopped");
        r = link_take_actions(link, now);
        if (r == 0 && link->listener.on_stopping)
                link->listener.on_stopping(link->listener_data);
        return r;
}

static int on_synced(struct link *link, const void *payload, size_t size) {
        (void)payload;
        struct clock_sample now;
        if (size > 0)
                return -EBADMSG;
        link->is_synchronised = true;
        link->has_more = true; /* wall grids may be due */
        return link_read_clock(link, &now);
}

/* Two lines at least: the settings file, and one for each folder. */
static int on_files(struct link *link, const void *payload, size_t size) {
        char *text = NULL;
        int r = wire_get_text(payload, size, &text);
        if (r < 0)
                return r;
        free(link->files);
        link->files = text;
        return 0;
}

static int on_host_unloaded(struct link *link, const void *payload, size_t size) {
        struct wire_host_unloaded unloaded;
        int r = wire_get_host_unloaded(payload, size, &unloaded);
        return r < 0 ? r : hosts_on_unloaded(link->hosts, clock_now(), &unloaded);
}

static int on_described(struct link *link, const void *payload, size_t size) {
        struct wire_described described;
        int r = wire_get_described(payload, size, &described);
        if (r < 0)
                return r;
        if (link->listener.on_described)
                link->listener.on_described(link->listener_data, &described);
        wire_described_done(&described);
        return 0;
}

struct handler {
        unsigned phases; /* when it may come */
        int (*handle)(struct link *link, const void *payload, size_t size);
};

static const struct handler handlers[WIRE_TYPE_MAX] = {
        [WIRE_HELLO] = {LINK_PHASE_HELLO, on_hello},
        [WIRE_DEFINE] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_define},
        [WIRE_REMOVE] = {LINK_PHASE_UP, on_remove},
        [WIRE_GROUP] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_group},
        [WIRE_DIAG] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_diag},
        [WIRE_COMMIT] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_commit},
        [WIRE_RUN] = {LINK_PHASE_SYNC, on_run},
        [WIRE_STARTED] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_started},
        [WIRE_VALUE] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_value},
        [WIRE_ENDED] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_ended},
        [WIRE_FILES] = {LINK_PHASE_HELLO | LINK_PHASE_SYNC, on_files},
        [WIRE_DESCRIBED] = {LINK_PHASE_UP, on_described},
        [WIRE_STOPPING] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_stopping},
        [WIRE_HOST_UNLOADED] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_host_unloaded},
        [WIRE_SYNCED] = {LINK_PHASE_SYNC | LINK_PHASE_UP, on_synced},
};

int link_handle_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct link *link = userdata;
        link->has_heard = true;
        const struct handler *h = type < WIRE_TYPE_MAX ? &handlers[type] : NULL;
        int r = h && h->handle && (h->phases & link->phase) ? h->handle(link, payload, size) : -EBADMSG;
        if (r == -ENOMEM)
                link_give_up(link);
        if (r < 0) {
                struct journal_record record = journal_begin(link->journal, EVENT_DEGRADED);
                journal_field_i64(&record, "ERRNO", -r);
                journal_send(&record, "A %s record of the runner can't be served: %s", wire_type_to_string(type), strerror(-r));
        }
        return r;
}

/* ---- what is due ---- */

/* Whether more waits for the runner than is to: no slot is looked at. */
static bool is_clogged(const struct link *link) {
        return channel_queued(link->control) > LINK_QUEUE_MARK;
}

/* The runner reads nothing and says nothing, or reads too slowly. Told when it lasts: what is late for it is not late by our doing. */
static void watch_reading(struct link *link) {
        bool is_behind = is_clogged(link) || (!link->has_heard && !channel_is_read(link->control));
        link->has_heard = false;
        if (!is_behind) {
                link->behind_bt_us = 0;
                link->is_behind_told = false;
        }
        if (link->behind_bt_us == 0 || link->is_behind_told || clock_now().bt_us - link->behind_bt_us < LINK_PATIENCE_US)
                return;
        struct journal_record r = journal_begin(link->journal, EVENT_DEGRADED);
        journal_send(&r, "The runner takes no orders: slots are late until it does");
        link->is_behind_told = true;
}

static void note_pace(struct link *link, struct clock_sample now) {
        int64_t span_us = now.bt_us - link->pace_bt_us;
        link->advanced_bt_us = now.bt_us;
        if (span_us < LINK_PACE_WINDOW_US)
                return;
        uint64_t n = (hosts_sent(link->hosts) - link->pace_n) * (uint64_t)LINK_PACE_WINDOW_US / (uint64_t)span_us;
        link->pace_bt_us = now.bt_us;
        link->pace_n = hosts_sent(link->hosts);
        link->is_paced = n >= (link->is_paced ? LINK_PACE_TICKS / 2 : LINK_PACE_TICKS);
        hosts_pace(link->hosts, link->is_paced);
}

int link_advance(struct link *link) {
        if (link->phase == LINK_PHASE_SYNC) /* hosts of before may have said nothing in time */
                return hosts_advance(link->hosts, clock_now());
        if (link->phase == LINK_PHASE_UP) {
                int r = channel_poll(link->control);
                if (r == 0 && link->phase == LINK_PHASE_UP)
                        r = hosts_take(link->hosts);
                if (r < 0)
                        return r;
        }
        if (link->phase != LINK_PHASE_UP)
                return 0;
        struct clock_sample now;
        int r = link_read_clock(link, &now);
        if (r < 0)
                return r;
        note_pace(link, now);
        if (is_clogged(link))
                (void)channel_flush(link->control); /* what has gathered may just not have been written yet */
        if (!is_clogged(link)) {
                r = engine_advance(link->engine, now);
                link->has_more = r > 0;
                if (r >= 0)
                        r = link_take_actions(link, now);
        }
        if (r >= 0)
                r = hosts_advance(link->hosts, now);
        story_flush(link->story, link->engine, now);
        if (r >= 0 && vault_is_on(link->vault))
                r = vault_flush(link->vault, link->engine, link->book, now);
        link_hosts_settle(link, now);
        return r < 0 ? r : 0;
}

void link_next_wake(const struct link *link, int64_t *ret_bt_us, int64_t *ret_rt_us) {
        *ret_bt_us = *ret_rt_us = INT64_MAX;
        if (link->phase == LINK_PHASE_SYNC || link->phase == LINK_PHASE_UP)
                *ret_bt_us = hosts_next_wake(link->hosts);
        if (link->phase != LINK_PHASE_UP)
                return;
        int64_t paced_us = link->advanced_bt_us + LINK_PACE_US;
        if (link->is_paced && hosts_is_busy(link->hosts) && paced_us < *ret_bt_us) /* it is not woken by what they answer */
                *ret_bt_us = paced_us;
        int64_t flush_us = story_next_flush(link->story);
        bool is_held = is_clogged(link); /* the pass that makes room ends with this question too */
        if (!is_held && link->has_more)
                *ret_bt_us = 0;
        else if (!is_held) {
                int64_t engine_bt_us;
                engine_next_wake(link->engine, &engine_bt_us, ret_rt_us);
                if (link->is_paced && engine_bt_us < paced_us)
                        engine_bt_us = paced_us;
                if (engine_bt_us < *ret_bt_us)
                        *ret_bt_us = engine_bt_us;
        }
        if (link->behind_bt_us > 0 && !link->is_behind_told && link->behind_bt_us + LINK_PATIENCE_US < *ret_bt_us)
                *ret_bt_us = link->behind_bt_us + LINK_PATIENCE_US;
        if (flush_us < *ret_bt_us)
                *ret_bt_us = flush_us;
        if (vault_is_on(link->vault) && vault_next_flush(link->vault) < *ret_bt_us)
                *ret_bt_us = vault_next_flush(link->vault);
}

/* Sends what waits. Where ends still do, the channel is clogged: the loop hears when it has room. */
static int flush_control(struct link *link) {
        int r = channel_flush(link->control);
        while (r == 0 && link->n_kills > 0 && !is_clogged(link)) {
                r = send_kill(link, link->kills[link->n_kills - 1]);
                if (r == 0 && (--link->n_kills == 0 || is_clogged(link)))
                        r = channel_flush(link->control);
        }
        return r;
}

int link_flush(struct link *link) {
        bool is_up = link->phase == LINK_PHASE_UP;
        if (is_up)
                watch_reading(link); /* of what was sent before */
        int r = hosts_flush(link->hosts);
        if (r == 0)
                r = flush_control(link);
        if (is_up && link->behind_bt_us == 0 && !channel_is_read(link->control))
                link->behind_bt_us = clock_now().bt_us;
        return r == -EPIPE ? 0 : r;
}

int link_reload(struct link *link, uint64_t *ret_number) {
        if (link->phase != LINK_PHASE_UP)
                return 1;
        if (ret_number)
                *ret_number = link->reloads + 1;
        return link_send_number(link, WIRE_RELOAD, ++link->reloads);
}

int link_describe(struct link *link, uint64_t number, const char *job) {
        if (link->phase != LINK_PHASE_UP)
                return 1;
        wire_put_describe(&link->pack, &(struct wire_describe){.number = number, .name = job});
        return link_send(link, WIRE_DESCRIBE);
}

int link_watch(struct link *link, uint64_t run, bool is_on) {
        if (link->phase != LINK_PHASE_UP)
                return 1;
        wire_put_watch(&link->pack, &(struct wire_watch_run){.run = run, .is_on = is_on});
        return link_send(link, WIRE_WATCH);
}

/* ---- who listens and commands ---- */

void link_set_listener(struct link *link, const struct link_listener *listener, void *userdata) {
        link->listener = *listener;
        link->listener_data = userdata;
}

struct engine *link_engine(struct link *link) {
        return link->phase == LINK_PHASE_UP ? link->engine : NULL;
}

struct book *link_book(struct link *link) {
        return link->phase == LINK_PHASE_UP ? link->book : NULL;
}

struct agendas *link_agendas(struct link *link) {
        return &link->agendas;
}

struct vault *link_vault(struct link *link) {
        return link->vault;
}

int link_now(struct link *link, struct clock_sample *ret) {
        int r = link->phase == LINK_PHASE_UP ? channel_poll(link->control) : 0;
        return r < 0 ? r : link_read_clock(link, ret);
}

int link_settle(struct link *link, struct clock_sample now) {
        link->has_more = true; /* a job that was armed may be due */
        return link_take_actions(link, now);
}

const uint8_t *link_instance(const struct link *link) {
        return link->instance;
}

const char *link_files(const struct link *link) {
        return link->files ? link->files : "";
}

const struct wire_commit *link_commit(const struct link *link) {
        return &link->commit;
}

/* ---- life ---- */

static int on_closed(void *userdata, int error) {
        struct link *link = userdata;
        link->phase = LINK_PHASE_OVER;
        loop_exit(link->loop, error < 0);
        return 0;
}

static int on_output(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct link *link = userdata;
        struct wire_bytes bytes;
        int r = type == WIRE_OUTPUT ? wire_get_bytes(payload, size, &bytes) : -EBADMSG;
        if (r == 0 && link->listener.on_output && link->phase == LINK_PHASE_UP)
                link->listener.on_output(link->listener_data, &bytes);
        return r;
}

/* The ledger has opened or given up, or a commit is durable. */
static int on_vault(void *userdata) {
        struct link *link = userdata;
        struct clock_sample horizon;
        uint64_t run;
        int r = 0;
        if (link->is_hello_waiting)
                return begin_sync(link);
        while (r == 0 && vault_next_ack(link->vault, &run))
                r = link_send_number(link, WIRE_ACK, run);
        if (vault_next_claim(link->vault, &horizon)) {
                engine_claimed(link->engine, clock_now(), horizon);
                link->has_more = true;
        }
        hosts_acknowledge(link->hosts, vault_kept_era(link->vault));
        if (link->listener.on_durable)
                link->listener.on_durable(link->listener_data, vault_committed(link->vault));
        return r;
}

int link_keep(struct link *link, const char *folder) {
        return vault_new(link->loop, link->journal, &link->agendas, folder, on_vault, link, &link->vault);
}

int link_new(struct loop *loop, struct journal *journal, int control_fd, int output_fd, int hosts_fd, struct link **ret) {
        static const struct channel_callbacks control = {.on_record = link_handle_record, .on_closed = on_closed},
                                              output = {.on_record = on_output, .on_closed = on_closed};
        _cleanup_close_ int to_close = output_fd, hosts_to_close = hosts_fd;
        struct link *link = calloc(1, sizeof(*link));
        if (!link) {
                util_close(control_fd);
                return -ENOMEM;
        }
        link->hosts_fd = -1;
        link->agendas = (struct agendas){.find_zone = zones_find_for_agendas, .userdata = &link->zones};
        link->loop = loop;
        link->journal = journal;
        link->phase = LINK_PHASE_HELLO;
        struct clock_sample now;
        take_reading(link, &now, &link->reading);
        int r = channel_new(loop, control_fd, LINK_QUEUE_LIMIT, &control, link, &link->control);
        if (r < 0) {
                link_free(link);
                return r;
        }
        to_close = -1;
        r = channel_new(loop, output_fd, CHANNEL_MESSAGE_MAX, &output, link, &link->output);
        hosts_to_close = -1;
        if (r == 0)
                r = link_hosts_new(link, hosts_fd);
        else
                util_close(hosts_fd);
        if (r < 0) {
                link_free(link);
                return r;
        }
        *ret = link;
        return 0;
}

void link_give_up(struct link *link) {
        vault_give_up(link->vault);
}

struct link *link_free(struct link *link) {
        if (!link)
                return NULL;
        channel_free(link->control);
        channel_free(link->output);
        link_hosts_done(link);
        link->vault = vault_free(link->vault, link->engine, link->book, clock_now());
        if (link->story)
                story_finish(link->story, link->engine);
        story_free(link->story);
        book_free(link->book);
        free(link->files);
        free(link->kills);
        engine_free(link->engine);
        pack_done(&link->pack);
        pack_done(&link->value);
        agendas_done(&link->agendas);
        zones_done(&link->zones);
        free(link);
        return NULL;
}
