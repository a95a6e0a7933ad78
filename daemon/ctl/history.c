// SPDX-License-Identifier: MIT
// history: what the ledger of a running chimed has, page by page.

#include "daemon/ctl/history.h"

#include "daemon/ctl/reply.h"

#define PAGE 100

static int get_page(struct session *s, enum api_method method, const json_t *terms, size_t limit, int64_t after, bool is_quiet,
                    json_t **ret) {
        json_t *p = json_copy((json_t *)terms);

        json_object_set_new(p, "limit", json_integer(limit < PAGE ? (json_int_t)limit : PAGE));
        if (after > 0)
                json_object_set_new(p, "after", json_integer(after));
        if (!is_quiet)
                return session_call(s, method, p, ret);
        json_t *page = session_is_there(s) ? session_try(s, method, p) : NULL;
        if (!page)
                return CTL_EXIT_FAILED;
        *ret = page;
        return CTL_EXIT_DONE;
}

int history_add(struct session *s, enum api_method method, const json_t *terms, size_t max, bool is_quiet, json_t *rows,
                int64_t *trimmed) {
        const char *name = method == API_LIST_RUNS ? "runs" : "missed";
        size_t n = 0;
        int64_t after = 0;

        do {
                json_t *page;
                int status = get_page(s, method, terms, max - n, after, is_quiet, &page);
                if (status != CTL_EXIT_DONE)
                        return status;
                n += json_array_size(json_object_get(page, name));
                json_array_extend(rows, json_object_get(page, name));
                if (trimmed && after == 0)
                        *trimmed += reply_int(page, "trimmed", 0);
                after = reply_int(page, "after", 0);
                json_decref(page);
        } while (after > 0 && n < max);
        return CTL_EXIT_DONE;
}
