// SPDX-License-Identifier: MIT
// recent: the slots of a row are as far apart as its ends say.

#include "daemon/ctl/recent.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/reply.h"

static int compare(const void *a, const void *b) {
        const struct recent_slot *x = a, *y = b;

        return (x->us > y->us) - (x->us < y->us);
}

/* Appends the latest slots of a row. */
static size_t add_row(const json_t *row, struct recent_slot *list, size_t n, size_t max) {
        int64_t first_us = reply_int(row, "firstSlotUsec", REPLY_NO_TIME), last_us = reply_int(row, "lastSlotUsec", first_us);
        int64_t count = reply_int(row, "count", 1), step_us = count > 1 ? (last_us - first_us) / (count - 1) : 0;

        for (int64_t k = 0; k < count && k < RECENT_SLOTS && n < max; k++)
                list[n++] = (struct recent_slot){
                        .us = last_us - k * step_us,
                        .outcome = reply_text_or(row, "outcome", "?"),
                        .lag_us = reply_int(row, "lagUsec", 0),
                };
        return n;
}

size_t recent_collect(const json_t *rows, struct recent_slot ret[static RECENT_SLOTS]) {
        struct recent_slot all[RECENT_SLOTS * RECENT_ROWS] = {};
        size_t n = 0, i;
        json_t *row;

        json_array_foreach(rows, i, row) {
                n = add_row(row, all, n, sizeof(all) / sizeof(all[0]));
        }
        qsort(all, n, sizeof(*all), compare);
        size_t n_shown = n < RECENT_SLOTS ? n : RECENT_SLOTS;
        memcpy(ret, all + n - n_shown, n_shown * sizeof(*all));
        return n_shown;
}

size_t recent_missed(const json_t *rows, size_t *ret_n) {
        struct recent_slot slots[RECENT_SLOTS];
        size_t n_missed = 0;

        *ret_n = recent_collect(rows, slots);
        for (size_t i = 0; i < *ret_n; i++)
                n_missed += strcmp(slots[i].outcome, "missed") == 0;
        return n_missed;
}
