// SPDX-License-Identifier: MIT
// control_json: jobs, runs and what the book knows of them as the objects of the interface.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"

/* Sets a member of *object, whose value is taken. Without memory *object becomes NULL, and stays so: look once, at the end. */
void control_put(json_t **object, const char *name, json_t *value);
void control_put_int(json_t **object, const char *name, int64_t value);
/* An instant or a span; null where `is_known` is false. */
void control_put_known(json_t **object, const char *name, bool is_known, int64_t value);
void control_put_bool(json_t **object, const char *name, bool value);
/* Text, null for NULL; bytes that are no UTF-8 are replaced. */
json_t *control_json_text(const char *text);
void control_put_text(json_t **object, const char *name, const char *text);
/* Appends to a list, which takes the value. As control_put(). */
void control_append(json_t **list, json_t *value);
/* The lines of a text, as a fresh array. */
json_t *control_json_lines(const char *text);
/* The end of an output as `value`, or `valueBase64`. */
void control_put_value(json_t **object, const void *data, size_t size);

/* A Run; null where there is none. The value only with may_control. */
json_t *control_json_run(const char *job, const struct book_run *run, bool may_control);
/* The fields of a run that is over (result is not RUN_RESULT_NONE) or in flight, without its value. */
void control_put_run(json_t **object, const char *job, const struct job_run *run, const struct run_end *end);
/* A Missed; lag_us of slots that ran. */
json_t *control_json_range(const char *job, const struct book_range *range, int64_t lag_us);
/* A Hold; null where there is none. */
json_t *control_json_hold(const struct engine *e, struct clock_sample now, const struct job_view *view,
                          const struct book_job *book);
/* The same of a group. */
json_t *control_json_group_hold(const struct group *group, struct clock_sample now);
/* The numbers of its runs in flight, a fresh array. */
json_t *control_json_running(const struct engine *e, uint32_t job);
/* A Job. */
json_t *control_json_job(const struct engine *e, const struct book *b, struct clock_sample now, uint32_t job);
/* The latest run that has ended, or NULL. */
const struct book_run *control_last_ended(const struct book_job *book);
/* The span that it took, -1 where there is none that began. */
int64_t control_last_duration(const struct book_job *book);
