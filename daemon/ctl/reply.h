// SPDX-License-Identifier: MIT
// reply: what chimed answers, read without trust: a member that is absent, null or of another type is simply not there.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define REPLY_NO_TIME INT64_MAX

/* All borrow the object, which may be NULL; texts are borrowed from it. */
const char *reply_text(const json_t *object, const char *name); /* NULL: not there */
const char *reply_text_or(const json_t *object, const char *name, const char *otherwise);
int64_t reply_int(const json_t *object, const char *name, int64_t otherwise);
bool reply_bool(const json_t *object, const char *name);
json_t *reply_object(const json_t *object, const char *name); /* NULL: not there */
/* Puts an array into order; compare gets pointers to json_t pointers, as for qsort(). 0, -ENOMEM. */
int reply_sort(json_t *array, int (*compare)(const void *a, const void *b));
/* Makes every text of a reply fit for a terminal, see text_clean(). Line breaks stay in what a job wrote; that is left alone as a
 * whole with is_output_raw. 0, -ENOMEM. */
int reply_clean(json_t *value, bool is_output_raw);
