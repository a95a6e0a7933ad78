// SPDX-License-Identifier: MIT
// chains: an end is remembered until all actions of its event are taken: then each child has a run, a slot that waits, or an outcome at its
// instant. Starts are remembered over deaths of the scheduler: none comes twice. What is durable of an end has the same of its children.

#include "tests/sim/chains.h"

#include <stdio.h>
#include <string.h>

static void fail(struct world *w, const char *child, const char *what, uint64_t run) {
        world_fail(w, "%s: %s of run %llu", child, what, (unsigned long long)run);
}

static void note_end(struct world *w, const struct world_job *job, enum run_result result, uint64_t run, int64_t at_bt_us) {
        struct world_chains *c = &w->chains;
        bool is_good = run_result_is_good(result) && result != RUN_RESULT_SKIPPED;
        if (!is_good && !run_result_is_failure(result))
                return;
        if (c->n_ends == WORLD_ENDS) {
                fail(w, job->name, "too many ends at once before that", run);
                return;
        }
        struct world_chain_end *end = &c->ends[c->n_ends++];
        *end = (struct world_chain_end){.run = run, .at_bt_us = at_bt_us, .is_good = is_good};
        snprintf(end->job, sizeof(end->job), "%s", job->name);
}

/* The started ones, the latest of them. */
static bool has_started(const struct world_chains *c, const char *child, uint64_t run, bool may_repeat) {
        for (size_t i = 0; i < WORLD_CHAINED; i++)
                if (c->started[i].run == run && strcmp(c->started[i].job, child) == 0 &&
                    (may_repeat || !c->started[i].may_repeat))
                        return true;
        return false;
}

static void note_start(struct world *w, const struct world_job *job, const struct wire_start *start) {
        struct world_chains *c = &w->chains;
        if (start->attempt == 1 && has_started(c, job->name, start->parent.run, false))
                fail(w, job->name, "a second run came", start->parent.run);
        c->started[c->next_started].run = start->parent.run;
        c->started[c->next_started].may_repeat = world_starts_unclaimed(w, job);
        snprintf(c->started[c->next_started].job, sizeof(c->started[0].job), "%s", job->name);
        c->next_started = (c->next_started + 1) % WORLD_CHAINED;
}

/* It is undone, for a condition did not hold: another may come. */
static void forget_start(struct world_chains *c, const char *child, uint64_t run) {
        for (size_t i = 0; i < WORLD_CHAINED; i++)
                if (c->started[i].run == run && strcmp(c->started[i].job, child) == 0)
                        c->started[i].run = 0;
}

void chains_note(struct world *w, const struct world_job *job, const struct action *a) {
        struct world_chains *c = &w->chains;
        if (a->kind == ACTION_ENDED && a->run.is_final)
                note_end(w, job, a->run.end.result, a->run.run.run, a->run.end.end_bt_us);
        else if (a->kind == ACTION_GIVEN_UP && a->given_up.is_final)
                note_end(w, job, a->given_up.retry.result, a->given_up.retry.run, w->now.bt_us);
        else if (a->kind == ACTION_OUTCOME && a->outcome.item == WIRE_ITEM_CHAIN && c->n_outcomes < WORLD_ENDS)
                snprintf(c->outcomes[c->n_outcomes++], sizeof(c->outcomes[0]), "%s", job->name);
        else if (a->kind == ACTION_START && a->start.item == WIRE_ITEM_CHAIN && a->start.parent.run > 0)
                note_start(w, job, &a->start);
        else if (a->kind == ACTION_REFUSED && a->run.run.item == WIRE_ITEM_CHAIN)
                forget_start(c, job->name, a->run.run.parent.run);
}

static bool waits(const struct job_waiting *slot, uint64_t run) {
        return slot->is_slot && slot->item == WIRE_ITEM_CHAIN && slot->parent.run == run;
}

static bool has_slot(const struct world *w, const struct job_cold *cold, const char *child, uint64_t run) {
        const struct world_chains *c = &w->chains;
        if (has_started(c, child, run, true) || (cold && waits(&cold->waiting, run)))
                return true;
        for (size_t i = 0; cold && cold->line && i < cold->line->n; i++)
                if (waits(&cold->line->slots[i], run))
                        return true;
        for (size_t i = 0; i < c->n_outcomes; i++)
                if (strcmp(c->outcomes[i], child) == 0)
                        return true;
        return false;
}

