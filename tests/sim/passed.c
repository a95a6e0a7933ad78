// SPDX-License-Identifier: MIT
// passed: by run numbers, in a ring: of runs that are too long ago nothing is said.

#include "tests/sim/passed.h"

#include <string.h>

#define PASSED_SETS 4

static const struct {
        const char *data;
        size_t size;
} sets[PASSED_SETS] = {{NULL, 0}, {"P=1", 4}, {"P=2", 4}, {"P=1\0Q=", 7}};

void passed_draw(const struct world *w, struct engine_trigger *trigger) {
        unsigned drawn = (unsigned)(index_hash_number((uint64_t)w->now.bt_us) >> 32) % (3 * (PASSED_SETS - 1));
        unsigned set = drawn < PASSED_SETS ? drawn : 0;
        trigger->parameters = sets[set].data;
        trigger->parameters_size = sets[set].size;
}

static unsigned find_set(struct world *w, const void *data, size_t size) {
        unsigned set = 0;
        while (set < PASSED_SETS && (sets[set].size != size || (size > 0 && memcmp(sets[set].data, data, size) != 0)))
                set++;
        if (set < PASSED_SETS)
                return set;
        world_fail(w, "parameters that nobody passed");
        return 0;
}

/* What is known of a run; NULL: nothing any more, or yet. */
static struct world_passed *find(struct world *w, uint64_t run) {
        struct world_passed *p = &w->passed[run % WORLD_PASSED];
        return p->run == run && run > 0 ? p : NULL;
}

static void note(struct world *w, const struct world_job *job, uint64_t run, unsigned set, bool is_promised) {
        struct world_passed *p = find(w, run);
        if (p && (p->is_promised || p->is_started) && p->set != set)
                world_fail(w, "%s: run %llu has parameters %u, and was to have %u", job->name, (unsigned long long)run, set,
                           p->set);
        bool was_started = p && p->is_started, was_promised = p && p->is_promised;
        w->passed[run % WORLD_PASSED] = (struct world_passed){
                .run = run, .set = set, .is_promised = is_promised || was_promised, .is_started = !is_promised || was_started};
}

struct wire_start passed_check_start(struct world *w, const struct world_job *job, uint32_t number,
                                     const struct wire_start *start) {
        struct wire_start with = *start;
        size_t size;
        const char *data = engine_parameters(w->engine, number, start->run, &size);
        unsigned set = find_set(w, data, size);
        bool is_announced = start->item == WIRE_ITEM_RETRY && start->attempt == job->next_attempt && job->max_parallel == 0;
        const struct world_passed *before = is_announced ? find(w, job->attempt_after) : NULL, *own = find(w, start->run);
        if (before && before->is_started && before->set != set)
                world_fail(w, "%s: run %llu has parameters %u, and the attempt before it had %u", job->name,
                           (unsigned long long)start->run, set, before->set);
        if (start->item != WIRE_ITEM_RETRY && !w->is_triggering && !(own && own->is_promised) && set > 0)
                world_fail(w, "%s: run %llu has parameters that no trigger passed", job->name, (unsigned long long)start->run);
        if (own || set > 0) /* of others nothing is known, so that those that wait long are not forgotten */
                note(w, job, start->run, set, false);
        with.parameters = sets[set].data;
        with.parameters_size = sets[set].size;
        return with;
}

void passed_note_refused(struct world *w, const struct world_job *job, const struct action *a) {
        const struct world_passed *before = find(w, a->run.run.run);
        if (before && a->run.is_asked_again && a->run.next_run > 0 && (before->is_promised || before->set > 0))
                note(w, job, a->run.next_run, before->set, true);
}

void passed_check_trigger(struct world *w, const struct world_job *job, const struct engine_trigger *trigger, int outcome,
                          uint64_t run) {
        unsigned set = find_set(w, trigger->parameters, trigger->parameters_size);
        const struct world_passed *met = find(w, run);
        if (outcome == TRIGGER_PARAMETERS_DIFFER && met && met->set == set)
                world_fail(w, "%s: run %llu has the parameters that are said to differ", job->name, (unsigned long long)run);
        if (outcome == TRIGGER_STARTED || (outcome == TRIGGER_JOINED && met) || outcome == TRIGGER_QUEUED ||
            outcome == TRIGGER_REPLACING)
                note(w, job, run, set, true);
}

bool passed_clash(struct world *w, const struct world_job *job, uint64_t run) {
        const struct world_passed *promised = find(w, job->promised), *it = find(w, run);
        return promised && it && promised->set != it->set;
}

void passed_crash(struct world *w) {
        for (size_t i = 0; i < WORLD_PASSED; i++)
                if (!w->passed[i].is_started)
                        w->passed[i] = (struct world_passed){0};
}
