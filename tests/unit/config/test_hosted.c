// SPDX-License-Identifier: MIT
// hosted jobs: what a plugin or a coprocess is made of, which keys mean nothing with them, and who may share a host.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "config/plugin_option.h"
#include "tests/unit/run_suite.h"

#define SETTINGS_MAX 80
#define ROWS(table)  (int)(sizeof(table) / sizeof((table)[0]))

/* Builds from "Key=value\n" lines, the first of them line 2; "*" before a key makes it a default. */
static int build(const char *text, struct diags *diags, struct job **ret) {
        struct job_setting settings[SETTINGS_MAX];
        char *copy = strdup(text);
        size_t n = 0;

        for (char *line = strtok(copy, "\n"); line && n < SETTINGS_MAX; line = strtok(NULL, "\n")) {
                char *equals = strchr(line, '=');
                *equals = 0;
                settings[n] = (struct job_setting){.key = line + (*line == '*'),
                                                   .value = equals + 1,
                                                   .file = "f",
                                                   .line = (unsigned)n + 2,
                                                   .column = (unsigned)(equals - line) + 2,
                                                   .is_default = *line == '*'};
                n++;
        }
        int r = job_build("j", "f", 1, settings, n, NULL, diags, ret);
        free(copy);
        return r;
}

static struct job *build_good(const char *text) {
        struct diags diags = {};
        struct job *job = NULL;
        int r = build(text, &diags, &job);

        ck_assert_msg(r == 0, "%s: %s", text, diags.n > 0 ? diags.list[0].text : "");
        ck_assert_msg(diags.n == 0, "%s: %s", text, diags.n > 0 ? diags.list[0].text : "");
        diags_done(&diags);
        return job;
}

static const struct {
        const char *text, *words;
} works[] = {
        {"Plugin=memsample\n", "plugin memsample"},
        {"Plugin=http-check\nOption.url=http://localhost/ x\nOption.expect-status=200\n",
         "plugin http-check \"url=http://localhost/ x\" expect-status=200"},
        {"Coprocess=/usr/bin/x --lines \"a b\"\n", "coprocess /usr/bin/x --lines \"a b\""},
        {"Command=/usr/bin/x plugin\n", "/usr/bin/x plugin"},
        {"Unit=backup\n", "backup.service"},
};

START_TEST(work_is_there_and_back_and_in_words) {
        struct job *job = build_good(works[_i].text);
        struct job_what back;
        struct pack p = {}, again = {};
        char *words;

        job_what_encode(&job->what, &p);
        ck_assert_int_eq(job_what_decode(p.data, p.size, &back), 0);
        ck_assert_int_eq(back.work, job->what.work);
        job_what_encode(&back, &again);
        ck_assert_uint_eq(again.size, p.size);
        ck_assert_mem_eq(again.data, p.data, p.size);
        ck_assert_int_eq(job_work_print(&back, 200, &words), 0);
        ck_assert_str_eq(words, works[_i].words);
        free(words);
        pack_done(&p);
        pack_done(&again);
        job_what_done(&back);
        job_free(job);
}
END_TEST

START_TEST(a_plugin_is_a_file_of_the_folder_with_its_options) {
        struct job *job =
                build_good("Plugin=mem-sample\nPluginHost=samplers\nOption.a=1\nOption.b=2\nOption.c=3\nOption.b= two\n"
                           "Option.a=\nOption.d=4\n");
        struct job_what *what = &job->what;

        ck_assert_int_eq(what->work, JOB_WORK_PLUGIN);
        ck_assert_str_eq(what->argv[0], JOB_PLUGIN_FOLDER "/mem-sample.so");
        ck_assert_ptr_null(what->argv[1]);
        ck_assert_str_eq(what->host, "samplers");
        ck_assert_str_eq(what->options[0], "c=3");
        ck_assert_str_eq(what->options[1], "b= two");
        ck_assert_str_eq(what->options[2], "d=4");
        ck_assert_ptr_null(what->options[3]);
        size_t n = 0;
        for (size_t i = 0; i < job->hosted.n; i++)
                if (job->hosted.list[i].kind == JOB_HOSTED_OPTION)
                        ck_assert_int_eq(job->hosted.list[i].name[0], what->options[n++][0]);
        ck_assert_uint_eq(n, 3);
        ck_assert_int_eq(job_what_set_plugin_folder(what, "/srv/plugins"), 0);
        ck_assert_str_eq(what->argv[0], "/srv/plugins/mem-sample.so");
        job_free(job);
}
END_TEST

