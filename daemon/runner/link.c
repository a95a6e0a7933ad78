// SPDX-License-Identifier: MIT
// link: the runner's end of the link. What comes in is hostile: one row a record says in which phase it may come and how it is read,
// and an error closes the link. What goes out is never queued far: stages and flags say what is still to be told, and the pump
// tells as much as the channel takes.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

/* Epochs only grow, but never so far that a hostile scheduler could use them up for the ones after it. */
#define STEP_MAX (UINT64_C(1) << 32)
#define LAST_MAX (UINT64_C(1) << 62)

#define FILES_MAX (32 * 1024) /* bytes of a FILES record */

/* Sends what is in the writer. Without memory the record is lost and with it the scheduler's trust: it is replaced. */
static void put(struct runner *runner, enum wire_type type) {
        struct link *link = &runner->link;
        struct channel *control = upkeep_control(runner->upkeep);
        int r = pack_result(&link->pack);

        if (r == 0)
                r = control ? channel_send(control, (uint8_t)type, link->pack.data, link->pack.size) : -EPIPE;
        pack_clear(&link->pack);
        if (r < 0 && r != -EPIPE)
                upkeep_kill(runner->upkeep);
}

/* ---- what the scheduler says ---- */

static void begin_feed(struct runner *runner, bool is_full) {
        struct link *link = &runner->link;

        link->stage = FEED_DEFINE;
        link->is_full = is_full;
        link->cursor = 0;
        link_pump(runner);
}

static int on_hello(struct runner *runner, const void *payload, size_t size) {
        struct wire_hello hello;
        uint16_t version;
        int r = wire_get_hello_version(payload, size, &version);

        if (r == 0 && version != WIRE_VERSION)
                r = -EPROTONOSUPPORT;
        if (r == 0)
                r = wire_get_hello(payload, size, &hello);
        if (r < 0)
                return r;
        if (hello.epoch <= runner->link.epoch || hello.epoch > LAST_MAX ||
            (runner->link.epoch > 0 && hello.epoch - runner->link.epoch > STEP_MAX))
                return -ESTALE;
        if (memcmp(hello.instance, runner->instance, sizeof(hello.instance)) != 0)
                return -EPROTO;
        runner->link.epoch = hello.epoch;
        runner->link.phase = LINK_PHASE_SYNC;
        if (runner->is_synchronised && !runner->link.is_sync_told)
                link_tell_synced(runner); /* it is since the HELLO */
        if (runner->stop != STOP_NONE)
                link_tell_stopping(runner);
        if (runner->commit.generation > 0)
                begin_feed(runner, true);
        return 0;
}

static int on_committed(struct runner *runner, const void *payload, size_t size) {
        uint64_t generation;
        int r = wire_get_number(payload, size, &generation);

        if (r < 0)
                return r;
        if (runner->link.stage != FEED_WAIT || generation != runner->commit.generation)
                return -EPROTO;
        runner->link.stage = FEED_NONE;
        runner->link.phase = LINK_PHASE_UP;
        runner_on_committed(runner);
        return 0;
}

static int on_start(struct runner *runner, const void *payload, size_t size) {
        struct wire_start start;
        int r = wire_get_start(payload, size, &start);

        /* a number is used once: a replayed START never starts anything */
        if (r == 0)
                r = run_numbers_use(&runner->runs.numbers, start.run);
        return r < 0 ? r : runs_start(runner, &start);
}

static int on_ack(struct runner *runner, const void *payload, size_t size) {
        uint64_t run;
        int r = wire_get_number(payload, size, &run);

        if (r == 0)
                runs_acknowledge(runner, run);
        return r;
}

static int on_kill(struct runner *runner, const void *payload, size_t size) {
        struct wire_kill_run kill;
        int r = wire_get_kill(payload, size, &kill);

        if (r < 0)
                return r;
        struct run *run = run_table_find(&runner->runs, kill.run);
        if (run)
                runs_stop(runner, run, RUN_RESULT_CANCELLED, kill.how == WIRE_KILL_FORCE, INT64_MAX);
        return 0;
}

static int on_reload(struct runner *runner, const void *payload, size_t size) {
        uint64_t number;
        int r = wire_get_number(payload, size, &number);

        if (r == 0)
                generation_reload(runner, true, number);
        return r;
}

static int on_watch(struct runner *runner, const void *payload, size_t size) {
        struct wire_watch_run watch;
        int r = wire_get_watch(payload, size, &watch);

        if (r < 0)
                return r;
        struct run *run = run_table_find(&runner->runs, watch.run);
        if (run)
                run->start.is_watched = watch.is_on; /* what it says from now on */
        return 0;
}

