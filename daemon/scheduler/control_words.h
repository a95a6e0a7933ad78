// SPDX-License-Identifier: MIT
// control_words: what is told in words: when a job runs, why it does not, what became of a slot. Instants are UTC as RFC 3339.
// Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"
#include "daemon/scheduler/ledger.h"

#define WORDS_SCHEDULE_MAX 420
#define WORDS_SENTENCES    12
#define WORDS_SENTENCE_MAX 512

/* When a job runs: "every 10s", "at boot, every 1h, fixed rate", "on demand". Prints into buf, returns it. */
char *words_schedule(const struct job_when *when, char buf[static WORDS_SCHEDULE_MAX]);
/* Why there is no next slot, or what moves it; NULL where neither. Prints into buf. */
const char *words_next_reason(const struct job_view *view, const struct job_when *when, char buf[static WORDS_SCHEDULE_MAX]);
/* "SIGTERM", "SIGRTMIN+3"; buf holds it where it is not static. */
const char *words_signal(int signal, char buf[static 160]);
/* The step that kept a run from its program, and why; NULL where it began. */
const char *words_start_error(const struct run_end *end, char buf[static 160]);

/* All that is looked at for Why. book may be NULL. */
/* A job that it follows. */
struct words_parent {
        const char *job;
        uint32_t events; /* bits by enum run_event: what of it makes a slot */
        const struct book_job *book;
};
#define WORDS_HOST_MAX 160
#define WORDS_PARENTS  2 /* of which more is said than the name */

/* What it waits for that waits for a place. */
struct words_place {
        struct engine_place place;
        const char *runners[ENGINE_RUNNERS_TOLD]; /* the names of those */
};

struct words_facts {
        const char *job;
        struct clock_sample now;
        struct job_view view;
        const struct job_when *when;
        const struct book_job *book;
        const char *condition;     /* engine_condition(); NULL: none is known */
        const struct group *group; /* the first of its groups that is paused, or NULL */
        int64_t next_slot_rt_us;   /* INT64_MAX: none */
        bool has_place;            /* it waits for one */
        struct words_place place;
        struct words_parent parents[WORDS_PARENTS];
        size_t n_parents;          /* all */
        char host[WORDS_HOST_MAX]; /* why its run waits for its host process; "": it does not */
};

/* All that is known of a job; it borrows from both until the next event. book may be NULL. */
struct words_facts words_find_facts(struct engine *e, const struct book *book, struct clock_sample now, uint32_t job);

/* The answer: sentences, and what they speak of. Borrows from the facts. */
struct words_answer {
        char sentences[WORDS_SENTENCES][WORDS_SENTENCE_MAX];
        size_t n;
        const char *reason;             /* one word; NULL: nothing keeps it */
        const struct book_range *slots; /* or NULL */
        const struct book_run *run;     /* or NULL */
};

/* All that keeps the job from running now, or is not as it should be, as words that stay the same. Returns how many. */
#define WORDS_REASONS 15
size_t words_reasons(const struct words_facts *facts, const char *ret[static WORDS_REASONS]);
/* The words that there are; NULL behind the last. */
const char *words_reason_name(size_t i);
/* How the job stands now, and what last went wrong. */
void words_why(const struct words_facts *facts, struct words_answer *ret);
/* What became of the slot of an instant. */
void words_why_slot(const struct words_facts *facts, int64_t slot_rt_us, struct words_answer *ret);

/* A slot as the ledger has it, and what there is around it. Rows are borrowed; NULL: none is known. */
struct words_past {
        int64_t at_rt_us;                  /* the instant that was asked for */
        bool is_trimmed;                   /* retention has taken older ones */
        const struct ledger_range *range;  /* that the slot is of; */
        int64_t slot_rt_us, key;           /* the slot */
        const struct ledger_run *run;      /* that ran for it, took it in, or was in flight at that time */
        const struct ledger_clock *clock;  /* START, RESUME or STEP, in whose time it passed, */
        int64_t booted_rt_us;              /* and when the machine came up in that time; INT64_MAX: it did not */
        const struct ledger_range *merged; /* earlier slots that went into the same run */
        const struct ledger_range
                *beside; /* other slots in the same time had another outcome: which of both this one is of was not kept */
};

/* What became of the slot at an instant or last before it. */
void words_why_past(const struct words_facts *facts, const struct words_past *past, struct words_answer *ret);