/* Each end has its number of a batch: that in which it was noted. */
static void owe(struct world *w, const char *child, const struct world_chain_end *end) {
        struct world_chains *c = &w->chains;
        if (c->n_debts == WORLD_ENDS) {
                fail(w, child, "too many ends that are not durable before that", end->run);
                return;
        }
        struct world_chain_debt *debt = &c->debts[c->n_debts++];
        *debt = (struct world_chain_debt){
                .run = end->run,
                .at_rt_us = w->now.rt_us - (w->now.bt_us - end->at_bt_us),
                .number = w->store->number + 1,
        };
        snprintf(debt->child, sizeof(debt->child), "%s", child);
}

/* It waits, or its run is in flight or to be tried again. */
static bool is_open_in(const struct job_image *image, uint64_t run) {
        if (waits(&image->waiting, run) || image->retry.parent.run == run ||
            (image->run.run > 0 && image->run.parent.run == run))
                return true;
        for (uint32_t i = 0; i < image->n_line; i++)
                if (waits(&image->line->slots[i], run))
                        return true;
        for (uint32_t i = 0; i < image->n_beside; i++)
                if (image->beside[i].parent.run == run)
                        return true;
        return false;
}

static bool is_row_of(const struct store_kept *kept, const struct world_chain_debt *debt) {
        if (kept->kind == STORE_KEPT_RUN)
                return kept->run.run.parent.run == debt->run;
        return kept->kind == STORE_KEPT_RANGE && kept->range.item == WIRE_ITEM_CHAIN &&
               kept->range.first_rt_us == debt->at_rt_us;
}

static bool is_paid(const struct store *s, const struct world_chain_debt *debt) {
        const struct store_job *job = store_find(s, debt->child);
        if (job && job->has_image && is_open_in(&job->image, debt->run))
                return true;
        for (size_t i = s->n_kept; job && i > 0; i--)
                if (s->kept[i - 1].job == job && is_row_of(&s->kept[i - 1], debt))
                        return true;
        return false;
}

void chains_check_durable(struct world *w, bool is_cut) {
        struct world_chains *c = &w->chains;
        size_t n = 0;
        for (size_t i = 0; i < c->n_debts; i++)
                if (c->debts[i].number > w->store->committed)
                        c->debts[n++] = c->debts[i];
                else if (!is_paid(w->store, &c->debts[i]))
                        fail(w, c->debts[i].child, "the ledger has no slot", c->debts[i].run);
        c->n_debts = is_cut ? 0 : n;
}

/* Slots come of it whatever else there is. */
static bool is_open(const struct job_row *row, const struct job_when *when) {
        return row->state == JOB_STATE_ARMED && !row->is_finished && when->not_before_us == 0 && when->until_us == INT64_MAX &&
               when->max_runs == 0;
}

void chains_check(struct world *w) {
        struct world_chains *c = &w->chains;
        const struct registry *g = engine_registry(w->engine);
        for (uint32_t child = engine_walk_jobs(w->engine, 0); child != INDEX_NONE;
             child = engine_walk_jobs(w->engine, child + 1)) {
                const struct job_row *row = &g->rows[child];
                size_t at = 0;
                uint32_t events, parent;
                while ((parent = engine_walk_parents(w->engine, child, &at, &events)) != INDEX_NONE)
                        for (size_t i = 0; i < c->n_ends; i++) {
                                const struct world_chain_end *end = &c->ends[i];
                                uint32_t of =
                                        1U << RUN_EVENT_END | 1U << (end->is_good ? RUN_EVENT_SUCCESS : RUN_EVENT_FAILURE);
                                if (!(events & of) || strcmp(end->job, engine_job_name(w->engine, parent)) != 0)
                                        continue;
                                const char *name = engine_job_name(w->engine, child);
                                if (!is_open(row, registry_when(g, row->when)))
                                        continue;
                                if (!has_slot(w, registry_cold(g, row), name, end->run))
                                        fail(w, name, "no slot came", end->run);
                                if (w->store)
                                        owe(w, name, end);
                        }
        }
        c->n_ends = c->n_outcomes = 0;
}