/* A line each; where there is no room for all, the last one says so. */
static const char *print_conditions(const struct job_what *what, char buf[static WIRE_CONDITIONS_MAX]) {
        static const char more[] = "...";
        size_t at = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < what->n_conditions && WIRE_CONDITIONS_MAX - at > sizeof(more) + 1; i++) {
                size_t room = WIRE_CONDITIONS_MAX - at - 1; /* behind a line's end */
                if (i > 0)
                        buf[at++] = '\n';
                job_condition_print(&what->conditions[i], buf + at, room);
                at += strlen(buf + at);
        }
        if (WIRE_CONDITIONS_MAX - at <= sizeof(more) + 1)
                strcpy(buf + WIRE_CONDITIONS_MAX - sizeof(more), more);
        return buf;
}

static int describe(struct runner *runner, uint64_t number, const struct definition *definition) {
        _cleanup_free_ char *command = NULL;
        char conditions[WIRE_CONDITIONS_MAX];
        struct job_what what;
        int r = definition_decode_what(definition, &what);

        if (r < 0)
                return r;
        r = job_work_print(&what, WIRE_COMMAND_MAX, &command);
        if (r == 0)
                wire_put_described(&runner->link.pack,
                                   &(struct wire_described){.number = number,
                                                            .is_known = true,
                                                            .is_unit = what.work == JOB_WORK_UNIT,
                                                            .line = definition->line,
                                                            .command = command,
                                                            .user = what.user ? what.user : "",
                                                            .file = definition_file(definition),
                                                            .stop_path = what.stop_path,
                                                            .conditions = print_conditions(&what, conditions),
                                                            .timeout_us = what.timeout_us});
        job_what_done(&what);
        return r;
}

static int on_describe(struct runner *runner, const void *payload, size_t size) {
        struct wire_describe ask;
        int r = wire_get_describe(payload, size, &ask);

        if (r < 0)
                return r;
        const struct definition *definition = definitions_by_name(&runner->definitions, ask.name);
        if (definition)
                r = describe(runner, ask.number, definition);
        else
                wire_put_described(&runner->link.pack,
                                   &(struct wire_described){.number = ask.number, .command = "", .user = "", .file = ""});
        wire_describe_done(&ask);
        if (r == 0)
                put(runner, WIRE_DESCRIBED);
        return r;
}

static int on_host_load(struct runner *runner, const void *payload, size_t size) {
        struct wire_host_load load;
        int r = wire_get_host_load(payload, size, &load);

        if (r == 0)
                hosts_load(runner, &load);
        return r;
}

#define IN(phase) (1U << (phase))

struct handler {
        unsigned phases; /* when it may come */
        int (*handle)(struct runner *runner, const void *payload, size_t size);
};

static const struct handler handlers[WIRE_TYPE_MAX] = {
        [WIRE_HELLO] = {IN(LINK_PHASE_HELLO), on_hello},
        [WIRE_COMMITTED] = {IN(LINK_PHASE_SYNC) | IN(LINK_PHASE_UP), on_committed},
        [WIRE_START] = {IN(LINK_PHASE_UP), on_start},
        [WIRE_ACK] = {IN(LINK_PHASE_SYNC) | IN(LINK_PHASE_UP), on_ack},
        [WIRE_KILL] = {IN(LINK_PHASE_SYNC) | IN(LINK_PHASE_UP), on_kill}, /* hosts that it can't use, before it has committed */
        [WIRE_RELOAD] = {IN(LINK_PHASE_UP), on_reload},
        [WIRE_WATCH] = {IN(LINK_PHASE_UP), on_watch},
        [WIRE_DESCRIBE] = {IN(LINK_PHASE_UP), on_describe},
        [WIRE_HOST_LOAD] = {IN(LINK_PHASE_UP), on_host_load},
};

int link_handle(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct runner *runner = userdata;
        const struct handler *h = type < WIRE_TYPE_MAX ? &handlers[type] : NULL;
        int r = h && h->handle && (h->phases & IN(runner->link.phase)) ? h->handle(runner, payload, size) : -EBADMSG;

        if (r < 0 && runner_may_tell(&runner->refusal_told_bt_us)) {
                struct journal_record record = journal_begin(runner->journal, EVENT_DEGRADED);
                journal_field_i64(&record, "ERRNO", -r);
                journal_send(&record, "A %s record of the scheduler is refused: %s; it is replaced", wire_type_to_string(type),
                             strerror(-r));
        }
        return r;
}

