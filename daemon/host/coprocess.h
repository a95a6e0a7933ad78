// SPDX-License-Identifier: MIT
// coprocess: a program that stays and answers: for each tick a line of JSON to its standard input, and a line back.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/pack.h"
#include "daemon/core/tick.h"

#define COPROCESS_LINE_MAX    (64 * 1024)        /* bytes of an answer, with its end */
#define COPROCESS_QUEUE_MAX   (1024 * 1024)      /* of questions that it does not read */
#define COPROCESS_BACKOFF_MIN (1 * USEC_PER_SEC) /* before it is started again */
#define COPROCESS_BACKOFF_MAX (60 * USEC_PER_SEC)
#define COPROCESS_SETTLED_US  (10 * USEC_PER_SEC) /* one that lived so long begins anew with the back-off */
#define COPROCESS_LEAVE_US    (1 * USEC_PER_SEC)  /* between the end of its input, by whomever, and KillSignal= */

struct chimed_job;
struct coprocess;

/* The coprocess of a job, not started yet. 0 or -ENOMEM. */
int coprocess_new(struct chimed_job *job, struct coprocess **ret);
/* Kills what there is of it. */
struct coprocess *coprocess_free(struct coprocess *c);
/* Begins the job's tick: hosted_end() follows, inside or later. */
void coprocess_begin(struct coprocess *c, const struct tick_run *run);
/* Asks the process to end, and with it the tick under way: KillSignal=, KillGrace=, KILL. */
void coprocess_cancel(struct coprocess *c);
/* No more ticks: closes its input and waits for its end, then as coprocess_cancel(); at once where is_urgent. */
void coprocess_stop(struct coprocess *c, bool is_urgent);
/* Whether its process is there. */
bool coprocess_is_there(const struct coprocess *c);

/* What an answer says. */
struct coprocess_answer {
        enum run_result result; /* SUCCESS, SKIPPED, FINISHED, FAILED */
        char *value;            /* owned; any bytes; NULL: none */
        size_t value_size;
        char *message; /* owned; NULL: none */
};

/* coprocess_json.c: pure. */
/* Appends the question for a tick, one line of JSON. job is a job's name. */
void coprocess_put_question(struct pack *p, const char *job, const struct tick_run *run);
/* Reads a line without its end: a JSON object of "status", "value" and "message" says what it says; any other is the value itself.
 * 0; 1: it is such an object and wrong, why says what (static text); -ENOMEM. */
int coprocess_read_answer(const char *line, size_t size, struct coprocess_answer *ret, const char **ret_why);
void coprocess_answer_done(struct coprocess_answer *answer);
