// SPDX-License-Identifier: MIT
// wall: walks over the spans between two changes of a zone's offset. Inside one, civil time and instants differ by a constant; gaps and
// folds lie between them. Spans in which nothing can be due are jumped over, so a rare pattern costs no walk of years.

#include "config/wall.h"

#include "config/civil.h"

#define USEC_PER_SEC INT64_C(1000000)
#define USEC_PER_DAY (CIVIL_DAY_S * USEC_PER_SEC)
#define JUMP_MARGIN  (3 * USEC_PER_DAY) /* more than any two offsets differ, twice */
#define FIRST_US     (-JUMP_MARGIN)     /* before it nothing is due, and what is added here can't overflow */

struct span {
        int64_t offset_us, end_us; /* end_us: PATTERN_NEVER or the instant from which another offset holds */
};

static int64_t floor_s(int64_t us) {
        return us / USEC_PER_SEC - (us % USEC_PER_SEC < 0);
}

static struct span span_at(const struct wall *w, int64_t rt_us) {
        if (!w->zone)
                return (struct span){0, PATTERN_NEVER};
        int64_t utc_s = floor_s(rt_us), end_s = zone_next_change(w->zone, utc_s);

        return (struct span){.offset_us = zone_offset(w->zone, utc_s, NULL, NULL) * USEC_PER_SEC,
                             .end_us = end_s > WALL_LAST_US / USEC_PER_SEC ? PATTERN_NEVER : end_s * USEC_PER_SEC};
}

/* The first instant of a span at or after from_us, or PATTERN_NEVER. */
static int64_t span_find(const struct wall *w, const struct wall_source *source, const struct span *span, int64_t from_us) {
        int64_t civil_us = from_us + span->offset_us;

        for (;;) {
                civil_us = source->next(source->userdata, civil_us);
                if (civil_us == PATTERN_NEVER || civil_us - span->offset_us >= span->end_us)
                        return PATTERN_NEVER;
                int64_t rt_us = civil_us - span->offset_us, civil_s = floor_s(civil_us);
                if (!source->is_fixed || !w->zone || w->fold == WALL_FOLD_BOTH)
                        return rt_us;
                struct zone_instants shown = zone_resolve(w->zone, civil_s);
                if (shown.n < 2 || shown.utc_s[w->fold == WALL_FOLD_SECOND] == floor_s(rt_us))
                        return rt_us;
                if (w->fold == WALL_FOLD_SECOND)
                        return PATTERN_NEVER; /* the rest of the span is shown again, too */
                civil_us = (zone_next_change(w->zone, shown.utc_s[0]) + civil_s - shown.utc_s[0]) * USEC_PER_SEC;
        }
}

/* Whether the change between two spans removes a time of the source that is to run at once. */
static bool gap_is_due(const struct wall *w, const struct wall_source *source, const struct span *before,
                       const struct span *after) {
        int64_t gap_us = after->offset_us - before->offset_us; /* negative: a fold, which removes nothing */

        return source->is_fixed && w->gap == WALL_GAP_RUN_AFTER && gap_us < USEC_PER_DAY &&
               source->next(source->userdata, before->end_us + before->offset_us) < before->end_us + after->offset_us;
}

/* The first civil time of the source at or after from_us that is shown or, where gaps run, may be due at a gap's end. */
static int64_t civil_find(const struct wall *w, const struct wall_source *source, int64_t from_us) {
        for (;;) {
                int64_t civil_us = source->next(source->userdata, from_us);
                if (civil_us == PATTERN_NEVER || (source->is_fixed && w->gap == WALL_GAP_RUN_AFTER))
                        return civil_us;
                struct zone_instants shown = zone_resolve(w->zone, floor_s(civil_us));
                if (shown.n > 0)
                        return civil_us;
                from_us = (shown.utc_s[0] + zone_offset(w->zone, shown.utc_s[0], NULL, NULL)) * USEC_PER_SEC;
        }
}

int64_t wall_next(const struct wall *w, const struct wall_source *source, int64_t after_us) {
        if (after_us >= WALL_LAST_US)
                return PATTERN_NEVER;
        if (after_us < FIRST_US)
                after_us = FIRST_US;
        int64_t from_us = after_us + 1;
        struct span span = span_at(w, after_us);

        for (;;) {
                int64_t found_us = span_find(w, source, &span, from_us);
                if (found_us != PATTERN_NEVER || span.end_us == PATTERN_NEVER)
                        return found_us;
                struct span next = span_at(w, span.end_us);
                if (gap_is_due(w, source, &span, &next))
                        return span.end_us;
                from_us = span.end_us;
                if (next.end_us - from_us >= JUMP_MARGIN) {
                        int64_t civil_us = civil_find(w, source, from_us + next.offset_us);
                        if (civil_us == PATTERN_NEVER)
                                return PATTERN_NEVER;
                        if (civil_us - JUMP_MARGIN > from_us) {
                                from_us = civil_us - JUMP_MARGIN;
                                next = span_at(w, from_us);
                        }
                }
                span = next;
        }
}

static int64_t pattern_next(const void *userdata, int64_t from_us) {
        return pattern_next_civil(userdata, from_us);
}

int64_t wall_next_of_pattern(const struct wall *w, const struct pattern *p, int64_t after_us) {
        return wall_next(w, &(struct wall_source){.next = pattern_next, .userdata = p, .is_fixed = p->is_fixed}, after_us);
}