/* ---- what it is told ---- */

static bool has_room(const struct runner *runner) {
        struct channel *control = upkeep_control(runner->upkeep);

        return control && channel_queued(control) <= UPKEEP_CONTROL_QUEUE / 2 && !upkeep_is_pausing(runner->upkeep);
}

static void tell_definition(struct runner *runner, struct definition *d) {
        definition_put_define(d, &runner->link.pack);
        put(runner, WIRE_DEFINE);
        d->is_unsent = false;
}

/* Each feed_x() tells one thing of its stage; false where there is none left. */
static bool feed_define(struct runner *runner) {
        struct definition *d;

        while ((d = definitions_walk(&runner->definitions, &runner->link.cursor)))
                if (runner->link.is_full || d->is_unsent) {
                        tell_definition(runner, d);
                        return true;
                }
        return false;
}

static bool feed_remove(struct runner *runner) {
        struct definitions *d = &runner->definitions;

        while (!runner->link.is_full && runner->link.cursor < d->n_retired) {
                struct definition *old = d->retired[runner->link.cursor++];
                if (!old->is_unsent)
                        continue;
                old->is_unsent = false;
                wire_put_text(&runner->link.pack, definition_name(old));
                put(runner, WIRE_REMOVE);
                return true;
        }
        return false;
}

static bool feed_group(struct runner *runner) {
        if (runner->link.cursor >= runner->groups.n)
                return false;
        const struct group_text *group = &runner->groups.list[runner->link.cursor++];
        wire_put_group(&runner->link.pack, &(struct wire_group){.name = group->name,
                                                                .description = group->description,
                                                                .max_running = group->max_running});
        put(runner, WIRE_GROUP);
        return true;
}

static bool feed_diag(struct runner *runner) {
        if (runner->is_told || runner->link.cursor >= runner->n_diags)
                return false;
        wire_put_text(&runner->link.pack, runner->diags[runner->link.cursor++]);
        put(runner, WIRE_DIAG);
        return true;
}

/* Its descriptors to the scheduler; false where there is no room for now. */
static bool give_host(struct runner *runner, const struct run *run) {
        struct wire_host_arrival arrival = {.run = run->start.run, .host_hash = run->host->hash};

        return upkeep_give_host(runner->upkeep, &arrival, run->host->ticks_fd, run->host->page_fd) != -EAGAIN;
}

/* Hosts that live, to a new scheduler: once it has read which definitions there are, for a host says at once which it has. */
static bool feed_hosts(struct runner *runner) {
        struct channel *control = upkeep_control(runner->upkeep);

        if (!runner->link.is_full)
                return false;
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run)) {
                if (!run->tells_host)
                        continue;
                if (channel_flush(control) < 0 || channel_queued(control) > 0 || !channel_is_read(control)) {
                        upkeep_pause(runner->upkeep);
                        return true;
                }
                if (!give_host(runner, run))
                        return true;
                run->tells_host = false;
        }
        return false;
}

static bool feed_value(struct runner *runner, struct run *run) {
        const char *data;
        size_t n = output_tail_read(&run->tail, run->n_tail_told, WIRE_VALUE_CHUNK, &data);

        if (n == 0)
                return false;
        run->n_tail_told += n;
        wire_put_bytes(&runner->link.pack, &(struct wire_bytes){.run = run->start.run, .stream = 1, .data = data, .size = n});
        put(runner, WIRE_VALUE);
        return true;
}

/* One record of what is to be told of a run; false where there is none left. */
static bool feed_run_record(struct runner *runner, struct run *run) {
        struct pack *pack = &runner->link.pack;

        if (run->tells_run) {
                run->tells_run = false;
                wire_put_run(pack, &(struct wire_run){.start = run->start, .name = run->name});
                put(runner, WIRE_RUN);
        } else if (run->tells_host) { /* before all that it may be asked about */
                run->tells_host = !give_host(runner, run);
        } else if (run->tells_started) {
                run->tells_started = false;
                wire_put_started(pack, &(struct wire_started){.run = run->start.run,
                                                              .pid = run->pid,
                                                              .start_rt_us = run->start_rt_us,
                                                              .start_bt_us = run->start_bt_us});
                put(runner, WIRE_STARTED);
        } else if (run->tells_end && feed_value(runner, run)) {
                return true;
        } else if (run->tells_end) {
                run->tells_end = false;
                run_put_ended(run, pack);
                put(runner, WIRE_ENDED);
        } else
                return false;
        return true;
}