START_TEST(all_options_may_be_taken_back) {
        struct job *job = build_good("Plugin=x\nOption.a=1\nOption.a=\n");

        ck_assert_ptr_null(job->what.options);
        ck_assert_uint_eq(job->hosted.n, 1);
        job_free(job);
}
END_TEST

START_TEST(defaults_that_mean_nothing_are_passed_over) {
        struct job *job = build_good("*Shell=/bin/bash\n*Overlap=parallel\n*MaxParallel=4\n*SkipExitStatus=75\nPlugin=x\n");

        ck_assert_int_eq(job->when.overlap, JOB_OVERLAP_SKIP);
        ck_assert_uint_eq(job->when.max_parallel, 1);
        job_free(job);
        job_free(build_good("*PluginHost=h\n*Shell=/bin/bash\nUnit=x\n"));
        job_free(build_good("*PluginHost=h\nCommand=/bin/true\n"));
}
END_TEST

static const struct {
        const char *text;
        unsigned line, column;
        const char *word; /* the message has it */
} refusals[] = {
        {"Plugin=\n", 1, 0, "none of Command="},
        {"Plugin=/usr/lib/x.so\n", 2, 8, "is no name of a plugin"},
        {"Plugin=../x\n", 2, 8, "is no name of a plugin"},
        {"Plugin=.x\n", 2, 8, "is no name of a plugin"},
        {"Plugin=x y\n", 2, 8, "is no name of a plugin"},
        {"Plugin=memsample.so\n", 2, 17, "leave .so out: Plugin=memsample"},
        {"Plugin=x\nCommand=/bin/true\n", 2, 8, "either Command= (f:3) or Plugin= (f:2), not both"},
        {"Plugin=x\nCoprocess=/bin/cat\n", 3, 11, "not both"},
        {"Coprocess=/bin/cat\nScript=x\n", 2, 11, "not both"},
        {"Coprocess=bin/cat\n", 2, 11, "neither an absolute path"},
        {"Plugin=x\nOption.=1\n", 3, 1, "an option's name"},
        {"Plugin=x\nOption.a b=1\n", 3, 1, "an option's name"},
        {"Plugin=x\nOption.a.b=1\n", 3, 1, "an option's name"},
        {"Plugin=x\nPluginHost=a b\n", 3, 12, "can't name a host"},
        {"Command=/bin/true\nOption.a=1\n", 3, 1, "options are a plugin's"},
        {"Coprocess=/bin/cat\nOption.a=1\n", 3, 1, "a coprocess has arguments"},
        {"Unit=x\nOption.a=1\n", 3, 1, "options are a plugin's"},
        {"Command=/bin/true\nPluginHost=h\n", 3, 1, "a process of its own"},
        {"Plugin=x\nShell=/bin/sh\n", 3, 1, "Script= has a shell"},
        {"Coprocess=/bin/cat\nOverlap=parallel\n", 3, 9, "one tick of a job at a time"},
        {"Plugin=x\nSuccessExitStatus=1\n", 3, 1, "does not exit"},
        {"Plugin=x\nFinishExitStatus=1\n", 3, 1, "does not exit"},
        {"Plugin=x\nConditionACPower=yes\n", 3, 1, "a tick starts no process"},
        {"Plugin=x\nConditionWait=2h\n", 3, 1, "a tick starts no process"},
        {"Coprocess=/bin/cat\nExecCondition=/bin/true\n", 3, 1, "a tick starts no process"},
        {"Coprocess=/bin/cat\nStopWhenPathExists=/x\n", 3, 1, "a tick starts no process"},
        {"*ConditionPathExists=/x\nCoprocess=/bin/cat\n", 2, 1, "takes the default back"},
};

START_TEST(what_makes_no_sense_is_refused_with_the_reason) {
        struct diags diags = {};
        struct job *job = NULL;

        ck_assert_int_eq(build(refusals[_i].text, &diags, &job), 1);
        ck_assert_uint_ge(diags.n, 1);
        ck_assert_msg(strstr(diags.list[0].text, refusals[_i].word), "%s: %s", refusals[_i].text, diags.list[0].text);
        ck_assert_msg(diags.list[0].line == refusals[_i].line && diags.list[0].column == refusals[_i].column, "%s: %u:%u",
                      refusals[_i].text, diags.list[0].line, diags.list[0].column);
        diags_done(&diags);
}
END_TEST

