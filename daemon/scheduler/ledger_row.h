// SPDX-License-Identifier: MIT
// ledger_row: the ledger's rows as they pass between the loop and its threads: one record each in a packed buffer.
// Pure.
#pragma once

#include "config/pack.h"
#include "daemon/scheduler/ledger.h"

enum ledger_row_kind {
        LEDGER_ROW_JOB,
        LEDGER_ROW_RUN,
        LEDGER_ROW_RANGE,
        LEDGER_ROW_SEGMENT,
        LEDGER_ROW_CLOCK,
        LEDGER_ROW_HORIZON,
        LEDGER_ROW_LIFE,
        LEDGER_ROW_FOLDED,
        LEDGER_ROW_GROUP,
        LEDGER_ROW_MAX
};

/* ledger_put_life() as a row. */
struct ledger_life {
        uint64_t epoch, next_run;
        uint8_t instance[16], boot_id[16];
};

/* How many runs of a job were not written one by one because the disk did not take them. */
struct ledger_folded {
        const char *job;
        uint64_t n_runs;
};

/* Any row. */
struct ledger_row {
        enum ledger_row_kind kind;
        union {
                struct ledger_job job;
                struct ledger_run run;
                struct ledger_range range;
                struct ledger_segment segment;
                struct ledger_clock clock;
                struct ledger_horizon horizon;
                struct ledger_life life;
                struct ledger_folded folded;
                struct ledger_group group;
        };
};

/* Appends a row; an error is in the writer. */
void ledger_row_put(struct pack *p, const struct ledger_row *row);
/* Takes the next row; its texts and bytes are borrowed from the buffer. 1, or 0 at the end (of a buffer of ledger_row_put()). */
int ledger_row_get(struct unpack *u, struct ledger_row *ret);
/* The job that a row is of, NULL where it is of none. */
const char *ledger_row_job(const struct ledger_row *row);
/* True where one row can say both if the slots between them are left out: same outcome, and day. */
bool ledger_range_is_alike(const struct ledger_range *a, const struct ledger_range *b);
/* True where b goes on where a ends, with the same outcome: one row can say both. Ranges of different days are never joined. */
bool ledger_range_is_joined(const struct ledger_range *a, const struct ledger_range *b);
/* Makes a say what b says too; its lag is then the longest. */
void ledger_range_join(struct ledger_range *a, const struct ledger_range *b);
