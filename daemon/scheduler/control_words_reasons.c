// SPDX-License-Identifier: MIT
// control_words_reasons: what keeps a job from running, in words for programs. All that holds is told, whatever the sentences speak of first.

#include "daemon/scheduler/control_words_internal.h"

static bool awaits_run(const struct words_facts *f) {
        const struct job_view *v = &f->view;
        return v->run && (v->n_line > 0 || v->pending_run > 0 || v->is_pending_slot);
}

static bool awaits_attempt(const struct words_facts *f) {
        bool lacks_resources = f->view.waiting && f->view.waiting->awaits == JOB_AWAITS_RETRY;
        return lacks_resources || (f->view.retry && !f->has_place);
}

static bool awaits_place(const struct words_facts *f) {
        return f->has_place;
}

static bool is_refused(const struct words_facts *f) {
        return words_awaits_condition(f) || words_is_refused(f);
}

static bool awaits_ledger(const struct words_facts *f) {
        return f->view.is_claim_awaited && !f->view.run;
}

static bool awaits_clock(const struct words_facts *f) {
        return f->view.is_clock_awaited;
}

static bool is_paused(const struct words_facts *f) {
        return f->view.is_held;
}

static bool is_group_paused(const struct words_facts *f) {
        return f->group != NULL;
}

static bool is_cancelled(const struct words_facts *f) {
        return f->view.is_cancelled;
}

static bool is_disabled(const struct words_facts *f) {
        return f->view.is_disabled;
}

static bool has_failed(const struct words_facts *f) {
        return f->view.is_failed;
}

static bool is_finished(const struct words_facts *f) {
        return f->view.end != JOB_END_NONE;
}

static bool is_manual(const struct words_facts *f) {
        return !job_when_has_schedule(f->when) && f->n_parents == 0;
}

static bool is_left_out(const struct words_facts *f) {
        return f->when->days && (days_which(f->when->days, f->now.rt_us) || words_is_never_open(f));
}

static bool is_overdue(const struct words_facts *f) {
        return f->view.is_overdue;
}

/* The closed set. */
static const struct {
        const char *word;
        bool (*holds)(const struct words_facts *f);
} rows[WORDS_REASONS] = {
        {"run", awaits_run},         {"retry", awaits_attempt}, {"pool", awaits_place},  {"condition", is_refused},
        {"ledger", awaits_ledger},   {"clock", awaits_clock},   {"paused", is_paused},   {"group-paused", is_group_paused},
        {"cancelled", is_cancelled}, {"disabled", is_disabled}, {"failed", has_failed},  {"finished", is_finished},
        {"manual", is_manual},       {"calendar", is_left_out}, {"overdue", is_overdue},
};

size_t words_reasons(const struct words_facts *facts, const char *ret[static WORDS_REASONS]) {
        size_t n = 0;
        for (size_t i = 0; i < WORDS_REASONS; i++)
                if (rows[i].holds(facts))
                        ret[n++] = rows[i].word;
        return n;
}

const char *words_reason_name(size_t i) {
        return i < WORDS_REASONS ? rows[i].word : NULL;
}