START_TEST(exit_statuses_are_a_coprocess_s) {
        struct job *job = build_good("Coprocess=/bin/cat\nSkipExitStatus=75\nOverlap=queue\nKillSignal=INT\n");

        ck_assert_int_eq(job->what.work, JOB_WORK_COPROCESS);
        job_free(job);
}
END_TEST

START_TEST(options_are_bounded) {
        char text[4000] = "Plugin=x\n";
        struct diags diags = {};
        struct job *job = NULL;

        for (int i = 0; i <= PLUGIN_OPTIONS_MAX; i++)
                sprintf(text + strlen(text), "Option.n%d=%d\n", i, i);
        ck_assert_int_eq(build(text, &diags, &job), 1);
        ck_assert_uint_eq(diags.n, 1);
        ck_assert_uint_eq(diags.list[0].line, PLUGIN_OPTIONS_MAX + 3);
        diags_done(&diags);
}
END_TEST

static struct hash128 host_hash(const char *text, uint64_t definition) {
        struct job *job = build_good(text);
        struct hash128 hash;

        ck_assert_int_eq(job_host_hash(&job->what, (struct hash128){.word = {definition, 0}}, &hash), 0);
        job_free(job);
        return hash;
}

static bool is_same_host(const char *a, const char *b) {
        struct hash128 first = host_hash(a, 1), second = host_hash(b, 2);

        return memcmp(&first, &second, sizeof(first)) == 0;
}

static const char *difference(const char *a, const char *b) {
        struct job *first = build_good(a), *second = build_good(b);
        const char *key = job_host_difference(&first->what, &second->what);

        job_free(first);
        job_free(second);
        return key;
}

static const struct {
        const char *a, *b;
        const char *key; /* in which they differ; NULL: they share one host */
} pairs[] = {
        {"Plugin=x\n", "Plugin=y\nOption.a=1\n", NULL},
        {"Plugin=x\nTimeout=1s\nKillGrace=1s\nCaptureMax=1K\nAcceptParameters=A\n", "Plugin=x\n", NULL},
        {"Plugin=x\n", "Coprocess=/bin/cat\nSkipExitStatus=75\n", NULL},
        {"Plugin=x\nLimitNOFILE=100\n", "Plugin=y\nLimitNOFILE=100\n", NULL},
        {"Plugin=x\n", "Plugin=x\nUser=nobody\n", "User"},
        {"Plugin=x\nGroup=a\n", "Plugin=x\nGroup=b\n", "Group"},
        {"Plugin=x\nRootDirectory=/a\n", "Plugin=x\n", "RootDirectory"},
        {"Plugin=x\nWorkingDirectory=/a\n", "Plugin=x\nWorkingDirectory=-/a\n", "WorkingDirectory"},
        {"Plugin=x\nPassEnvironment=A\n", "Plugin=x\nPassEnvironment=A*\n", "PassEnvironment"},
        {"Plugin=x\nEnvironment=A=1\n", "Plugin=x\nEnvironment=A=1 B=2\n", "Environment"},
        {"Plugin=x\nEnvironmentFile=/a\n", "Plugin=x\nEnvironmentFile=-/a\n", "EnvironmentFile"},
        {"Plugin=x\nUMask=0077\n", "Plugin=x\n", "UMask"},
        {"Plugin=x\nNice=1\n", "Plugin=x\n", "Nice"},
        {"Plugin=x\nCPUSchedulingPolicy=idle\n", "Plugin=x\n", "CPUSchedulingPolicy"},
        {"Plugin=x\nCPUSchedulingPolicy=rr\nCPUSchedulingPriority=3\n",
         "Plugin=x\nCPUSchedulingPolicy=rr\nCPUSchedulingPriority=4\n", "CPUSchedulingPriority"},
        {"Plugin=x\nIOSchedulingClass=idle\n", "Plugin=x\n", "IOSchedulingClass"},
        {"Plugin=x\nIOSchedulingClass=best-effort\nIOSchedulingPriority=3\n",
         "Plugin=x\nIOSchedulingClass=best-effort\nIOSchedulingPriority=4\n", "IOSchedulingPriority"},
        {"Plugin=x\nOOMScoreAdjust=5\n", "Plugin=x\n", "OOMScoreAdjust"},
        {"Plugin=x\nMemoryMax=1G\n", "Plugin=x\nMemoryMax=2G\n", "MemoryMax"},
        {"Plugin=x\nCPUQuota=10%\n", "Plugin=x\n", "CPUQuota"},
        {"Plugin=x\nTasksMax=10\n", "Plugin=x\n", "TasksMax"},
        {"Plugin=x\nNoNewPrivileges=yes\n", "Plugin=x\n", "NoNewPrivileges"},
        {"Plugin=x\nKillSignal=INT\n", "Plugin=x\n", "KillSignal"},
        {"Plugin=x\nStandardOutput=null\n", "Plugin=x\n", "StandardOutput"},
        {"Plugin=x\nStandardError=null\n", "Plugin=x\n", "StandardError"},
        {"Plugin=x\nLimitNOFILE=100\n", "Plugin=x\nLimitNOFILE=100:200\n", "LimitNOFILE"},
        {"Plugin=x\nLimitCORE=0\n", "Plugin=x\n", "LimitCORE"},
};

