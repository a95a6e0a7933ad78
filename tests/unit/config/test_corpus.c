// SPDX-License-Identifier: MIT
// corpus: every data/config/NAME.ini gives the diagnostics of NAME.expected, line by line, and jobs that can be printed.
// The examples that are shipped give none.
// CHIMED_CORPUS_WRITE=1 writes what is instead; read the difference before you keep it.

#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"

#define CASES_MIN 40
#define NOW_US    INT64_C(1795219200000000) /* 2026-11-21 */

static glob_t cases, examples;

static char *read_text(const char *path, size_t *ret_size) {
        FILE *f = fopen(path, "r");
        char *text = NULL;

        if (!f)
                return NULL;
        FILE *copy = open_memstream(&text, ret_size);
        for (int c = fgetc(f); c != EOF; c = fgetc(f))
                fputc(c, copy);
        fclose(copy);
        fclose(f);
        return text;
}

static void write_text(const char *path, const char *text, size_t size) {
        FILE *f = fopen(path, "w");

        ck_assert_ptr_nonnull(f);
        fwrite(text, 1, size, f);
        fclose(f);
}

/* The checkout may belong to anybody, so the file is read from a folder of our own. That of the settings names a sendmail,
 * which the machine may have or not. */
static char *load(const char *path, const char *name, struct config **ret) {
        static const char mail[] = "[chimed]\nSendmail=/bin/true\n";
        char base[] = "/tmp/chimed-test-corpus-XXXXXX", folder[100], settings[100], file[200], *told = NULL;
        const char *folders[] = {folder};
        struct config_paths paths = {.settings_file = settings, .folders = folders, .n_folders = 1, .now_rt_us = NOW_US};
        struct diags diags = {};
        size_t size;
        char *text = read_text(path, &size);

        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_nonnull(mkdtemp(base));
        snprintf(folder, sizeof(folder), "%s/jobs", base);
        snprintf(settings, sizeof(settings), "%s/chimed.conf", base);
        snprintf(file, sizeof(file), "%s/%s", folder, name);
        umask(022);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        write_text(settings, mail, strlen(mail));
        write_text(file, text, size);
        free(text);
        ck_assert_int_eq(config_load(&paths, &diags, ret), 0);
        FILE *f = open_memstream(&told, &size);
        for (size_t i = 0; i < diags.n; i++) {
                char *line = diag_print(&diags.list[i]);
                /* the file's basename, in whatever place of the line it is */
                for (char *at = strstr(line, folder); at; at = strstr(at, folder))
                        memmove(at, at + strlen(folder) + 1, strlen(at + strlen(folder) + 1) + 1);
                fprintf(f, "%s\n", line);
                free(line);
        }
        for (size_t i = 0; i < (*ret)->n_jobs; i++)
                fprintf(f, "job %s\n", (*ret)->jobs[i]->name);
        for (size_t i = 0; i < (*ret)->n_broken; i++)
                fprintf(f, "broken %s\n", (*ret)->broken[i].name ? (*ret)->broken[i].name : name);
        fclose(f);
        diags_done(&diags);
        unlink(file);
        unlink(settings);
        rmdir(folder);
        rmdir(base);
        return told;
}

START_TEST(file_gives_the_expected_diagnostics) {
        const char *path = cases.gl_pathv[_i], *name = strrchr(path, '/') + 1;
        char expected_path[1000];
        struct config *config = NULL;
        size_t size;

        snprintf(expected_path, sizeof(expected_path), "%.*s.expected", (int)(strlen(path) - 4), path);
        char *told = load(path, name, &config);
        if (getenv("CHIMED_CORPUS_WRITE")) {
                FILE *f = fopen(expected_path, "w");
                fputs(told, f);
                fclose(f);
        }
        char *expected = read_text(expected_path, &size);
        ck_assert_msg(expected != NULL, "%s is missing", expected_path);
        ck_assert_msg(strcmp(told, expected) == 0, "%s: expected\n%sis\n%s", name, expected, told);
        for (size_t i = 0; i < config->n_jobs; i++) {
                struct job_when back;
                char *text = NULL, *description = NULL;
                ck_assert_int_eq(job_when_print(&config->jobs[i]->when, config->jobs[i]->description, &text), 0);
                ck_assert_int_eq(job_when_parse(text, strlen(text), &config->agendas, &back, &description), 0);
                ck_assert_mem_eq(&back, &config->jobs[i]->when, sizeof(back));
                job_when_done(&back);
                free(text);
                free(description);
        }
        config_free(config);
        free(expected);
        free(told);
}
END_TEST

START_TEST(example_has_nothing_to_tell) {
        const char *path = examples.gl_pathv[_i], *name = strrchr(path, '/') + 1;
        struct config *config = NULL;
        char *told = load(path, name, &config);

        for (char *line = strtok(told, "\n"); line; line = strtok(NULL, "\n"))
                ck_assert_msg(strncmp(line, "job ", 4) == 0, "%s", line);
        ck_assert_uint_gt(config->n_jobs, 0);
        config_free(config);
        free(told);
}
END_TEST

START_TEST(there_are_cases) {
        ck_assert_msg(cases.gl_pathc >= CASES_MIN, "only %zu in %s", cases.gl_pathc, TEST_DATA "/config");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("corpus");
        TCase *tcase = tcase_create("corpus");

        setenv("TZ", "UTC", 1);
        tzset();
        glob(TEST_DATA "/config/*.ini", 0, NULL, &cases);
        tcase_add_loop_test(tcase, file_gives_the_expected_diagnostics, 0, (int)cases.gl_pathc);
        glob(SOURCE_ROOT "/config/examples/*.ini", 0, NULL, &examples);
        tcase_add_loop_test(tcase, example_has_nothing_to_tell, 0, (int)examples.gl_pathc);
        tcase_add_test(tcase, there_are_cases);
        suite_add_tcase(suite, tcase);
        SRunner *runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        int failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        globfree(&cases);
        globfree(&examples);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
