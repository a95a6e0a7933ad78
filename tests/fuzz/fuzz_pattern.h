// SPDX-License-Identifier: MIT
// fuzz_pattern: what holds for every text that is read into a pattern; for the fuzzers of calendars and crons.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/pattern_words.h"
#include "config/wall.h"

typedef int (*fuzz_read)(const char *text, struct pattern **ret, struct pattern_error *ret_error);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_check(bool is_true) {
        if (!is_true)
                abort();
}

/* Walks both ways of a pattern: civil times, and instants of a zone with gaps and folds. */
static inline void fuzz_walk(const struct pattern *p, const struct pattern *back, int64_t from_us) {
        static struct zone *zone;
        int64_t instant_us = from_us;

        if (!zone && zone_open(NULL, "Europe/Berlin", &zone) < 0)
                abort();
        struct wall wall = {.zone = zone, .gap = (enum wall_gap)(from_us & 1), .fold = (enum wall_fold)((from_us & 0xff) % 3)};
        for (int i = 0; i < 5; i++) {
                int64_t civil_us = pattern_next_civil(p, from_us), next_us = wall_next_of_pattern(&wall, p, instant_us);
                fuzz_check(civil_us >= from_us && next_us > instant_us);
                fuzz_check(civil_us == pattern_next_civil(back, from_us) &&
                           next_us == wall_next_of_pattern(&wall, back, instant_us));
                if (civil_us == PATTERN_NEVER || next_us == PATTERN_NEVER)
                        break;
                from_us = civil_us + 1;
                instant_us = next_us;
        }
}

/* It is told in words, all of them. */
static inline void fuzz_words(const struct pattern *p) {
        char words[PATTERN_WORDS_MAX];
        size_t size = strlen(pattern_words(p, words));

        fuzz_check(size > 0 && size < PATTERN_WORDS_MAX - 1 && words[size - 1] != ' ');
}

static inline void fuzz_pattern(const uint8_t *data, size_t size, fuzz_read read) {
        char *text = malloc(size + 1);
        struct pattern *p = NULL, *back = NULL;
        struct pattern_error error = {.at = SIZE_MAX};

        memcpy(text, data, size);
        text[size] = 0;
        if (read(text, &p, &error) == 0) {
                fuzz_check(read(p->text, &back, &error) == 0 && strcmp(p->text, back->text) == 0);
                fuzz_check(p->is_fixed == back->is_fixed && !p->warning == !back->warning);
                int64_t from_us = 0;
                for (size_t i = 0; i < size; i++) /* from the text: any time from 1970 on */
                        from_us = (from_us * 257 + data[i]) & INT64_C(0x1fffffffffffff);
                fuzz_walk(p, back, from_us);
                fuzz_words(p);
        } else
                fuzz_check(error.at <= strlen(text) && error.text[0]);
        p = pattern_free(p);
        back = pattern_free(back);
        free(text);
}
