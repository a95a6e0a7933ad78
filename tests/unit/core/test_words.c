// SPDX-License-Identifier: MIT
// The words of runs, records and link records: every case has its row, and the catalogue explains every record.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/event.h"
#include "daemon/core/run.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "tests/unit/run_suite.h"

static const char *result_word(int i) {
        return run_result_to_string((enum run_result)i);
}

static const char *cause_word(int i) {
        return run_cause_to_string((enum run_cause)i);
}

static const char *step_word(int i) {
        return run_step_to_string((enum run_step)i);
}

static const char *type_word(int i) {
        return wire_type_to_string((uint8_t)i);
}

static const struct {
        const char *what;
        const char *(*word)(int);
        int first, end;
        const char *none;
} sets[] = {
        {"results", result_word, 0, RUN_RESULT_MAX, "invalid"},
        {"causes", cause_word, 0, RUN_CAUSE_MAX, "invalid"},
        {"steps", step_word, 0, RUN_STEP_MAX, "invalid"},
        {"link records", type_word, WIRE_HELLO, WIRE_TYPE_MAX, "?"},
};

START_TEST(every_case_has_a_word_of_its_own) {
        for (int i = sets[_i].first; i < sets[_i].end; i++) {
                const char *word = sets[_i].word(i);
                ck_assert_msg(strcmp(word, sets[_i].none) != 0, "%s: %d has none", sets[_i].what, i);
                for (int k = sets[_i].first; k < i; k++)
                        ck_assert_msg(strcmp(word, sets[_i].word(k)) != 0, "%s: %d and %d are both %s", sets[_i].what, k, i,
                                      word);
        }
        ck_assert_str_eq(sets[_i].word(sets[_i].end), sets[_i].none);
        ck_assert_str_eq(sets[_i].word(sets[_i].first - 1), sets[_i].none);
}
END_TEST

START_TEST(failures_are_those_that_the_manual_names) {
        static const char *const failures[] = {"failed", "timeout", "signal", "start-failed", "oom"};
        for (int i = -1; i <= RUN_RESULT_MAX; i++) {
                bool is_wanted = false;
                for (size_t k = 0; k < ARRAY_SIZE(failures); k++)
                        is_wanted |= strcmp(result_word(i), failures[k]) == 0;
                ck_assert_msg(run_result_is_failure((enum run_result)i) == is_wanted, "%s", result_word(i));
        }
}
END_TEST

START_TEST(every_kind_of_record_has_its_row) {
        const struct event_row *row = event_row((enum event_kind)_i);
        ck_assert_int_eq((int)row->kind, _i);
        ck_assert_msg(row->name && row->message_id, "kind %d has no row", _i);
        ck_assert_msg(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(row->name), "%s", row->name);
        ck_assert_msg(strlen(row->message_id) == 32 && strspn(row->message_id, "0123456789abcdef") == 32, "%s: %s", row->name,
                      row->message_id);
        ck_assert_msg(row->priority >= 0 && row->priority <= 7, "%s: priority %d", row->name, row->priority);
        for (int k = 0; k < _i; k++) {
                ck_assert_str_ne(row->name, event_row((enum event_kind)k)->name);
                ck_assert_str_ne(row->message_id, event_row((enum event_kind)k)->message_id);
        }
}
END_TEST

static const struct event_row *find_event(const char *id) {
        for (int i = 0; i < EVENT_KIND_MAX; i++)
                if (strncmp(event_row((enum event_kind)i)->message_id, id, 32) == 0)
                        return event_row((enum event_kind)i);
        return NULL;
}

/* Entries are "-- ID", header lines, a blank line, text. */
START_TEST(the_catalogue_explains_every_kind_once_and_nothing_else) {
        unsigned n_entries[EVENT_KIND_MAX] = {};
        char line[500];
        const struct event_row *row = NULL;
        bool has_subject = true, has_origin = true, has_text = true;
        FILE *file = fopen(SOURCE_ROOT "/systemd/chimed.catalog", "r");
        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof(line), file)) {
                if (strncmp(line, "-- ", 3) == 0) {
                        ck_assert_msg(has_subject && has_origin && has_text, "before %s: entry is not complete", line);
                        row = find_event(line + 3);
                        ck_assert_msg(row, "no kind has the id %s", line);
                        n_entries[row->kind]++;
                        has_subject = has_origin = has_text = false;
                } else if (strncmp(line, "Subject: ", 9) == 0)
                        has_subject = true;
                else if (strcmp(line, "Defined-By: chimed\n") == 0)
                        has_origin = true;
                else if (has_origin && line[0] != '\n' && strncmp(line, "Documentation:", 14) != 0)
                        has_text = true;
        }
        fclose(file);
        ck_assert(has_subject && has_origin && has_text);
        for (int i = 0; i < EVENT_KIND_MAX; i++)
                ck_assert_msg(n_entries[i] == 1, "%s: %u entries", event_row((enum event_kind)i)->name, n_entries[i]);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("words");
        tcase_add_loop_test(tcase, every_case_has_a_word_of_its_own, 0, ARRAY_SIZE(sets));
        tcase_add_test(tcase, failures_are_those_that_the_manual_names);
        tcase_add_loop_test(tcase, every_kind_of_record_has_its_row, 0, EVENT_KIND_MAX);
        tcase_add_test(tcase, the_catalogue_explains_every_kind_once_and_nothing_else);
        Suite *suite = suite_create("words");
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
