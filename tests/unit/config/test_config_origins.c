// SPDX-License-Identifier: MIT
// config_origins: which of a job's settings are in force, and where each comes from.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_origins.h"
#include "tests/unit/run_suite.h"

static void put(const char *path, const char *text) {
        FILE *f = fopen(path, "w");
        ck_assert_msg(f != NULL, "%s", path);
        fputs(text, f);
        fclose(f);
}

/* All as "KEY=VALUE FILE:LINE;". */
static const char *load(const char *job) {
        static const char *const folders[] = {"jobs"};
        static char text[1000];
        struct config_paths paths = {.settings_file = "conf", .folders = folders, .n_folders = 1};
        struct config_origins origins = {};
        struct diags diags = {};

        ck_assert_int_eq(config_load_origins(&paths, job, &diags, &origins), 0);
        int n = snprintf(text, sizeof(text), "%s%s", origins.is_found ? "" : "absent ", origins.is_broken ? "broken " : "");
        for (size_t i = 0; i < origins.n; i++)
                n += snprintf(text + n, sizeof(text) - (size_t)n, "%s=%s %s:%u%s;", origins.list[i].key, origins.list[i].value,
                              origins.list[i].file, origins.list[i].line, origins.list[i].is_default ? " default" : "");
        config_origins_done(&origins);
        diags_done(&diags);
        return text;
}

static const struct {
        const char *job, *text;
} rows[] = {
        {"a", "Command=/bin/true jobs/a.ini:5;Every=2h jobs/a.ini.d/x.conf:2;User=daemon conf:2 default;"
              "Environment=B=2 jobs/a.ini:8;Environment=C=3 jobs/a.ini.d/x.conf:3;"},
        {"b", "broken Every=1h jobs/a.ini:10;Timeout=30s jobs/a.ini:3 default;User=daemon conf:2 default;"
              "Environment=A=1 jobs/a.ini:2 default;"},
        {"c", "absent "},
        {"e", "Plugin=x jobs/e.ini:2;Option.b=2 jobs/e.ini:4;Option.a=3 jobs/e.ini.d/x.conf:2;Timeout=9s jobs/e.ini:5;"
              "User=daemon conf:2 default;"},
        {"d", "broken Command=/bin/true jobs/d.ini:2;Every=x jobs/d.ini:3;User=daemon conf:2 default;"},
};

START_TEST(each_setting_in_force_has_its_place) {
        char root[] = "/tmp/chimed-test-origins-XXXXXX", command[100];

        umask(022);
        ck_assert_ptr_nonnull(mkdtemp(root));
        ck_assert_int_eq(chdir(root), 0);
        mkdir("jobs", 0755);
        mkdir("jobs/a.ini.d", 0755);
        mkdir("jobs/e.ini.d", 0755);
        put("conf", "[defaults]\nUser=daemon\n");
        put("jobs/a.ini", "[defaults]\nEnvironment=A=1\nTimeout=30s\n[job a]\nCommand=/bin/true\nEvery=1h\nEnvironment=\n"
                          "Environment=B=2\n[job b]\nEvery=1h\nCommand=\n");
        put("jobs/a.ini.d/x.conf", "[job a]\nEvery=2h\nEnvironment=C=3\nTimeout=\n");
        put("jobs/e.ini", "[job e]\nPlugin=x\nOption.a=1\nOption.b=2\nTimeout=9s\nOption.c=1\n");
        put("jobs/e.ini.d/x.conf", "[job e]\nOption.a=3\nOption.c=\n");
        put("jobs/d.ini", "[job d]\nCommand=/bin/true\nEvery=x\n");
        const char *text = load(rows[_i].job);
        ck_assert_int_eq(chdir("/"), 0);
        snprintf(command, sizeof(command), "rm -r %s", root);
        ck_assert_int_eq(system(command), 0);
        ck_assert_str_eq(text, rows[_i].text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("config_origins");
        TCase *tcase = tcase_create("files");
        tcase_add_loop_test(tcase, each_setting_in_force_has_its_place, 0, sizeof(rows) / sizeof(rows[0]));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
