// SPDX-License-Identifier: MIT
// verb_explain: expressions of the schedule language, for explain and for next. chimed is not asked.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/explain.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/verbs.h"

/* What is wrong, below the place where it is. */
static int tell_error(const char *expression, struct pattern_error *error) {
        _cleanup_free_ char *text = strdup(expression), *before = strndup(expression, error->at);

        if (!text || !before)
                return session_tell_memory();
        text_clean(text, false);
        text_clean(before, false);
        text_clean(error->text, false);
        session_fail(0, "%s", text);
        fprintf(stderr, "          %*s^ %s\n", (int)text_width(before), "", error->text);
        return CTL_EXIT_FAILED;
}

/* What the options say. An exit status; failures are told. */
static int find_wish(struct session *s, struct zones *zones, struct explain_wish *ret) {
        char why[ZONE_WHY_MAX];
        struct zone *zone = NULL;
        int64_t n = session_number(s, OPTION_NUMBER, EXPLAIN_SLOTS_DEFAULT);

        *ret = (struct explain_wish){
                .is_cron = session_has(s, OPTION_CRON),
                .zone = session_text(s, OPTION_ZONE),
                .gap = (enum wall_gap)session_number(s, OPTION_GAP, WALL_GAP_RUN_AFTER),
                .fold = (enum wall_fold)session_number(s, OPTION_FOLD, WALL_FOLD_FIRST),
                .from_us = session_number(s, OPTION_FROM, s->view.now_us),
                .n = (size_t)n,
        };
        if (n > EXPLAIN_SLOTS_MAX)
                return session_fail(CTL_EXIT_USAGE, "-n %lld: at most %d", (long long)n, EXPLAIN_SLOTS_MAX);
        int r = zones_find(zones, ret->zone, &zone, why);
        zone_unref(zone);
        if (r < 0)
                return session_fail(CTL_EXIT_FAILED, "%s", strerror(-r));
        return r > 0 ? session_fail(CTL_EXIT_USAGE, "%s%s", ret->zone ? "--zone: " : "", why) : CTL_EXIT_DONE;
}

static int show(struct session *s, const struct explanation *e, bool is_short) {
        json_t *reply;

        if (!s->is_json)
                return screen_explain(&s->view, e, is_short, s->out) < 0 ? session_tell_memory() : CTL_EXIT_DONE;
        reply = explain_json(e);
        if (!reply)
                return session_tell_memory();
        session_json(s, reply);
        json_decref(reply);
        return CTL_EXIT_DONE;
}

int verb_explain_each(struct session *s, bool is_short) {
        struct zones zones = {};
        struct explain_wish wish;
        struct pattern_error error;
        int worst = find_wish(s, &zones, &wish);

        for (size_t i = 0; worst < CTL_EXIT_USAGE && i < s->n_names; i++) {
                struct explanation e = {};
                int r = explain_read(s->names[i], &wish, &zones, &e, &error), status;
                if (i > 0 && !s->is_json && r == 0)
                        fputc('\n', s->out);
                if (r == 0)
                        status = show(s, &e, is_short);
                else
                        status = r == -EINVAL ? tell_error(s->names[i], &error)
                                              : session_fail(CTL_EXIT_FAILED, "%s", strerror(-r));
                worst = status > worst ? status : worst;
                explain_done(&e);
        }
        zones_done(&zones);
        return worst;
}

int verb_explain(struct session *s) {
        return verb_explain_each(s, false);
}
