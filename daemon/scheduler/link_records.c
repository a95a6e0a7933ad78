// SPDX-License-Identifier: MIT
// link_records: one row a record: what the runner may say in which phase, and who handles it.

#include "daemon/scheduler/link_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/machine.h"
#include "daemon/scheduler/plan.h"

/* Answers the runner: it tells what there is from now on. */
int link_begin_sync(struct link *link) {
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
        uint16_t version;
        int r = wire_get_hello_version(payload, size, &version);
        if (r < 0)
                return r;
        if (version != WIRE_VERSION) {
                struct journal_record record = journal_begin(link->journal, EVENT_DEGRADED);
                journal_send(&record,
                             "The runner speaks version %u of the link, this scheduler %u: SIGUSR2 makes the runner go on as "
                             "what is "
                             "installed now",
                             version, WIRE_VERSION);
                return -EPROTO;
        }
        r = wire_get_hello(payload, size, &hello);
        if (r < 0)
                return r;
        link->hello = hello;
        link->is_hello_waiting = true;
        return !link->vault || vault_is_settled(link->vault) ? link_begin_sync(link) : 0;
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
        struct clock_sample now;
        int r = wire_get_host_unloaded(payload, size, &unloaded);
        if (r == 0)
                r = link_read_clock(link, &now);
        return r == 0 ? hosts_on_unloaded(link->hosts, now, &unloaded) : r;
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

static int on_leave(struct link *link, const void *payload, size_t size) {
        (void)payload;
        if (size > 0)
                return -EBADMSG;
        loop_exit(link->loop, 0);
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
        [WIRE_LEAVE] = {LINK_PHASE_HELLO | LINK_PHASE_SYNC | LINK_PHASE_UP, on_leave},
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
