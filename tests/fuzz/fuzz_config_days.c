// SPDX-License-Identifier: MIT
// Fuzzes the days of calendars: what is refused says where and why; what is read prints so that it reads back as the same; and instants are
// open as its days say, for as long as was said. The first bytes are an instant; "NAME: DAYS" behind them is also taken as a line of a when-text.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/day_list.h"
#include "config/days.h"

#define DAY_US       INT64_C(86400000000)
#define WORDS_MAX    5000
#define INSTANTS_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
        if (!is_true)
                abort();
}

static int find_zone(void *userdata, const char *name, struct zone **ret, char why[static ZONE_WHY_MAX]) {
        (void)userdata, (void)name, (void)why;
        return zone_open(NULL, "UTC", ret);
}

static struct agendas agendas = {.find_zone = find_zone};

static const struct days *compile(const char *calendar) {
        struct days_draft draft = {};
        const struct days *d = NULL;
        char why[ZONE_WHY_MAX];

        if (days_draft_add(&draft, true, calendar) == 0) {
                int r = days_compile(&agendas, &draft, &d, why);
                check(r == 0 || r == -EBADMSG);
        }
        days_draft_done(&draft);
        return d;
}

static bool has_day(const struct day_list *list, int64_t day) {
        return day >= 0 && day < DAY_LIST_END && day_list_next(list, day) == day;
}

static void check_instants(const struct days *d, const struct day_list *list, int64_t rt_us) {
        int64_t until_us = rt_us;

        for (int i = 0; i < INSTANTS_MAX && until_us != DAYS_NEVER; i++) {
                bool is_closed = has_day(list, rt_us / DAY_US);
                check(days_is_open(d, rt_us, &until_us) == !is_closed && until_us > rt_us);
                check(!days_which(d, rt_us) == !is_closed);
                if (until_us == DAYS_NEVER)
                        check(!is_closed && day_list_next(list, rt_us / DAY_US) == DAY_LIST_NEVER);
                else
                        check(is_closed != has_day(list, until_us / DAY_US) &&
                              is_closed == has_day(list, (until_us - 1) / DAY_US));
                rt_us = until_us;
        }
}

static void check_words(const char *words, int64_t rt_us) {
        struct day_list list = {}, again = {};
        struct pattern_error error = {};
        char calendar[DAY_LIST_TEXT_MAX + 8];

        int r = day_list_add(&list, words, &error);
        check(r == 0 || (error.at <= strlen(words) && error.text[0]));
        check(day_list_add(&again, day_list_text(&list), &error) == 0);
        check(strcmp(day_list_text(&list), day_list_text(&again)) == 0);
        check(day_list_last(&list) < DAY_LIST_END && (list.n > 0) == (day_list_last(&list) >= 0));
        if (list.n > 0) {
                snprintf(calendar, sizeof(calendar), "a: %s", day_list_text(&list));
                const struct days *d = compile(calendar);
                check(d);
                check_instants(d, &list, rt_us);
                days_unref(d);
        }
        day_list_done(&list);
        day_list_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static char words[WORDS_MAX];
        int64_t rt_us = 0;

        if (size < sizeof(uint32_t) || size >= WORDS_MAX || memchr(data + sizeof(uint32_t), 0, size - sizeof(uint32_t)))
                return 0;
        for (size_t i = 0; i < sizeof(uint32_t); i++)
                rt_us = rt_us << 8 | data[i];
        memcpy(words, data + sizeof(uint32_t), size - sizeof(uint32_t));
        words[size - sizeof(uint32_t)] = 0;
        const struct days *d = compile(words);
        if (d) { /* taken only as it would be printed */
                const char *text = days_text(d);
                size_t n = strlen(words);
                check(strncmp(text, "Except=", 7) == 0 && strncmp(text + 7, words, n) == 0 && strcmp(text + 7 + n, "\n") == 0);
                days_unref(d);
        }
        check_words(words, rt_us * 1500000); /* up to 2174 */
        check(agendas.days.n == 0);
        return 0;
}