START_TEST(jobs_share_a_host_that_differ_in_nothing_of_it) {
        char a[300], b[300];

        snprintf(a, sizeof(a), "PluginHost=h\n%s", pairs[_i].a);
        snprintf(b, sizeof(b), "PluginHost=h\n%s", pairs[_i].b);
        const char *key = difference(a, b), *back = difference(b, a);
        if (pairs[_i].key) {
                ck_assert_ptr_nonnull(key);
                ck_assert_str_eq(key, pairs[_i].key);
                ck_assert_ptr_eq(key, back);
        } else
                ck_assert_ptr_null(key);
        ck_assert_msg(is_same_host(a, b) == !pairs[_i].key, "%s%s", a, b);
}
END_TEST

START_TEST(a_host_is_one_by_its_name_and_else_the_job_s_own) {
        ck_assert(!is_same_host("PluginHost=a\nPlugin=x\n", "PluginHost=b\nPlugin=x\n"));
        ck_assert(!is_same_host("Plugin=x\n", "Plugin=x\n"));
        struct hash128 hash = host_hash("Plugin=x\n", 7);
        ck_assert(hash.word[0] == 7 && hash.word[1] == 0);
}
END_TEST

/* What root's process would rely on. */
START_TEST(a_changed_byte_is_refused_or_gives_a_sane_what) {
        struct job *job = build_good("Plugin=x\nOption.url=1\nOption.b=\nPluginHost=h\n");
        struct pack p = {};

        job_what_encode(&job->what, &p);
        for (size_t i = 0; i < p.size; i++)
                for (int bit = 0; bit < 8; bit++) {
                        struct job_what back;
                        p.data[i] ^= (uint8_t)(1 << bit);
                        if (job_what_decode(p.data, p.size, &back) == 0) {
                                ck_assert(back.work < JOB_WORK_MAX && back.argv && back.argv[0][0]);
                                ck_assert(back.work == JOB_WORK_PLUGIN || (!back.options && job_work_is_hosted(back.work)));
                                job_what_done(&back);
                        }
                        p.data[i] ^= (uint8_t)(1 << bit);
                }
        for (size_t size = 0; size < p.size; size++) {
                struct job_what back;
                ck_assert_int_eq(job_what_decode(p.data, size, &back), -EBADMSG);
        }
        pack_done(&p);
        job_free(job);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("hosted");
        TCase *tcase = tcase_create("hosted");

        tcase_add_loop_test(tcase, work_is_there_and_back_and_in_words, 0, ROWS(works));
        tcase_add_test(tcase, a_plugin_is_a_file_of_the_folder_with_its_options);
        tcase_add_test(tcase, all_options_may_be_taken_back);
        tcase_add_test(tcase, defaults_that_mean_nothing_are_passed_over);
        tcase_add_loop_test(tcase, what_makes_no_sense_is_refused_with_the_reason, 0, ROWS(refusals));
        tcase_add_test(tcase, exit_statuses_are_a_coprocess_s);
        tcase_add_test(tcase, options_are_bounded);
        tcase_add_loop_test(tcase, jobs_share_a_host_that_differ_in_nothing_of_it, 0, ROWS(pairs));
        tcase_add_test(tcase, a_host_is_one_by_its_name_and_else_the_job_s_own);
        tcase_add_test(tcase, a_changed_byte_is_refused_or_gives_a_sane_what);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
