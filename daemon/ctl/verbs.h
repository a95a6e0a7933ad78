// SPDX-License-Identifier: MIT
// verbs: the one table of what chimectl can do. Parser, help, manual check and completion walk it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/ctl/session.h"

#define VERB_NAMES_ANY SIZE_MAX

struct verb {
        const char *name;
        const char *alias;             /* NULL: none */
        const char *arguments;         /* as the help has them; "" */
        size_t n_min, n_max;           /* of arguments */
        uint64_t options;              /* OPTION_BIT() of those beside the ones for all */
        uint64_t methods;              /* OPTION_BIT() of the API methods that it calls */
        const char *help;              /* one line */
        int (*run)(struct session *s); /* returns the exit status; NULL: the help itself */
};

/* The rows, in the order of the help; static. */
const struct verb *verbs(size_t *ret_n);
/* By name or alias, or NULL. */
const struct verb *verb_find(const char *name);
/* The nearest name or alias, or NULL. */
const char *verb_nearest(const char *name);
/* The help of all, or of one verb. */
void verbs_help(FILE *out);
void verb_help(FILE *out, const struct verb *verb);

/* What the rows name, in verb_*.c. */
int verb_list(struct session *s);
int verb_show(struct session *s);
int verb_why(struct session *s);
int verb_next(struct session *s);
int verb_history(struct session *s);
int verb_log(struct session *s);
int verb_audit(struct session *s);
int verb_watch(struct session *s);
int verb_trigger(struct session *s);
int verb_cancel(struct session *s);
int verb_start(struct session *s);
int verb_pause(struct session *s);
int verb_resume(struct session *s);
int verb_set_interval(struct session *s);
int verb_wait(struct session *s);
int verb_check(struct session *s);
int verb_reload(struct session *s);
int verb_cat(struct session *s);
int verb_try(struct session *s);
int verb_env(struct session *s);
int verb_explain(struct session *s);
int verb_import(struct session *s);
int verb_simulate(struct session *s);

/* Explains each argument as an expression; is_short: only its next slots. Returns the exit status. */
int verb_explain_each(struct session *s, bool is_short);
