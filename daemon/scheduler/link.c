// SPDX-License-Identifier: MIT
// link: the engine's actions go out, time comes in; what the runner says is in link_records.c, what hosts say in link_hosts.c. Without a
// ledger a result is acknowledged as soon as the engine has it.

#include "daemon/scheduler/link_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"

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
        int r = hosts_tick(link->hosts, now, job, start);
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

int link_take_some(struct link *link, struct clock_sample now) {
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
        link->is_unwritten = true;
        return r < 0 ? r : engine_has_failed(link->engine) ? -ENOMEM : 0;
}

/* What was taken is handed to the ledger, as far as it is time for it. */
static int write_taken(struct link *link, struct clock_sample now) {
        link->is_unwritten = false;
        int r = vault_is_on(link->vault) ? vault_flush(link->vault, link->engine, link->book, now) : 0;
        link_hosts_settle(link, now);
        return r;
}

int link_take_actions(struct link *link, struct clock_sample now) {
        int r = link_take_some(link, now);
        return r < 0 ? r : write_taken(link, now);
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
        if (span_us < LINK_PACE_WINDOW_US)
                return;
        uint64_t n = (hosts_sent(link->hosts) - link->pace_n) * (uint64_t)LINK_PACE_WINDOW_US / (uint64_t)span_us;
        link->pace_bt_us = now.bt_us;
        link->pace_n = hosts_sent(link->hosts);
        link->is_paced = n >= (link->is_paced ? LINK_PACE_TICKS / 2 : LINK_PACE_TICKS);
        hosts_pace(link->hosts, link->is_paced);
}

int link_advance(struct link *link) {
        struct clock_sample now;
        int r = 0;
        if (link->phase == LINK_PHASE_SYNC) { /* hosts of before may have said nothing in time */
                r = link_read_clock(link, &now);
                return r < 0 ? r : hosts_advance(link->hosts, now);
        }
        if (link->phase == LINK_PHASE_UP) {
                link->advanced_bt_us = clock_now().bt_us; /* the time that the answers take is none of the pace */
                r = channel_poll(link->control);
                if (r == 0 && link->phase == LINK_PHASE_UP)
                        r = hosts_take(link->hosts);
                if (r < 0)
                        return r;
        }
        if (link->phase != LINK_PHASE_UP)
                return 0;
        r = link_read_clock(link, &now);
        if (r < 0)
                return r;
        note_pace(link, now);
        if (is_clogged(link))
                (void)channel_flush(link->control); /* what has gathered may just not have been written yet */
        if (!is_clogged(link)) {
                r = engine_advance(link->engine, now);
                link->has_more = r > 0;
                if (r >= 0)
                        r = link_take_some(link, now);
        }
        if (r >= 0)
                r = hosts_advance(link->hosts, now);
        story_flush(link->story, link->engine, now);
        return r < 0 ? r : write_taken(link, now);
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
        struct clock_sample heard = {.rt_us = link->reading.rt_us, .bt_us = link->reading.bt_us};
        if (is_up)
                watch_reading(link); /* of what was sent before */
        int r = link->is_unwritten ? write_taken(link, heard) : 0;
        if (r == 0)
                r = hosts_flush(link->hosts);
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
                return link_begin_sync(link);
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
        link_hosts_done(link);
        link->vault = vault_free(link->vault, link->engine, link->book, clock_now());
        channel_free(link->control); /* only now: whoever comes next finds all in the ledger */
        channel_free(link->output);
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
