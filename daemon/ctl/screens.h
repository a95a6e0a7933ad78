// SPDX-License-Identifier: MIT
// screens: what chimed answers, as people read it. Nothing here asks chimed, a clock or the terminal.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "daemon/ctl/explain.h"
#include "daemon/ctl/timeline.h"
#include "daemon/ctl/view.h"

/* All borrow the replies. They return 0 or -ENOMEM. */

/* The table of jobs (an array of Job, put into order) with a summary; status (a reply of GetStatus) may be NULL. */
int screen_list(const struct view *v, json_t *jobs, const json_t *status, FILE *out);
/* The table of groups (an array of Group, put into order). */
int screen_groups(const struct view *v, json_t *groups, FILE *out);
/* One job: the reply of ShowJob. */
int screen_show(const struct view *v, const json_t *job, FILE *out);
/* The reply of Why. */
int screen_why(const struct view *v, const json_t *reply, FILE *out);
/* What a run of a job would get, as --json has it; is_export: the variables only, and no word beside them. */
int screen_env(const struct view *v, const json_t *env, bool is_export, FILE *out);
/* Next slots, an array of NextSlot. */
int screen_next(const struct view *v, const json_t *slots, FILE *out);
/* The table of history: an array of Run and Missed, in order; trimmed: runs that are no longer kept. */
int screen_history(const struct view *v, const json_t *rows, int64_t trimmed, FILE *out);
/* Puts an array of Run and Missed into the order of that table. 0, -ENOMEM. */
int screen_history_sort(json_t *rows);
/* Replies of Audit. */
int screen_audit(const struct view *v, const json_t *audits, FILE *out);
/* A line for an event of Subscribe. */
int screen_event(const struct view *v, const json_t *event, FILE *out);
/* What an expression means, its next slots and the next change of the clock that meets it; is_short: the slots only. */
int screen_explain(const struct view *v, const struct explanation *e, bool is_short, FILE *out);
/* A row a job over an axis of time; the timeline has as many cells as screen_timeline_cells() says for the view. */
int screen_timeline(const struct view *v, const struct timeline *t, FILE *out);
size_t screen_timeline_cells(const struct view *v);
/* True for the kinds of events that screen_event() has words for. */
bool screen_knows_event(const char *kind);
/* "paused by ops", with until and why if is_long; state is the job's. Returns buf. */
char *screen_hold(const struct view *v, const json_t *job, bool is_long, char buf[static 512]);
/* "Mon 02:30:00, in 1d 14h", or with date and zone if is_full. Returns buf. */
char *screen_next_time(const struct view *v, int64_t us, bool is_full, char buf[static 160]);
/* A label and what it is about, wrapped to the width of the view. */
void screen_line(const struct view *v, FILE *out, const char *label, const char *text);
