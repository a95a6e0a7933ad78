// SPDX-License-Identifier: MIT
// tick_cost: what a tick of a hosted job costs in the scheduler without its sockets: CPU of all threads, part by part: each line has the
// parts of the one before it and one more. Time is virtual: the ticks come as fast as they are done.
//
//   tick_cost [TICKS [JOBS [EVERY_MS [PART]]]]   PART: engine, book, story, ledger; all where it is left out

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"
#include "daemon/scheduler/story.h"
#include "daemon/scheduler/vault.h"

#define PASS_US 400 /* between two passes of the loop; what was started in one is answered in the next */

enum part { PART_ENGINE, PART_BOOK, PART_STORY, PART_LEDGER, PART_MAX };

static const char *const part_names[PART_MAX] = {
        [PART_ENGINE] = "engine", [PART_BOOK] = "book", [PART_STORY] = "story", [PART_LEDGER] = "ledger"};

struct bench {
        enum part parts; /* up to this one */
        struct loop *loop;
        struct journal *journal;
        struct agendas agendas;
        struct engine *engine;
        struct book *book;
        struct story *story;
        struct vault *vault;
        char folder[40];
        struct clock_sample now;
        uint64_t *started; /* not answered yet */
        size_t n_started;
        uint64_t n_ticks;
};

static void die(const char *what) {
        fprintf(stderr, "tick_cost: %s\n", what);
        exit(1);
}

