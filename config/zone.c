// SPDX-License-Identifier: MIT
// zone: what the wall clock shows at an instant, and when it shows a time.
// Both walk over stretches without change, of which a bisection (or beyond the table the rule) finds the first: nothing is remembered
// between calls, so a zone can be shared.

#include "config/zone.h"

#include <stdlib.h>

#include "config/zone_internal.h"

struct zone *zone_ref(struct zone *z) {
        z->refs++;
        return z;
}

struct zone *zone_unref(struct zone *z) {
        if (z && --z->refs == 0) {
                free(z->changes);
                free(z->types);
                free(z);
        }
        return NULL;
}

const char *zone_name(const struct zone *z) {
        return z->name;
}

struct hash128 zone_hash(const struct zone *z) {
        return z->hash;
}

static int64_t within_borders(int64_t s) {
        return s < -ZONE_BORDER ? -ZONE_BORDER : s > ZONE_BORDER ? ZONE_BORDER : s;
}

/* The number of changes at or before an instant. */
static size_t changes_until(const struct zone *z, int64_t utc_s) {
        size_t low = 0, high = z->n_changes;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (z->changes[middle].at_s <= utc_s)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct zone_span span_at(const struct zone *z, int64_t utc_s) {
        size_t i = changes_until(z, utc_s);
        int64_t begin_s = i > 0 ? z->changes[i - 1].at_s : INT64_MIN;

        if (i < z->n_changes || !z->has_rule)
                return (struct zone_span){
                        .begin_s = begin_s,
                        .end_s = i < z->n_changes ? z->changes[i].at_s : INT64_MAX,
                        .type = &z->types[i > 0 ? z->changes[i - 1].type : 0],
                };
        struct zone_span span = zone_rule_span(&z->rule, utc_s);
        if (span.begin_s < begin_s)
                span.begin_s = begin_s;
        return span;
}

/* Daylight time that ends behind the begin of the next year's makes spans that overlap. */
static struct zone_span span_after(const struct zone *z, const struct zone_span *span) {
        struct zone_span next = span_at(z, span->end_s);

        next.begin_s = span->end_s;
        return next;
}

int32_t zone_offset(const struct zone *z, int64_t utc_s, bool *ret_is_dst, const char **ret_abbreviation) {
        const struct zone_type *type = span_at(z, within_borders(utc_s)).type;

        if (ret_is_dst)
                *ret_is_dst = type->is_dst;
        if (ret_abbreviation)
                *ret_abbreviation = type->abbreviation;
        return type->offset_s;
}

/* A rule whose two times have the same offset goes on without an end. */
static bool is_last(const struct zone *z, const struct zone_span *span) {
        return span->end_s == INT64_MAX ||
               (span->type == &z->rule.standard && z->rule.daylight.offset_s == span->type->offset_s);
}

int64_t zone_next_change(const struct zone *z, int64_t utc_s) {
        struct zone_span span = span_at(z, within_borders(utc_s));
        int32_t offset_s = span.type->offset_s;

        while (!is_last(z, &span)) {
                struct zone_span next = span_after(z, &span);
                if (next.type->offset_s != offset_s)
                        return span.end_s;
                span = next;
        }
        return INT64_MAX;
}

struct zone_instants zone_resolve(const struct zone *z, int64_t civil_s) {
        struct zone_instants result = {};
        int64_t gap_s = 0;

        civil_s = within_borders(civil_s);
        struct zone_span span = span_at(z, civil_s - z->offset_max_s);
        for (;;) {
                int64_t utc_s = civil_s - span.type->offset_s;
                if (utc_s >= span.begin_s && utc_s < span.end_s && result.n < 2)
                        result.utc_s[result.n++] = utc_s;
                if (span.end_s > civil_s - z->offset_min_s)
                        break;
                struct zone_span next = span_after(z, &span);
                if (utc_s >= span.end_s && civil_s - next.type->offset_s < span.end_s)
                        gap_s = span.end_s;
                span = next;
        }
        if (result.n == 0)
                result.utc_s[0] = gap_s;
        return result;
}