static bool feed_run(struct runner *runner) {
        struct link *link = &runner->link;

        while (link->telling) {
                struct run *run = link->telling;
                if (feed_run_record(runner, run))
                        return true;
                link->telling = run->next_telling;
                run->is_telling = false;
        }
        return false;
}

static void tell_commit(struct runner *runner) {
        struct wire_commit commit = runner->commit;

        commit.is_resync = runner->link.is_full && runner->is_told;
        wire_put_commit(&runner->link.pack, &commit);
        put(runner, WIRE_COMMIT);
}

static int by_number(const void *a, const void *b) {
        const struct run *const *x = a, *const *y = b;
        return ((*x)->start.run > (*y)->start.run) - ((*x)->start.run < (*y)->start.run);
}

/* What was to be told: nobody is there to hear it, or it is told anew. */
static void forget_tellings(struct link *link) {
        while (link->telling) {
                struct run *run = link->telling;
                link->telling = run->next_telling;
                run->is_telling = false;
                run->tells_run = run->tells_host = run->tells_started = run->tells_end = false;
        }
}

/* Those that live are to be given. */
static void mark_hosts(struct runner *runner) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run))
                run->tells_host = run->host && run->start_bt_us > 0 && run->phase != RUN_PHASE_ENDED;
}

static void tell_known_run(struct runner *runner, struct run *run) {
        run->tells_run = true;
        run->tells_started = run->start_bt_us > 0;
        run->tells_end = run->phase == RUN_PHASE_ENDED;
        run->n_tail_told = 0;
        run->start.is_watched = false; /* who watched is gone */
        link_tell_run(runner, run);
}

/* All runs, as far as each has come, in their order: of one job several may have ended. One whose definition nobody knew tells a new
 * scheduler nothing. */
static void tell_all_runs(struct runner *runner) {
        struct run **runs = calloc(runner->runs.n + 1, sizeof(struct run *)), *run = run_table_walk(&runner->runs, NULL);
        size_t n = 0;

        while (runs && run) {
                struct run *next = run_table_walk(&runner->runs, run);
                if (run->name[0])
                        runs[n++] = run;
                else if (run->phase == RUN_PHASE_ENDED)
                        runs_acknowledge(runner, run->start.run);
                run = next;
        }
        if (!runs) { /* without them it would think wrong of its jobs */
                upkeep_kill(runner->upkeep);
                return;
        }
        qsort(runs, n, sizeof(struct run *), by_number);
        forget_tellings(&runner->link); /* what came while no scheduler was there */
        for (size_t i = 0; i < n; i++)
                tell_known_run(runner, runs[i]);
        free(runs);
}

static void next_stage(struct runner *runner) {
        struct link *link = &runner->link;

        link->stage++;
        link->cursor = 0;
        if (link->stage == FEED_HOSTS && link->is_full)
                mark_hosts(runner);
        if (link->stage == FEED_RUNS && link->is_full)
                tell_all_runs(runner);
        if (link->stage == FEED_WAIT)
                tell_commit(runner);
}

/* One step of what there is to tell; false where there is nothing. */
static bool feed(struct runner *runner) {
        switch (runner->link.stage) {
        case FEED_NONE:
        case FEED_WAIT:
                return feed_run(runner);
        case FEED_DEFINE:
                if (!feed_define(runner))
                        next_stage(runner);
                return true;
        case FEED_REMOVE:
                if (!feed_remove(runner))
                        next_stage(runner);
                return true;
        case FEED_GROUP:
                if (!feed_group(runner))
                        next_stage(runner);
                return true;
        case FEED_DIAG:
                if (!feed_diag(runner))
                        next_stage(runner);
                return true;
        case FEED_HOSTS:
                if (!feed_hosts(runner))
                        next_stage(runner);
                return true;
        case FEED_RUNS:
                if (!feed_run(runner))
                        next_stage(runner);
                return true;
        case FEED_COMMIT:
                next_stage(runner);
                return true;
        }
        return false;
}

void link_pump(struct runner *runner) {
        if (runner->link.phase < LINK_PHASE_SYNC || (runner->link.phase == LINK_PHASE_SYNC && runner->link.stage == FEED_NONE))
                return;
        while (has_room(runner) && feed(runner))
                ;
}

void link_tell_run(struct runner *runner, struct run *run) {
        struct link *link = &runner->link;

        if (!run->is_telling) {
                run->is_telling = true;
                run->next_telling = NULL;
                if (link->telling)
                        link->telling_end->next_telling = run;
                else
                        link->telling = run;
                link->telling_end = run;
        }
        if (link->stage == FEED_NONE || link->stage == FEED_WAIT)
                link_pump(runner);
}

