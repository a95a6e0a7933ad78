// SPDX-License-Identifier: MIT
// story: the engine's actions as journal records, under each job's Log= policy; lasting trouble once a minute, with a count.
// It decides what is told, never what is so: the account is the engine's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/core/journal.h"
#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"

struct story;

/* Writes to journal (borrowed). instance names the runs in CHIMED_RUN_ID. 0, -ENOMEM. */
int story_new(struct journal *journal, const uint8_t instance[static 16], struct story **ret);
struct story *story_free(struct story *s);

/* Tells an action, at once or later, or not at all, as the job's Log= says. The book (which has the action already) says who
 * holds a job. value is the tail of the run's output (ENDED). */
void story_tell(struct story *s, const struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
                const void *value, size_t value_size);
/* Tells what was held back and is due, of so many jobs at once that a loop bears it: ask story_next_flush() again. */
void story_flush(struct story *s, const struct engine *e, struct clock_sample now);
/* Tells all that was held back: nothing comes after. */
void story_finish(struct story *s, const struct engine *e);
/* When story_flush() wants to be called (BOOTTIME), INT64_MAX for never. */
int64_t story_next_flush(const struct story *s);