static int64_t cpu_ns(clockid_t clock) {
        struct timespec ts;
        (void)clock_gettime(clock, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int on_vault(void *userdata) {
        struct bench *b = userdata;
        struct clock_sample horizon;
        uint64_t run;
        if (!b->engine)
                return 0;
        while (vault_next_ack(b->vault, &run))
                ;
        if (vault_next_claim(b->vault, &horizon))
                engine_claimed(b->engine, b->now, horizon);
        return 0;
}

static void take_actions(struct bench *b) {
        const struct action *a;
        while ((a = engine_next_action(b->engine))) {
                if (b->parts >= PART_BOOK)
                        book_note(b->book, b->engine, b->now, a, NULL, 0);
                if (b->parts >= PART_STORY && a->kind != ACTION_HORIZON)
                        story_tell(b->story, b->engine, b->book, b->now, a, NULL, 0);
                if (b->parts >= PART_LEDGER && vault_note(b->vault, b->engine, b->book, b->now, a, NULL, 0) < 0)
                        die("no memory");
                if (a->kind == ACTION_START)
                        b->started[b->n_started++] = a->start.run;
        }
}

static void answer_all(struct bench *b) {
        size_t n = b->n_started;
        b->n_started = 0;
        b->n_ticks += n;
        for (size_t i = 0; i < n; i++) {
                struct run_end end = {.result = RUN_RESULT_SUCCESS,
                                      .start_rt_us = b->now.rt_us - PASS_US / 2,
                                      .start_bt_us = b->now.bt_us - PASS_US / 2,
                                      .end_rt_us = b->now.rt_us - PASS_US / 4,
                                      .end_bt_us = b->now.bt_us - PASS_US / 4};
                struct wire_ended ended = {.run = b->started[i], .end = end};
                if (engine_ended(b->engine, b->now, &ended) != 0)
                        die("a run is not known");
                take_actions(b); /* starts nothing */
        }
}

/* The loop of the daemon hears of a commit when it is durable; here nothing else lets it wait. */
static void hear_ledger(struct bench *b) {
        if (vault_flush(b->vault, b->engine, b->book, b->now) < 0)
                die("the ledger has lost a row");
        while (vault_pending(b->vault) > vault_committed(b->vault) + 2)
                (void)loop_run_once(b->loop, -1);
        if (vault_pending(b->vault) > 0)
                (void)loop_run_once(b->loop, 0);
}

static void pass(struct bench *b) {
        int64_t bt_us, rt_us;
        b->now.bt_us += PASS_US;
        b->now.rt_us += PASS_US;
        answer_all(b);
        while (engine_advance(b->engine, b->now) > 0)
                take_actions(b);
        take_actions(b);
        if (b->parts >= PART_LEDGER)
                hear_ledger(b);
        engine_next_wake(b->engine, &bt_us, &rt_us);
}

static void begin(struct bench *b, uint32_t n_jobs, int64_t every_us) {
        struct wire_hello hello = {
                .version = WIRE_VERSION, .instance = {1}, .boot_id = {1}, .next_run = 1, .is_synchronised = true};
        b->now = clock_now();
        b->started = calloc(n_jobs, sizeof(*b->started));
        if (!b->started || engine_new(&hello, &b->engine) < 0 || book_new(&b->book) < 0 ||
            journal_new(NULL, JOURNAL_LOGFMT, "tick_cost", NULL, &b->journal) < 0 ||
            story_new(b->journal, hello.instance, &b->story) < 0)
                die("can't begin");
        if (b->parts >= PART_LEDGER) {
                snprintf(b->folder, sizeof(b->folder), "/tmp/chimed-bench-tick-XXXXXX");
                if (loop_new(&b->loop) < 0 || !mkdtemp(b->folder) ||
                    vault_new(b->loop, b->journal, &b->agendas, b->folder, on_vault, b, &b->vault) < 0)
                        die("no ledger");
                while (!vault_is_settled(b->vault))
                        (void)loop_run_once(b->loop, -1);
                if (vault_begin(b->vault, b->engine, b->book, b->now, &hello) < 0 || !vault_is_on(b->vault))
                        die("no ledger");
        }
        for (uint32_t i = 0; i < n_jobs; i++) { /* each with a phase of its own */
                int64_t phase_us = every_us * i / n_jobs;
                char name[16];
                struct job_when when;
                job_when_init(&when);
                when.every_us = every_us;
                when.mode = JOB_MODE_FIXED_RATE;
                when.log = JOB_LOG_CHANGES;
                when.catch_up = JOB_CATCH_UP_NONE;
                snprintf(name, sizeof(name), "tick%u", i);
                struct wire_define define = {.name = name,
                                             .since_rt_us = b->now.rt_us + phase_us,
                                             .since_bt_us = b->now.bt_us + phase_us,
                                             .hash = {{1, i}},
                                             .host = "host"};
                if (engine_define(b->engine, &define, &when, NULL) < 0)
                        die("no memory");
        }
        if (engine_commit(b->engine, b->now, &(struct wire_commit){.generation = 1, .n_jobs = n_jobs}) < 0)
                die("no memory");
        take_actions(b);
}

static void end(struct bench *b) {
        vault_free(b->vault, b->engine, b->book, b->now);
        loop_free(b->loop);
        engine_free(b->engine);
        story_free(b->story);
        book_free(b->book);
        journal_free(b->journal);
        free(b->started);
        if (b->folder[0]) {
                char command[80];
                snprintf(command, sizeof(command), "rm -rf %s", b->folder);
                if (system(command) != 0)
                        die("the folder stays");
        }
}

static void measure(enum part parts, uint64_t n_ticks, uint32_t n_jobs, int64_t every_us) {
        struct bench b = {.parts = parts};
        begin(&b, n_jobs, every_us);
        while (b.n_ticks < 2 * (uint64_t)n_jobs) /* each job has its cold state */
                pass(&b);
        uint64_t before = b.n_ticks;
        int64_t all_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID), own_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
        while (b.n_ticks - before < n_ticks)
                pass(&b);
        int64_t n = (int64_t)(b.n_ticks - before);
        own_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - own_ns;
        end(&b);
        all_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - all_ns;
        printf("%-8s %5ld ns a tick in the loop, %5ld in all threads\n", part_names[parts], (long)(own_ns / n),
               (long)(all_ns / n));
        fflush(stdout);
}

static uint64_t number(int argc, char **argv, int at, uint64_t otherwise) {
        return argc > at ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv) {
        uint64_t n_ticks = number(argc, argv, 1, 1000000), n_jobs = number(argc, argv, 2, 10000),
                 every_ms = number(argc, argv, 3, 50);
        if (n_ticks == 0 || n_jobs == 0 || every_ms == 0)
                die("usage: tick_cost [TICKS [JOBS [EVERY_MS [PART]]]]");
        for (enum part part = 0; part < PART_MAX; part++)
                if (argc <= 4 || strcmp(argv[4], part_names[part]) == 0)
                        measure(part, n_ticks, (uint32_t)n_jobs, (int64_t)every_ms * USEC_PER_MSEC);
        return 0;
}