void link_forget_run(struct runner *runner, struct run *run) {
        struct link *link = &runner->link;
        struct run **at = &link->telling, *previous = NULL;

        if (!run->is_telling)
                return;
        while (*at != run) {
                previous = *at;
                at = &(*at)->next_telling;
        }
        *at = run->next_telling;
        if (link->telling_end == run)
                link->telling_end = previous;
        run->is_telling = false;
}

void link_tell_generation(struct runner *runner) {
        switch (runner->link.phase) {
        case LINK_PHASE_DOWN:
        case LINK_PHASE_HELLO:
                definitions_purge(&runner->definitions); /* nobody can name the old ones */
                break;
        case LINK_PHASE_SYNC:
                begin_feed(runner, true);
                break;
        case LINK_PHASE_UP:
                begin_feed(runner, false);
                break;
        case LINK_PHASE_MAX:
                break;
        }
}

void link_tell_stopping(struct runner *runner) {
        if (runner->link.phase >= LINK_PHASE_SYNC && upkeep_control(runner->upkeep))
                put(runner, WIRE_STOPPING);
}

void link_tell_unloaded(struct runner *runner, uint64_t run, uint32_t handle, int error) {
        wire_put_host_unloaded(&runner->link.pack, &(struct wire_host_unloaded){.run = run, .handle = handle, .error = -error});
        put(runner, WIRE_HOST_UNLOADED);
}

void link_tell_synced(struct runner *runner) {
        if (runner->link.phase >= LINK_PHASE_SYNC && upkeep_control(runner->upkeep))
                put(runner, WIRE_SYNCED);
}

void link_output(struct runner *runner, struct run *run, uint8_t stream, const void *data, size_t size) {
        struct channel *output = upkeep_output(runner->upkeep);
        const char *at = data;

        for (size_t n; size > 0; at += n, size -= n) {
                struct pack *pack = &runner->link.pack;
                n = size < WIRE_VALUE_CHUNK ? size : WIRE_VALUE_CHUNK;
                wire_put_bytes(pack, &(struct wire_bytes){.run = run->start.run,
                                                          .stream = stream,
                                                          .dropped = run->n_output_dropped,
                                                          .data = at,
                                                          .size = n});
                if (output && pack_result(pack) == 0 && channel_send(output, WIRE_OUTPUT, pack->data, pack->size) == 0)
                        run->n_output_dropped = 0;
                else if (run->n_output_dropped <= UINT32_MAX - n)
                        run->n_output_dropped += (uint32_t)n;
                pack_clear(pack);
        }
}

/* ---- life ---- */

/* The settings file and the folders, one a line, as many as the record takes. */
static void tell_files(struct runner *runner) {
        struct pack text = {};
        const char *path = runner->settings_file;

        for (char **folder = runner->folders; path && text.size + strlen(path) + 1 < FILES_MAX; path = *folder++) {
                pack_raw(&text, path, strlen(path));
                pack_raw(&text, "\n", 1);
        }
        pack_u8(&text, '\0');
        wire_put_text(&runner->link.pack, pack_result(&text) == 0 ? (const char *)text.data : "");
        put(runner, WIRE_FILES);
        pack_done(&text);
}

void link_begin(struct runner *runner) {
        struct wire_hello hello = {
                .version = WIRE_VERSION,
                .epoch = runner->link.epoch,
                .next_run = runner->runs.numbers.next,
                .boot_bt_us = runner->boot_bt_us,
                .is_first_of_boot = runner->folder.is_first_of_boot,
                .is_synchronised = runner->is_synchronised,
        };

        memcpy(hello.boot_id, runner->boot_id, sizeof(hello.boot_id));
        memcpy(hello.instance, runner->instance, sizeof(hello.instance));
        memcpy(hello.secret, runner->secret, sizeof(hello.secret));
        runner->link.phase = LINK_PHASE_HELLO;
        runner->link.is_sync_told = runner->is_synchronised;
        run_numbers_forget_skipped(&runner->runs.numbers); /* what the last scheduler promised died with it */
        generation_forget_numbers(runner);
        wire_put_hello(&runner->link.pack, &hello);
        put(runner, WIRE_HELLO);
        tell_files(runner);
}

void link_end(struct runner *runner) {
        struct link *link = &runner->link;

        link->phase = LINK_PHASE_DOWN;
        link->stage = FEED_NONE;
        forget_tellings(link);
        hosts_forget_loads(runner);
        definitions_purge(&runner->definitions);
}
