// SPDX-License-Identifier: MIT
// job: the table of keys, what values mean together, and both halves there and back.

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "tests/unit/run_suite.h"

#define SETTINGS_MAX 40

static struct zones zones;
static struct agendas agendas = {.find_zone = zones_find_for_agendas, .userdata = &zones};

/* Builds from "Key=value\n" lines; "*" before a key makes it a default. Gives what job_build() returned. */
static int build(const char *text, struct diags *diags, struct job **ret) {
        struct job_setting settings[SETTINGS_MAX];
        char *copy = strdup(text), *next = copy;
        size_t n = 0;

        while (*next && n < SETTINGS_MAX) {
                char *end = strchr(next, '\n'), *equals = strchr(next, '=');
                *end = *equals = 0;
                settings[n] = (struct job_setting){
                        .key = next + (*next == '*'), .value = equals + 1, .file = "f", .line = (unsigned)n + 2};
                settings[n].column = (unsigned)(equals - next) + 2;
                settings[n].is_default = *next == '*';
                /* a caret stands for the end of a line within a value */
                for (char *p = strchr(equals + 1, '^'); p; p = strchr(p, '^'))
                        *p = '\n';
                next = end + 1;
                n++;
        }
        int r = job_build("j", "f", 1, settings, n, &agendas, diags, ret);
        free(copy);
        return r;
}

static struct job *build_good(const char *text) {
        struct diags diags = {};
        struct job *job = NULL;
        int r = build(text, &diags, &job);

        ck_assert_msg(r == 0, "%s: %s", text, diags.n > 0 ? diags.list[0].text : "");
        ck_assert_uint_eq(diags.n_errors, 0);
        diags_done(&diags);
        return job;
}

START_TEST(row_is_complete_and_is_found) {
        size_t n;
        const struct job_key *key = &job_keys(&n)[_i];

        ck_assert_msg(key->name && key->name[0], "row %d", _i);
        ck_assert_ptr_eq(job_key_find(key->name), key);
        ck_assert_msg(key->help && key->help[strlen(key->help) - 1] == '.', "%s", key->name);
        ck_assert_msg(key->default_text && key->values && key->example && key->example[0], "%s", key->name);
        ck_assert_msg(key->parse != NULL, "%s", key->name);
        ck_assert_msg(key->half == JOB_HALF_WHEN || !key->print, "%s", key->name);
}
END_TEST

START_TEST(a_job_with_the_rows_example_and_each_of_its_values_builds) {
        size_t n;
        const struct job_key *key = &job_keys(&n)[_i];
        char *words, *word;
        int len = asprintf(&words, "%s", key->values);

        ck_assert_int_ge(len, 0);
        for (word = strtok(words, " ");; word = strtok(NULL, " ")) {
                char text[300];
                bool is_rate = strcmp(key->name, "Align") == 0 || strcmp(key->name, "RandomizedDelay") == 0 ||
                               strcmp(key->name, "CatchUp") == 0;
                bool is_program = strcmp(key->name, "Command") == 0 || strcmp(key->name, "Script") == 0 ||
                                  strcmp(key->name, "Unit") == 0 || strcmp(key->name, "Plugin") == 0 ||
                                  strcmp(key->name, "Coprocess") == 0;
                bool is_hosted = job_key_is_family(key) || strcmp(key->name, "PluginHost") == 0;
                const char *tail = strcmp(key->name, "Allow") ? "/tmp/x" : "root";
                const char *path = word && word[strlen(word) - 1] == ':' ? tail : "";
                snprintf(text, sizeof(text), "%s%s%s%s=%s%s\n",
                         is_program  ? ""
                         : is_hosted ? "Plugin=x\n"
                                     : "Command=/bin/true\n",
                         strcmp(key->name, "Every") && strcmp(key->name, "OnCalendar") && strcmp(key->name, "Cron")
                                 ? "Every=1h\n"
                                 : "",
                         is_rate ? "Mode=fixed-rate\n" : "", key->name, word ? word : key->example, path);
                job_free(build_good(text));
                if (!word)
                        break;
        }
        free(words);
}
END_TEST

START_TEST(the_rows_default_is_the_built_in_one) {
        size_t n;
        const struct job_key *key = &job_keys(&n)[_i];
        static const char *const described[] = {"the machine's",
                                                "until the next slot",
                                                "all, or changes where Every= is under 1min",
                                                "~ with User=, else /",
                                                "as StandardOutput=",
                                                "trigger for the job's User=",
                                                "one, or none for fixed-rate under 1h"};
        char text[300];
        struct diags diags = {};

        for (size_t i = 0; i < sizeof(described) / sizeof(described[0]); i++)
                if (strcmp(key->default_text, described[i]) == 0)
                        return;
        if (!key->default_text[0])
                return;
        bool is_script = strcmp(key->name, "Shell") == 0;
        snprintf(text, sizeof(text), "%s\nEvery=1h\n", is_script ? "Script=x" : "Command=/bin/true");
        struct job *without = build_good(text);
        snprintf(text + strlen(text), 200, "%s=%s\n", key->name, key->default_text);
        struct job *with = build_good(text);
        ck_assert_int_eq(job_seal(without, &diags), 0);
        ck_assert_int_eq(job_seal(with, &diags), 0);
        ck_assert_msg(memcmp(&with->hash, &without->hash, sizeof(with->hash)) == 0, "%s=%s", key->name, key->default_text);
        job_free(with);
        job_free(without);
}
END_TEST

/* Refused values: the settings and a part of the text. Every= and Command= are added where they are not there. */
static const struct {
        const char *text, *diag;
        unsigned line, column;
} refusals[] = {
        {"Every=0\n", "at least 1ms", 2, 7},
        {"Every=999us\n", "at least 1ms", 2, 7},
        {"Every=infinity\n", "can't be infinity", 2, 7},
        {"Every=1month\n", "months", 2, 7},
        {"Every=soon\n", "not a time span", 2, 7},
        {"Mode=cron\n", "there is fixed-delay and fixed-rate", 2, 6},
        {"Align=epoch\n", "Align= is for Mode=fixed-rate", 2, 7},
        {"Align=hour\n", "Align= is for Mode=fixed-rate", 2, 7},
        {"Mode=fixed-rate\nAlign=noon\n", "neither start, hour, day, epoch nor a time", 3, 7},
        {"Mode=fixed-rate\nInitialDelay=1h\nOnCalendar=daily\n", "the delay must be shorter than Every=", 3, 14},
        {"Mode=fixed-rate\nJitter=10%\n", "Jitter= is for Mode=fixed-delay", 3, 8},
        {"Jitter=10\n", "part of the wait", 2, 8},
        {"Jitter=101%\n", "more than 100%", 2, 8},
        {"Jitter=99999999999%\n", "", 2, 8},
        {"Jitter=%\n", "no percentage", 2, 8},
        {"Jitter=-1%\n", "no percentage", 2, 8},
        {"RandomizedDelay=5s\n", "RandomizedDelay= is for Mode=fixed-rate", 2, 17},
        {"Mode=fixed-rate\nRandomizedDelay=1h\n", "shorter than Every=1h", 3, 17},
        {"OnBoot=1\n", "could be a number of seconds", 2, 8},
        {"OnBoot=maybe\n", "neither yes nor no", 2, 8},
        {"OnBoot=1 month\n", "months", 2, 8},
        {"Overlap=never\n", "there is skip, queue, replace and parallel", 2, 9},
        {"Overlap=queue\nQueueMax=0\n", "no number from 1 to 1000", 3, 10},
        {"Overlap=queue\nQueueMax=1001\n", "no number from 1 to 1000", 3, 10},
        {"Overlap=parallel\nMaxParallel=1\n", "no number from 2 to 64", 3, 13},
        {"Overlap=parallel\nMaxParallel=65\n", "no number from 2 to 64", 3, 13},
        {"Retries=-1\n", "no number from 0 to 1000", 2, 9},
        {"Retries=1001\n", "no number from 0 to 1000", 2, 9},
        {"Retries=9999999999\n", "no number from 0 to 1000", 2, 9},
        {"RetryDelay=infinity\n", "can't be infinity", 2, 12},
        {"RetryBackoff=0.999999\n", "no factor from 1 to 100", 2, 14},
        {"RetryBackoff=100.000001\n", "no factor from 1 to 100", 2, 14},
        {"RetryBackoff=4294967297\n", "no factor from 1 to 100", 2, 14},
        {"RetryBackoff=200%\n", "write it as 2 or 1.5", 2, 14},
        {"RetryBackoff=.5\n", "no factor from 1 to 100", 2, 14},
        {"RetryMaxDelay=-1s\n", "negative", 2, 15},
        {"StopAfterFailures=0\n", "no number from 1 to 1000000", 2, 19},
        {"ExpectWithin=0\n", "within 0 no run can be expected", 2, 14},
        {"ExpectWithin=infinity\n", "can't be infinity", 2, 14},
        {"Priority=1001\n", "no number from -1000 to 1000", 2, 10},
        {"Priority=-1001\n", "no number from -1000 to 1000", 2, 10},
        {"Priority=--1\n", "no number from -1000 to 1000", 2, 10},
        {"Priority=high\n", "no number from -1000 to 1000", 2, 10},
        {"StartDeadline=-1s\n", "negative", 2, 15},
        {"CatchUp=two\n", "there is none, one and all", 2, 9},
        {"CatchUp=all\n", "CatchUp= is for Mode=fixed-rate; a delay that is over is due once", 2, 9},
        {"CatchUpMax=0\n", "no number from 1 to 10000", 2, 12},
        {"CatchUpMax=10001\n", "no number from 1 to 10000", 2, 12},
        {"CatchUpMax=-1\n", "no number from 1 to 10000", 2, 12},
        {"CatchUpMax=99999999999999999999\n", "no number from 1 to 10000", 2, 12},
        {"CatchUpSpread=infinity\n", "can't be infinity", 2, 15},
        {"RetryInterrupted=always\n", "neither yes nor no", 2, 18},
        {"Durability=none\n", "there is auto, full and normal", 2, 12},
        {"History=0\n", "no number from 1 to 1000000", 2, 9},
        {"History=1000001\n", "no number from 1 to 1000000", 2, 9},
        {"History=1w 2d\n", "a second span", 2, 12},
        {"History=30d 10 20\n", "a second number of runs", 2, 16},
        {"History=10 1month\n", "neither a number of runs nor a span", 2, 12},
        {"History=0s\n", "would keep nothing", 2, 9},
        {"Enabled=perhaps\n", "neither yes nor no", 2, 9},
        {"Log=none\n", "there is all, changes, failures and summary", 2, 5},
        {"Timeout=0\n", "would end each run at once", 2, 9},
        {"KillSignal=SIGFOO\n", "no signal", 2, 12},
        {"KillSignal=0\n", "no signal", 2, 12},
        {"KillSignal=65\n", "no signal", 2, 12},
        {"KillSignal=RTMIN+31\n", "no signal", 2, 12},
        {"SuccessExitStatus=3 256\n", "\"256\" is no exit status", 2, 21},
        {"SuccessExitStatus=-1\n", "no exit status", 2, 19},
        {"SkipExitStatus=tempfail\n", "no exit status", 2, 16},
        {"FinishExitStatus=SIGFOO\n", "no exit status", 2, 18},
        {"SuccessExitStatus=3 TERM\nSkipExitStatus=4 3\n", "3 is in SuccessExitStatus= (f:2), too", 3, 18},
        {"FinishExitStatus=SIGTERM\nSkipExitStatus=TERM\n", "SIGTERM is in SkipExitStatus= (f:3), too", 2, 18},
        {"KillGrace=infinity\n", "can't be infinity", 2, 11},
        {"User=a b\n", "one name or number", 2, 7},
        {"Group=a:b\n", "one name or number", 2, 8},
        {"WorkingDirectory=srv\n", "no absolute path", 2, 18},
        {"WorkingDirectory=~joe\n", "no absolute path", 2, 18},
        {"StopWhenPathExists=done\n", "no absolute path", 2, 20},
        {"ConditionPathExists=run\n", "no absolute path", 2, 21},
        {"ConditionPathExists=!run\n", "no absolute path", 2, 22},
        {"ConditionPathExists=|/run\n", "all conditions must hold here", 2, 21},
        {"ConditionPathExists=!|/run\n", "all conditions must hold here", 2, 22},
        {"ConditionACPower=maybe\n", "neither yes nor no", 2, 18},
        {"ConditionLoadBelow=0\n", "must be above 0", 2, 20},
        {"ConditionLoadBelow=0.0001\n", "must be above 0", 2, 20},
        {"ConditionLoadBelow=1000001\n", "at most 1000000", 2, 20},
        {"ConditionLoadBelow=99999999999999999999\n", "at most 1000000", 2, 20},
        {"ConditionLoadBelow=-1\n", "is no load", 2, 20},
        {"ConditionLoadBelow=.5\n", "is no load", 2, 20},
        {"ConditionLoadBelow=80%%\n", "is no load", 2, 20},
        {"ConditionUnitActive=a b\n", "no name of a systemd unit", 2, 21},
        {"ConditionUnitActive=-q\n", "no name of a systemd unit", 2, 21},
        {"ExecCondition=bin/x\n", "neither an absolute path nor a bare name", 2, 15},
        {"ExecCondition=test 'a\n", "the quote ' is not closed", 2, 20},
        {"ExecCondition=-/bin/x\n", "prefixes such as -", 2, 15},
        {"ConditionWait=infinity\nConditionACPower=yes\n", "can't be infinity", 2, 15},
        {"SupplementaryGroups=adm 'a b'\n", "one name or number", 2, 26},
        {"SupplementaryGroups=adm,disk\n", "one name or number", 2, 24},
        {"SupplementaryGroups=adm \"\"\n", "one name or number", 2, 25},
        {"RootDirectory=srv\n", "no absolute path", 2, 15},
        {"RootDirectory=-/srv\n", "no absolute path", 2, 15},
        {"UMask=8\n", "write it octal", 2, 7},
        {"UMask=01000\n", "from 0000 to 0777", 2, 7},
        {"UMask=u=rwx\n", "write it octal", 2, 7},
        {"UMask=000022\n", "write it octal", 2, 7},
        {"Nice=20\n", "no number from -20 to 19", 2, 6},
        {"Nice=-21\n", "no number from -20 to 19", 2, 6},
        {"Nice=low\n", "no number from -20 to 19", 2, 6},
        {"CPUSchedulingPolicy=deadline\n", "there is other, batch, idle, fifo and rr", 2, 21},
        {"CPUSchedulingPolicy=rr\nCPUSchedulingPriority=0\n", "no number from 1 to 99", 3, 23},
        {"CPUSchedulingPolicy=rr\nCPUSchedulingPriority=100\n", "no number from 1 to 99", 3, 23},
        {"IOSchedulingClass=4\n", "there is none, realtime, best-effort and idle", 2, 19},
        {"IOSchedulingClass=11\n", "there is none, realtime, best-effort and idle", 2, 19},
        {"IOSchedulingPriority=8\n", "no number from 0 to 7", 2, 22},
        {"OOMScoreAdjust=1001\n", "no number from -1000 to 1000", 2, 16},
        {"OOMScoreAdjust=-1001\n", "no number from -1000 to 1000", 2, 16},
        {"NoNewPrivileges=maybe\n", "neither yes nor no", 2, 17},
        {"LimitCPU=soon\n", "\"soon\": write seconds, a span", 2, 10},
        {"LimitNOFILE=10:9\n", "above the hard one", 2, 16},
        {"LimitNOFILE=10:\n", "\"\": write a number or infinity", 2, 16},
        {"LimitAS=1.5G\n", "a size such as 512M", 2, 9},
        {"LimitNICE=+20\n", "a nice level with its sign", 2, 11},
        {"MemoryMax=lots\n", "a size such as 512M, a share of the machine's", 2, 11},
        {"MemoryMax=0\n", "out of range", 2, 11},
        {"MemoryMax=101%\n", "out of range", 2, 11},
        {"TasksMax=1K\n", "write a number, a share", 2, 10},
        {"CPUQuota=2\n", "a share of one processor", 2, 10},
        {"CPUQuota=0%\n", "out of range; one whole processor is 100%", 2, 10},
        {"CPUQuota=1000001%\n", "out of range", 2, 10},
        {"Environment=A=1 B\n", "not NAME=VALUE", 2, 17},
        {"Environment=1A=1\n", "not NAME=VALUE", 2, 13},
        {"Environment==1\n", "not NAME=VALUE", 2, 13},
        {"Environment=CHIMED_JOB=x\n", "chimed sets itself", 2, 13},
        {"Environment=A=\"x\n", "the quote \" is not closed", 2, 15},
        {"PassEnvironment=A B=1\n", "only names stand here", 2, 19},
        {"PassEnvironment=A 1B\n", "no name of a variable", 2, 19},
        {"PassEnvironment=*A\n", "no name of a variable", 2, 17},
        {"PassEnvironment=A**\n", "no name of a variable", 2, 17},
        {"PassEnvironment=CHIMED_RUN*\n", "chimed's own", 2, 17},
        {"PassEnvironment=A NOTIFY_SOCKET\n", "chimed's own", 2, 19},
        {"EnvironmentFile=etc/x\n", "no absolute path", 2, 17},
        {"AcceptParameters=FROM 1ST\n", "\"1ST\" is no name of a parameter", 2, 23},
        {"AcceptParameters=A=1\n", "is no name of a parameter", 2, 18},
        {"StandardOutput=tty\n", "there is journal, journal-direct, null", 2, 16},
        {"StandardOutput=file:x\n", "no absolute path", 2, 21},
        {"StandardOutput=inherit\n", "there is journal, journal-direct, null, file:PATH", 2, 16},
        {"StandardError=tty\n", "null, inherit, file:PATH", 2, 15},
        {"StandardError=inherit:/a\n", "is not known", 2, 15},
        {"CaptureMax=65K\n", "more than 64K", 2, 12},
        {"CaptureMax=1M\n", "more than 64K", 2, 12},
        {"CaptureMax=99999999999999999999K\n", "more than 64K", 2, 12},
        {"CaptureMax=4KB\n", "no size", 2, 12},
        {"Shell=bash\nScript=x\n", "no absolute path", 2, 7},
        {"Command=bin/x\n", "neither an absolute path nor a bare name", 2, 9},
        {"Command=-/bin/x\n", "prefixes such as -", 2, 9},
        {"Command=\"\"\n", "name is empty", 2, 9},
        {"Command=/bin/x 'a\n", "the quote ' is not closed", 2, 16},
        {"Command=/bin/x a\\\n", "no backslash at the end", 2, 17},
        {"Command=/bin/x \\x0g\n", "2 digits to base 16", 2, 16},
        {"Command=/bin/x \\x00\n", "NUL", 2, 16},
        {"Command=/bin/x \\ud800\n", "no character", 2, 16},
        {"Command=/bin/x \\777\n", "no character", 2, 16},
        {"Command=/bin/x\nScript=y\n", "either Command= (f:2) or Script= (f:3)", 3, 8},
        {"Command=\n", "none of Command=, Script=", 1, 0},
        {"Evry=5s\n", "did you mean Every=?", 2, 1},
        {"Persistent=true\n", "is systemd's", 2, 1},
        {"MailTo=root,ops@example.org -x\n", "\"-x\" is no mail address", 2, 29},
        {"MailTo=a;b\n", "is no mail address", 2, 8},
        {"MailOn=never\n", "", 2, 8},
        /* calendars: the column is that of the field */
        {"OnCalendar=Mon 25:00\n", "hour 25 is out of range 0..23", 2, 16},
        {"Cron=75 2 * * *\n", "minute 75 is out of range 0..59", 2, 6},
        {"Cron=5 2 * *\n", "", 2, 6},
        {"OnCalendar=*-02-30\n", "", 2, 12},
        {"OnCalendar=daily Berlin\n", "\"Berlin\" is no time zone; did you mean Europe/Berlin?", 2, 18},
        {"OnCalendar=daily\nTimeZone=Europe/Berln\n", "\"Europe/Berln\" is no time zone; did you mean Europe/Berlin?", 3, 10},
        {"OnCalendar=*:*:0/0.000100\n", "the steps of a second must be at least 1ms", 2, 12},
        {"OnCalendar=daily\nGap=run\n", "Gap=run is not known; there is run-after and skip", 3, 5},
        {"OnCalendar=daily\nFold=last\n", "Fold=last is not known; there is first, second and both", 3, 6},
        {"Cron=@daily\nCronDays=xor\n", "CronDays=xor is not known; there is or and and", 3, 10},
        {"Foo=1\n", "unknown key Foo=", 2, 1},
};

START_TEST(wrong_value_is_refused_at_its_place) {
        struct diags diags = {};
        struct job *job = NULL;
        char text[300];

        snprintf(text, sizeof(text), "%s%s%s", refusals[_i].text, strstr(refusals[_i].text, "Every=") ? "" : "Every=1h\n",
                 strstr(refusals[_i].text, "Command=") || strstr(refusals[_i].text, "Script=") ? "" : "Command=/bin/true\n");
        ck_assert_msg(build(text, &diags, &job) == 1, "%s", text);
        ck_assert_ptr_null(job);
        ck_assert_msg(diags.n == 1 && strstr(diags.list[0].text, refusals[_i].diag), "%s%zu: %s", text, diags.n,
                      diags.n > 0 ? diags.list[0].text : "");
        ck_assert_msg(diags.list[0].line == refusals[_i].line && diags.list[0].column == refusals[_i].column, "%s%u:%u %s",
                      text, diags.list[0].line, diags.list[0].column, diags.list[0].text);
        diags_done(&diags);
}
END_TEST

/* Settings and the when-text that they come to. */
static const struct {
        const char *text, *when;
} meanings[] = {
        {"Every=5s\n", "Every=5s\n"},
        {"Every=5\n", "Every=5s\n"},
        {"Every=1h\nMode=fixed-rate\nAlign=epoch\n", "Every=1h\nMode=fixed-rate\nAlign=epoch\n"},
        {"Every=1h\nMode=fixed-rate\nAlign=2026-01-05 09:00 UTC\n", "Every=1h\nMode=fixed-rate\nAlign=2026-01-05T09:00:00Z\n"},
        {"Every=1h\nMode=fixed-rate\nAlign=@1.5\n", "Every=1h\nMode=fixed-rate\nAlign=1970-01-01T00:00:01.5Z\n"},
        {"Every=1h\nAlign=start\n", "Every=1h\n"},
        /* on the clock of a zone, if it is ever set; an instant is on none unless a zone is named */
        {"Every=2w\nMode=fixed-rate\nAlign=2026-03-16 09:00\nTimeZone=Europe/Berlin\nFold=both\n",
         "Every=2w\nMode=fixed-rate\nAlign=2026-03-16 09:00\nTimeZone=Europe/Berlin\nFold=both\n"},
        {"Every=1d\nMode=fixed-rate\nAlign=2026-07-01T12:00:30Z\n*TimeZone=Europe/Berlin\n",
         "Every=1d\nMode=fixed-rate\nAlign=2026-07-01 14:00:30\nTimeZone=Europe/Berlin\n"},
        {"Every=30min\nMode=fixed-rate\nAlign=hour\nTimeZone=Europe/Berlin\n",
         "Every=30min\nMode=fixed-rate\nAlign=day\nTimeZone=Europe/Berlin\n"},
        {"Every=1d\nMode=fixed-rate\nAlign=epoch\nTimeZone=Europe/Berlin\n",
         "Every=1d\nMode=fixed-rate\nAlign=1970-01-01 01:00\nTimeZone=Europe/Berlin\n"},
        {"Every=1d\nMode=fixed-rate\nAlign=epoch\nTimeZone=America/New_York\n",
         "Every=1d\nMode=fixed-rate\nAlign=1970-01-01 19:00\nTimeZone=America/New_York\n"},
        {"Every=1d\nMode=fixed-rate\nAlign=2262-12-31T23:30Z\nTimeZone=Asia/Tokyo\n",
         "Every=1d\nMode=fixed-rate\nAlign=1970-01-01 08:30\nTimeZone=Asia/Tokyo\n"},
        {"Every=1d\nMode=fixed-rate\nAlign=2026-03-16 09:00\nTimeZone=UTC\n",
         "Every=1d\nMode=fixed-rate\nAlign=2026-03-16T09:00:00Z\n"},
        {"Every=1d\nMode=fixed-rate\nAlign=day\nTimeZone=Etc/GMT-3\n",
         "Every=1d\nMode=fixed-rate\nAlign=1970-01-01T21:00:00Z\n"},
        {"Every=1h\nInitialDelay=90\n", "Every=1h\nInitialDelay=1min 30s\n"},
        {"Every=1h\nJitter=12.5%\n", "Every=1h\nJitter=12.5%\n"},
        {"Every=1h\nJitter=100%\n", "Every=1h\nJitter=100%\n"},
        {"Every=1h\nJitter=0.0001%\n", "Every=1h\nJitter=0.0001%\n"},
        {"Every=1h\nMode=fixed-rate\nRandomizedDelay=50%\n", "Every=1h\nMode=fixed-rate\nRandomizedDelay=50%\n"},
        {"Every=1h\nMode=fixed-rate\nRandomizedDelay=59min\n", "Every=1h\nMode=fixed-rate\nRandomizedDelay=59min\n"},
        {"OnBoot=yes\n", "OnBoot=yes\n"},
        {"OnBoot=0s\n", "OnBoot=yes\n"},
        {"OnBoot=2min\n", "OnBoot=2min\n"},
        {"Every=1h\nOnBoot=no\n", "Every=1h\n"},
        {"Every=1h\nOverlap=queue\n", "Every=1h\nOverlap=queue\n"},
        {"Every=1h\nMode=fixed-rate\nOverlap=queue\nQueueMax=1000\n",
         "Every=1h\nMode=fixed-rate\nOverlap=queue\nQueueMax=1000\n"},
        {"OnCalendar=daily UTC\nOverlap=replace\n", "Overlap=replace\nOnCalendar=*-*-* 00:00:00 UTC\n"},
        {"OnBoot=yes\nOverlap=parallel\nMaxParallel=2\n", "OnBoot=yes\nOverlap=parallel\n"},
        {"OnBoot=yes\nOverlap=parallel\nMaxParallel=64\n", "OnBoot=yes\nOverlap=parallel\nMaxParallel=64\n"},
        {"*QueueMax=5\n*MaxParallel=5\nEvery=1h\n", "Every=1h\n"},
        {"*QueueMax=5\n*MaxParallel=5\nOnBoot=yes\nOverlap=parallel\n", "OnBoot=yes\nOverlap=parallel\nMaxParallel=5\n"},
        {"Every=1h\nRetries=1000\nRetryDelay=0\n", "Every=1h\nRetries=1000\nRetryDelay=0\n"},
        {"Every=1h\nRetries=3\nRetryBackoff=1.50\nRetryMaxDelay=10min\n",
         "Every=1h\nRetries=3\nRetryBackoff=1.5\nRetryMaxDelay=10min\n"},
        {"Every=1h\nRetries=3\nRetryBackoff=100\nRetryMaxDelay=1h\n", "Every=1h\nRetries=3\nRetryBackoff=100\n"},
        {"Every=1h\nRetries=3\nRetryBackoff=1.000001\n", "Every=1h\nRetries=3\nRetryBackoff=1.000001\n"},
        /* what is not set never shortens the delay; what is set does */
        {"Every=1h\nRetries=1\nRetryDelay=2h\n", "Every=1h\nRetries=1\nRetryDelay=2h\n"},
        {"Every=1h\nRetries=1\nRetryDelay=2h\nRetryBackoff=2\nRetryMaxDelay=1h\n",
         "Every=1h\nRetries=1\nRetryDelay=2h\nRetryBackoff=2\nRetryMaxDelay=1h\n"},
        {"*RetryDelay=5s\n*RetryBackoff=2\n*RetryMaxDelay=1min\nEvery=1h\n", "Every=1h\n"},
        {"*RetryDelay=5s\n*RetryMaxDelay=1min\n*Retries=2\nEvery=1h\n", "Every=1h\nRetries=2\nRetryDelay=5s\n"},
        {"Every=1h\nStopAfterFailures=1000000\nExpectWithin=1d 2h\nPriority=-1000\n",
         "Every=1h\nStopAfterFailures=1000000\nExpectWithin=1d 2h\nPriority=-1000\n"},
        {"Every=1h\nPriority=1000\nRetries=0\n", "Every=1h\nPriority=1000\n"},
        {"Every=1h\nStartDeadline=infinity\n", "Every=1h\nStartDeadline=infinity\n"},
        {"Every=1h\nStartDeadline=0\n", "Every=1h\nStartDeadline=0\n"},
        {"Every=1h\nCatchUp=one\n", "Every=1h\nCatchUp=one\n"},
        {"Every=1h\nMode=fixed-rate\nCatchUp=all\n", "Every=1h\nMode=fixed-rate\nCatchUp=all\n"},
        {"Every=1min\nMode=fixed-rate\nCatchUp=all\nCatchUpMax=10000\nCatchUpSpread=5min\n",
         "Every=1min\nMode=fixed-rate\nCatchUp=all\nCatchUpMax=10000\nCatchUpSpread=5min\n"},
        {"Every=1h\nRetryInterrupted=yes\nDurability=normal\n", "Every=1h\nRetryInterrupted=yes\nDurability=normal\n"},
        {"Every=1h\nHistory=90d 100\n", "Every=1h\n"},
        {"Every=1h\nHistory=7\n", "Every=1h\nHistory=7\n"},
        {"Every=1h\nHistory=1w2d\n", "Every=1h\nHistory=1w2d\n"},
        {"Every=1h\nHistory=1000000 infinity\n", "Every=1h\nHistory=1000000 infinity\n"},
        {"Every=1h\nEnabled=off\n", "Every=1h\nEnabled=no\n"},
        {"Every=1h\nLog=all\n", "Every=1h\n"},
        {"Every=59s\nLog=changes\n", "Every=59s\n"},
        {"Every=59s\nLog=all\n", "Every=59s\nLog=all\n"},
        {"Every=1min\nLog=changes\n", "Every=1min\nLog=changes\n"},
        /* conditions are in the other half; this one only has to know that there are some */
        {"Every=1h\nConditionACPower=yes\n", "Every=1h\nConditionWait=0\n"},
        {"Every=1h\nExecCondition=true\nConditionWait=2h\n", "Every=1h\nConditionWait=2h\n"},
        {"*ConditionPathExists=/a\nEvery=1h\n", "Every=1h\nConditionWait=0\n"},
        {"Every=1h\nConditionPathExists=/a\nConditionPathExists=\n", "Every=1h\n"},
        {"*ConditionWait=2h\nEvery=1h\n", "Every=1h\n"},
        {"Description=a = b; # c\nEvery=1h\n", "Description=a = b; # c\nEvery=1h\n"},
        {"Description=a^b\nEvery=1h\n", "Description=a b\nEvery=1h\n"},
        /* later wins, an empty value clears */
        {"Every=1h\nEvery=2h\n", "Every=2h\n"},
        {"Every=1h\nOnBoot=yes\nEvery=\n", "OnBoot=yes\n"},
        {"*StartDeadline=1min\nEvery=1h\nStartDeadline=\n", "Every=1h\n"},
        /* defaults that do not fit the job are passed over */
        {"*Jitter=10%\n*RandomizedDelay=20%\nEvery=1h\nMode=fixed-rate\n", "Every=1h\nMode=fixed-rate\nRandomizedDelay=20%\n"},
        {"*Jitter=10%\n*RandomizedDelay=20%\nEvery=1h\n", "Every=1h\nJitter=10%\n"},
        {"*Jitter=10%\n*Mode=fixed-rate\nOnBoot=yes\n", "OnBoot=yes\n"},
        {"*CatchUp=all\n*CatchUpMax=5\nEvery=1h\n", "Every=1h\n"},
        {"*CatchUp=all\n*CatchUpMax=5\nEvery=1h\nMode=fixed-rate\nCatchUp=none\n", "Every=1h\nMode=fixed-rate\nCatchUp=none\n"},
        {"*CatchUp=all\nOnBoot=yes\n", "OnBoot=yes\n"},
        /* calendars, in one form whatever they were written like */
        {"OnCalendar=Mon..Fri 2:30\nTimeZone=Europe/Berlin\n", "OnCalendar=Mon..Fri *-*-* 02:30:00\nTimeZone=Europe/Berlin\n"},
        {"*TimeZone=Europe/Berlin\nCron=@hourly\nOnCalendar=daily\n",
         "OnCalendar=*-*-* 00:00:00\nCron=0 * * * *\nTimeZone=Europe/Berlin\n"},
        {"OnCalendar=daily UTC\nTimeZone=Europe/Berlin\n", "OnCalendar=*-*-* 00:00:00 UTC\n"},
        {"Cron=0 6 13 * fri\nCronDays=and\nTimeZone=UTC\nGap=skip\nFold=both\n",
         "CronDays=and\nCron=0 6 13 * 5\nTimeZone=UTC\nGap=skip\nFold=both\n"},
        {"OnCalendar=daily\nOnCalendar=\nOnCalendar=hourly\nTimeZone=UTC\n", "OnCalendar=*-*-* *:00:00\nTimeZone=UTC\n"},
        {"OnCalendar=*:*:0/5\nTimeZone=UTC\nOnBoot=yes\nCatchUp=all\nRandomizedDelay=2s\n",
         "RandomizedDelay=2s\nOnBoot=yes\nCatchUp=all\nOnCalendar=*-*-* *:*:00/5\nTimeZone=UTC\n"},
        {"*TimeZone=UTC\n*Gap=skip\nEvery=1h\n", "Every=1h\n"},
        /* a grid beside them: of UTC or of their zone */
        {"Every=1h\nMode=fixed-rate\nOnCalendar=10:30\nTimeZone=Europe/Berlin\n",
         "Every=1h\nMode=fixed-rate\nOnCalendar=*-*-* 10:30:00\nTimeZone=Europe/Berlin\n"},
        {"Every=1h\nMode=fixed-rate\nOnCalendar=10:30 Europe/Berlin\nAlign=epoch\n",
         "Every=1h\nMode=fixed-rate\nAlign=epoch\nOnCalendar=*-*-* 10:30:00 Europe/Berlin\n"},
        {"Every=2h\nMode=fixed-rate\nCron=30 10 * * *\nAlign=hour\nTimeZone=Europe/Berlin\n",
         "Every=2h\nMode=fixed-rate\nAlign=day\nCron=30 10 * * *\nTimeZone=Europe/Berlin\n"},
        {"Every=2h\nMode=fixed-rate\nOnCalendar=10:30 UTC\nAlign=day\nTimeZone=Europe/Berlin\n",
         "Every=2h\nMode=fixed-rate\nAlign=day\nOnCalendar=*-*-* 10:30:00 UTC\nTimeZone=Europe/Berlin\n"},
        {"Every=1h\nMode=fixed-rate\nInitialDelay=59min\nOnCalendar=10:30 UTC\n",
         "Every=1h\nMode=fixed-rate\nInitialDelay=59min\nOnCalendar=*-*-* 10:30:00 UTC\n"},
};

START_TEST(settings_come_to_the_expected_when_text_and_back) {
        char text[300], *printed, *again, *description = NULL;
        struct job_when back;

        memset(&back, 0xff, sizeof(back));
        snprintf(text, sizeof(text), "%sCommand=/bin/true\n", meanings[_i].text);
        struct job *job = build_good(text);
        ck_assert_int_eq(job_when_print(&job->when, job->description, &printed), 0);
        ck_assert_msg(strcmp(printed, meanings[_i].when) == 0, "%s gave\n%s", text, printed);
        ck_assert_int_eq(job_when_parse(printed, strlen(printed), &agendas, &back, &description), 0);
        ck_assert_msg(memcmp(&back, &job->when, sizeof(back)) == 0, "%s", printed);
        ck_assert_int_eq(job_when_print(&back, description, &again), 0);
        ck_assert_str_eq(again, printed);
        job_when_done(&back);
        free(printed);
        free(again);
        free(description);
        job_free(job);
}
END_TEST

static const struct {
        const char *text;
        enum job_catch_up catch_up;
} catch_ups[] = {
        {"Every=59min\nMode=fixed-rate\n", JOB_CATCH_UP_NONE},
        {"Every=1h\nMode=fixed-rate\n", JOB_CATCH_UP_ONE},
        {"Every=1s\n", JOB_CATCH_UP_ONE},
        {"OnBoot=yes\n", JOB_CATCH_UP_ONE},
        {"OnCalendar=*:*:*\n", JOB_CATCH_UP_ONE},
        {"Every=1s\nCatchUp=none\n", JOB_CATCH_UP_NONE},
        {"Every=1s\nMode=fixed-rate\nCatchUp=one\n", JOB_CATCH_UP_ONE},
};

START_TEST(catch_up_follows_from_mode_and_interval) {
        char text[300];

        snprintf(text, sizeof(text), "%sCommand=/bin/true\n", catch_ups[_i].text);
        struct job *job = build_good(text);
        ck_assert_msg(job->when.catch_up == catch_ups[_i].catch_up, "%s", text);
        job_free(job);
}
END_TEST

/* Every= by command: what it decides by default follows, what was said stays. */
START_TEST(another_interval_leaves_a_set_catch_up_alone) {
        struct job *by_default = build_good("Every=1h\nMode=fixed-rate\nCommand=/bin/true\n");
        struct job *set = build_good("Every=1h\nMode=fixed-rate\nCatchUp=all\nCommand=/bin/true\n");

        job_when_set_every(&by_default->when, USEC_PER_MINUTE);
        job_when_set_every(&set->when, USEC_PER_MINUTE);
        ck_assert_int_eq(by_default->when.catch_up, JOB_CATCH_UP_NONE);
        ck_assert_int_eq(set->when.catch_up, JOB_CATCH_UP_ALL);
        job_free(by_default);
        job_free(set);
}
END_TEST

static const char *const bad_when_texts[] = {
        "Every",
        "Every=\n",
        "Every=0\n",
        "Every=5s\nEvery=5s\n",
        "Command=/bin/x\n",
        "Evry=5s\n",
        "\n",
        "=\n",
        "Mode=fixed\n",
        "Every=5s\nAlign=epoch\n",
        "Every=5s\n=",
        "Description=x\n\n",
        "Every=1h\nMode=fixed-rate\nJitter=5%\n",
        "OnBoot=5\n",
        "Every=1h\nCatchUp=all\n",
        "Every=1h\nCatchUpMax=0\n",
        "Every=1h\nRetries=-1\n",
        "Every=1h\nPriority=-2000\n",
        "Every=1h\nRetryBackoff=0\n",
        "Every=1h\nExpectWithin=0\n",
        "History=1 2\n",
        "Allow=trigger:root\n",
        "Allow=trigger:-1\n",
        "Allow=trigger:1x\n",
        "Allow=trigger:4294967295\n",
        "Allow=trigger:18446744073709551617\n",
        "Allow=control:%\n",
        "Allow=read:1\n",
        "Allow=trigger:1\nAllow=trigger:2\n",
        "Allow=trigger:1 trigger:2 trigger:3 trigger:4 trigger:5 trigger:6 trigger:7 trigger:8 trigger:9\n",
};

START_TEST(what_is_no_when_text_is_refused) {
        const char *text = bad_when_texts[_i];
        struct job_when when, untouched;
        char *description = NULL;

        memset(&when, 0xaa, sizeof(when));
        untouched = when;
        ck_assert_msg(job_when_parse(text, strlen(text), NULL, &when, &description) == -EBADMSG, "%s", text);
        ck_assert_mem_eq(&when, &untouched, sizeof(when));
        ck_assert_ptr_null(description);
        ck_assert_int_eq(job_when_parse("Every=5s\0\n", 10, NULL, &when, &description), -EBADMSG);
}
END_TEST

/* Commands and their words, separated by '|'. */
static const struct {
        const char *command, *words;
        unsigned warnings;
} commands[] = {
        {"/bin/echo a  b\tc", "/bin/echo|a|b|c", 0},
        {"echo 'a b' \"c d\"", "echo|a b|c d", 0},
        {"echo a'b c'd \"\"", "echo|ab cd|", 0},
        {"echo \"a'b\" 'a\"b'", "echo|a'b|a\"b", 0},
        {"echo \\x41\\102\\u00e4\\U0001F600", "echo|AB\xc3\xa4\xf0\x9f\x98\x80", 0},
        {"echo a\\sb\\tc \"x\\ny\"", "echo|a b\tc|x\ny", 0},
        {"echo \\\"x\\\" \\\\ \\;", "echo|\"x\"|\\|;", 0},
        {"echo \\d", "echo|\\d", 1},
        {"echo a^  b", "echo|a|b", 0},
        {"echo 'a^b'", "echo|a b", 0},
        {"echo $HOME", "echo|$HOME", 1},
        {"echo '$HOME' \"a;b\" ';'", "echo|$HOME|a;b|;", 0},
        {"echo %n", "echo|%n", 1},
        {"date +%F 100%", "date|+%F|100%", 0},
        {"a ; b | c && d > e 2>&1 f & g", "a|;|b|\\p|c|&&|d|>|e|2>&1|f|&|g", 6},
        {"@a b", "@a|b", 1},
        {"a;b #c d=e", "a;b|#c|d=e", 0},
};

START_TEST(command_splits_as_systemd_does_and_warns_of_shell_text) {
        struct diags diags = {};
        struct job *job = NULL;
        char text[300], joined[300] = "";

        snprintf(text, sizeof(text), "Every=1h\nCommand=%s\n", commands[_i].command);
        ck_assert_msg(build(text, &diags, &job) == 0, "%s", text);
        for (char **word = job->what.argv; *word; word++) {
                strcat(joined, word == job->what.argv ? "" : "|");
                strcat(joined, strcmp(*word, "|") == 0 ? "\\p" : *word);
        }
        ck_assert_msg(strcmp(joined, commands[_i].words) == 0, "%s: %s", text, joined);
        ck_assert_msg(diags.n_warnings == commands[_i].warnings, "%s: %zu warnings", text, diags.n_warnings);
        job_free(job);
        diags_done(&diags);
}
END_TEST

START_TEST(a_command_of_5000_characters_arrives_whole) {
        char *text = malloc(6000), argument[5001];

        for (size_t i = 0; i < 5000; i++)
                argument[i] = "abc;d#e=f|"[i % 10];
        argument[5000] = 0;
        sprintf(text, "Every=1h\nCommand=/bin/echo %s\n", argument);
        struct job *job = build_good(text);
        ck_assert_str_eq(job->what.argv[1], argument);
        ck_assert_ptr_null(job->what.argv[2]);
        job_free(job);
        free(text);
}
END_TEST

START_TEST(a_script_keeps_its_lines_and_gets_its_shell) {
        struct job *job = build_good("Every=1h\nScript=a^  b ; # c\n");

        ck_assert_str_eq(job->what.argv[0], "/bin/sh");
        ck_assert_str_eq(job->what.argv[1], "-c");
        ck_assert_str_eq(job->what.argv[2], "a\n  b ; # c");
        ck_assert_ptr_null(job->what.argv[3]);
        job_free(job);
        job = build_good("*Shell=/bin/bash\nEvery=1h\nScript=x\n");
        ck_assert_str_eq(job->what.argv[0], "/bin/bash");
        job_free(job);
        job = build_good("*Shell=/bin/bash\nEvery=1h\nScript=x\nShell=\n");
        ck_assert_str_eq(job->what.argv[0], "/bin/sh");
        job_free(job);
        job = build_good("Every=1h\nCommand=/bin/a\nCommand=\nScript=x\n");
        ck_assert_str_eq(job->what.argv[2], "x");
        job_free(job);
}
END_TEST

START_TEST(lists_append_and_an_empty_value_clears_them) {
        struct job *job = build_good("*Environment=A=1 B=2\nEvery=1h\nCommand=x\nEnvironment=\"C=3 4\" D=\nEnvironmentFile=/a\n"
                                     "EnvironmentFile=-/b c\nPassEnvironment=C D*\nPassEnvironment=*\n");

        ck_assert_str_eq(job->what.environment[0], "A=1");
        ck_assert_str_eq(job->what.environment[1], "B=2");
        ck_assert_str_eq(job->what.environment[2], "C=3 4");
        ck_assert_str_eq(job->what.environment[3], "D=");
        ck_assert_ptr_null(job->what.environment[4]);
        ck_assert_str_eq(job->what.environment_files[1], "-/b c");
        ck_assert_str_eq(job->what.passed[1], "D*");
        ck_assert(strcmp(job->what.passed[2], "*") == 0 && !job->what.passed[3]);
        job_free(job);
        job = build_good("*Environment=A=1\nEvery=1h\nCommand=x\nEnvironment=\nEnvironment=B=2\n");
        ck_assert_str_eq(job->what.environment[0], "B=2");
        ck_assert_ptr_null(job->what.environment[1]);
        job_free(job);
        job = build_good("*Environment=A=1\nEvery=1h\nCommand=x\nEnvironment=\n");
        ck_assert_ptr_null(job->what.environment);
        job_free(job);
}
END_TEST

static const struct {
        const char *text;
        int number;
} signals[] = {{"TERM", SIGTERM}, {"SIGTERM", SIGTERM}, {"sigusr1", SIGUSR1}, {"KILL", SIGKILL},
               {"2", 2},          {"SIGABRT", SIGABRT}, {"RTMIN+3", 0}};

START_TEST(signal_is_known_by_name_and_number) {
        char text[100];

        snprintf(text, sizeof(text), "Every=1h\nCommand=x\nKillSignal=%s\n", signals[_i].text);
        struct job *job = build_good(text);
        ck_assert_msg(job->what.kill_signal == (signals[_i].number ? signals[_i].number : SIGRTMIN + 3), "%s: %d", text,
                      job->what.kill_signal);
        job_free(job);
}
END_TEST

static const struct {
        const char *settings;
        struct exit_status status;
        enum exit_class class;
} exits[] = {
        {"", {false, 0}, EXIT_CLASS_NONE},
        {"FinishExitStatus=0\n", {false, 0}, EXIT_CLASS_FINISH},
        {"SuccessExitStatus=0 1 255\nSkipExitStatus=63\nFinishExitStatus=64\n", {false, 255}, EXIT_CLASS_SUCCESS},
        {"SuccessExitStatus=1\nSkipExitStatus=63\nFinishExitStatus=USAGE\n", {false, 63}, EXIT_CLASS_SKIP},
        {"SuccessExitStatus=1\nSkipExitStatus=63\nFinishExitStatus=USAGE\n", {false, 64}, EXIT_CLASS_FINISH},
        {"SuccessExitStatus=1\nSkipExitStatus=63\nFinishExitStatus=USAGE\n", {false, 128}, EXIT_CLASS_NONE},
        {"SkipExitStatus=15\nSuccessExitStatus=SIGTERM hup\n", {true, SIGTERM}, EXIT_CLASS_SUCCESS},
        {"SkipExitStatus=15\nSuccessExitStatus=SIGTERM hup\n", {false, SIGTERM}, EXIT_CLASS_SKIP},
        {"SkipExitStatus=15\nSuccessExitStatus=SIGTERM hup\n", {true, SIGHUP}, EXIT_CLASS_SUCCESS},
        {"SkipExitStatus=RTMIN+30\n", {true, 64}, EXIT_CLASS_SKIP},
        {"SkipExitStatus=3\nSkipExitStatus=TEMPFAIL\n", {false, 3}, EXIT_CLASS_SKIP},
        {"SkipExitStatus=3\nSkipExitStatus=TEMPFAIL\n", {false, 75}, EXIT_CLASS_SKIP},
        {"*SkipExitStatus=3\nSkipExitStatus=\nFinishExitStatus=3\n", {false, 3}, EXIT_CLASS_FINISH},
        {"*SkipExitStatus=3\nSkipExitStatus=5\n", {false, 3}, EXIT_CLASS_SKIP},
};

START_TEST(exit_status_is_of_the_class_that_names_it) {
        char text[200];

        snprintf(text, sizeof(text), "Every=1h\nCommand=x\n%s", exits[_i].settings);
        struct job *job = build_good(text);
        ck_assert_msg(exit_classes_find(&job->what.exits, &exits[_i].status) == exits[_i].class, "%s", text);
        job_free(job);
}
END_TEST

static const struct {
        const char *settings;
        enum job_output_kind output, error;
        const char *path, *error_path;
} outputs[] = {
        {"", JOB_OUTPUT_JOURNAL, JOB_OUTPUT_JOURNAL, NULL, NULL},
        {"StandardOutput=null\n", JOB_OUTPUT_NULL, JOB_OUTPUT_NULL, NULL, NULL},
        {"StandardOutput=null\nStandardError=journal\n", JOB_OUTPUT_NULL, JOB_OUTPUT_JOURNAL, NULL, NULL},
        {"StandardOutput=journal-direct\n", JOB_OUTPUT_JOURNAL_DIRECT, JOB_OUTPUT_INHERIT, NULL, NULL},
        {"StandardError=journal-direct\n", JOB_OUTPUT_JOURNAL, JOB_OUTPUT_JOURNAL_DIRECT, NULL, NULL},
        {"StandardError=inherit\n", JOB_OUTPUT_JOURNAL, JOB_OUTPUT_INHERIT, NULL, NULL},
        {"StandardOutput=append:/var/log/a b\n", JOB_OUTPUT_APPEND, JOB_OUTPUT_INHERIT, "/var/log/a b", NULL},
        {"StandardOutput=file:/a\nStandardError=file:/a\n", JOB_OUTPUT_FILE, JOB_OUTPUT_INHERIT, "/a", NULL},
        {"StandardOutput=file:/a\nStandardError=file:/b\n", JOB_OUTPUT_FILE, JOB_OUTPUT_FILE, "/a", "/b"},
        {"StandardOutput=truncate:/a\nStandardError=append:/a\n", JOB_OUTPUT_TRUNCATE, JOB_OUTPUT_APPEND, "/a", "/a"},
        {"StandardOutput=null\nStandardError=file:/b\n", JOB_OUTPUT_NULL, JOB_OUTPUT_FILE, NULL, "/b"},
};

static void expect_path(const char *wanted, const char *found) {
        ck_assert_msg((wanted == NULL) == (found == NULL) && (!wanted || strcmp(wanted, found) == 0), "%s", found);
}

START_TEST(outputs_are_one_where_they_are_one_file) {
        char text[200];

        snprintf(text, sizeof(text), "Every=1h\nCommand=x\n%s", outputs[_i].settings);
        struct job *job = build_good(text);
        ck_assert_int_eq(job->what.output.kind, outputs[_i].output);
        ck_assert_int_eq(job->what.error.kind, outputs[_i].error);
        expect_path(outputs[_i].path, job->what.output.path);
        expect_path(outputs[_i].error_path, job->what.error.path);
        job_free(job);
}
END_TEST

START_TEST(what_is_optional_is_told_apart) {
        struct job *job = build_good("Every=1h\nCommand=x\nCaptureMax=4K\nWorkingDirectory=-~\n");

        ck_assert_uint_eq(job->what.capture_max, 4096);
        ck_assert_str_eq(job->what.working_directory, "~");
        ck_assert(job->what.is_working_directory_optional);
        job_free(job);
}
END_TEST

static const struct {
        const char *text, *warning;
} warned[] = {
        {"OnBoot=yes\nCommand=x\nInitialDelay=5s\n", "InitialDelay= means nothing without Every="},
        {"OnBoot=yes\nCommand=x\nJitter=5%\n", "Jitter= means nothing without Every="},
        {"OnBoot=yes\nCommand=x\nAlign=epoch\n", "Align= means nothing without Every="},
        {"Every=1h\nMode=fixed-rate\nCommand=x\nTimeZone=UTC\n",
         "TimeZone= means nothing without OnCalendar=, Cron= or Align="},
        {"Every=7min\nMode=fixed-rate\nAlign=hour\nCommand=x\n",
         "7min does not divide an hour: slots are not at the same minutes of each hour; OnCalendar=*:0/7 starts anew each "
         "hour"},
        {"Every=90min\nMode=fixed-rate\nAlign=hour\nCommand=x\n",
         "1h 30min is no multiple of an hour: slots are not at the same minutes of each hour"},
        {"Every=7h\nMode=fixed-rate\nAlign=day\nCommand=x\n",
         "7h does not divide a day: slots are not at the same times of each day; OnCalendar=0/7:00 starts anew each day"},
        {"Every=1d\nMode=fixed-rate\nAlign=2026-03-29 02:30\nTimeZone=Europe/Berlin\nCommand=x\n",
         "the clock of Europe/Berlin is set forward over this time"},
        {"Every=1d\nMode=fixed-rate\nAlign=2026-10-25 02:30\nTimeZone=Europe/Berlin\nCommand=x\n",
         "the clock of Europe/Berlin shows this time twice"},
        {"Every=1h\nMode=fixed-rate\nAlign=epoch\nInitialDelay=5s\nOnCalendar=daily\nCommand=x\n",
         "InitialDelay= means nothing beside OnCalendar= and Cron= but with Align=start"},
        {"OnBoot=yes\nCommand=x\nCatchUp=all\n", "CatchUp= means nothing without Every="},
        {"Every=1h\nCommand=x\nCatchUpMax=5\n", "CatchUpMax= means nothing without CatchUp=all"},
        {"Every=1h\nCommand=x\nCatchUp=none\nCatchUpSpread=5s\n", "CatchUpSpread= means nothing"},
        {"OnBoot=yes\nCommand=x\nQueueMax=2\n", "QueueMax= means nothing without Overlap=queue"},
        {"OnBoot=yes\nCommand=x\nOverlap=queue\nMaxParallel=2\n", "MaxParallel= means nothing without Overlap=parallel"},
        {"Every=1h\nCommand=x\nOverlap=parallel\n", "Overlap=parallel means nothing with Mode=fixed-delay"},
        {"Every=1h\nCommand=x\nRetryDelay=5s\n", "RetryDelay= means nothing without Retries="},
        {"Every=1h\nCommand=x\nRetries=0\nRetryBackoff=2\n", "RetryBackoff= means nothing without Retries="},
        {"Every=1h\nCommand=x\nRetryMaxDelay=2h\n", "RetryMaxDelay= means nothing without Retries="},
        {"Every=1h\nCommand=x\nRetries=1\nRetryMaxDelay=2h\n", "RetryMaxDelay= means nothing without RetryBackoff="},
        {"Every=1d\nCommand=x\nRetries=1\nRetryDelay=2h\nRetryBackoff=2\nRetryMaxDelay=1h\n",
         "RetryMaxDelay= is shorter than RetryDelay="},
        {"Every=1min\nMode=fixed-rate\nCommand=x\nRetries=1\nRetryDelay=1min\n", "no attempt comes after the next slot"},
        {"Every=1d\nCommand=x\nExpectWithin=1h\n", "the job would be overdue before each run"},
        {"Every=1h\nCommand=x\nShell=/bin/sh\n", "Shell= means nothing with Command="},
};

START_TEST(a_key_without_effect_is_warned_of) {
        struct diags diags = {};
        struct job *job = NULL;

        ck_assert_int_eq(build(warned[_i].text, &diags, &job), 0);
        ck_assert_msg(diags.n == 1 && diags.list[0].is_warning && strstr(diags.list[0].text, warned[_i].warning), "%s%s",
                      warned[_i].text, diags.n ? diags.list[0].text : "");
        job_free(job);
        diags_done(&diags);
}
END_TEST

static const struct {
        const char *name;
        bool is_valid;
} names[] = {{"backup", true},
             {"0-a_b.c:D", true},
             {"", false},
             {"-a", false},
             {".a", false},
             {"a b", false},
             {"a/b", false},
             {"\xc3\xa4", false},
             {"0123456789012345678901234567890123456789012345678901234567890123", true},
             {"01234567890123456789012345678901234567890123456789012345678901234", false}};

START_TEST(name_is_valid_or_the_reason_is_given) {
        const char *why = NULL;

        ck_assert_msg(job_name_is_valid(names[_i].name, &why) == names[_i].is_valid, "%s", names[_i].name);
        ck_assert_msg(names[_i].is_valid == (why == NULL), "%s", names[_i].name);
}
END_TEST

static const struct {
        const char *name, *hint;
} hints[] = {
        {"ExecStart", "here: Command= (no shell) or Script="},
        {"RandomizedDelaySec", "here: RandomizedDelay="},
        {"OnUnitActiveSec", "here: Every="},
        {"RestartPreventExitStatus", "here: FinishExitStatus="},
        {"catchup", "did you mean CatchUp=?"},
        {"stopafterfailures", "did you mean StopAfterFailures=?"},
        {"Restart", "Retries="},
        {"RestartSec", "here: RetryDelay="},
        {"RestartMaxDelaySec", "here: RetryMaxDelay="},
        {"StartLimitBurst", "StopAfterFailures="},
        {"ConditionPathIsMountPoint", "here: ExecCondition="},
        {"ConditionAcPower", "did you mean ConditionACPower=?"},
        {"LimitNOFILES", "did you mean LimitNOFILE=?"},
        {"CPUSchedulingResetOnFork", "here: chrt"},
        {"every", "did you mean Every=?"},
        {"Comand", "did you mean Command=?"},
        {"KillSig", "unknown key KillSig="},
        {"StdOutput", "unknown key StdOutput="},
        {"TimeOut", "did you mean Timeout=?"},
        {"Xyzzy", "unknown key Xyzzy="},
        {"AVeryLongNameThatIsLongerThanEverythingThatIsComparedHereAndThere", "unknown key AVeryLong"},
};

START_TEST(unknown_key_is_answered) {
        char buf[160];

        ck_assert_msg(strstr(job_key_hint(hints[_i].name, NULL, 0, buf), hints[_i].hint), "%s: %s", hints[_i].name, buf);
        ck_assert_uint_lt(strlen(buf), 159);
}
END_TEST

/* A what with every member set. */
static void fill_what(struct job_what *what) {
        static const gid_t groups[] = {4, 27};

        what->user = strdup("backup");
        what->group = strdup("disk");
        what->has_identity = true;
        what->uid = 34;
        what->gid = 6;
        what->groups = malloc(sizeof(groups));
        memcpy(what->groups, groups, sizeof(groups));
        what->n_groups = 2;
        what->login_name = strdup("backup");
        what->home = strdup("/var/backups");
        what->login_shell = strdup("/bin/sh");
}

static struct job *full_job(void) {
        struct job *job =
                build_good("Every=1h\nCommand=/bin/x a '' \\xff\nEnvironment=A=1 B=\nEnvironmentFile=-/e\nTimeout=3h\n"
                           "AcceptParameters=FROM to_2 FROM\nPassEnvironment=A_1 B*\n"
                           "KillGrace=0\nWorkingDirectory=-/srv\nStandardOutput=file:/o\nStandardError=inherit\nCaptureMax=0\n"
                           "StopWhenPathExists=/stop\nConditionPathExists=!/a\nConditionACPower=no\nConditionLoadBelow=80%\n"
                           "ConditionUnitActive=x.service\nExecCondition=test -e '/a b'\nExecCondition=/bin/true\n"
                           "SuccessExitStatus=0 255 HUP\nSkipExitStatus=1\nFinishExitStatus=2 64\n"
                           "RootDirectory=/srv/jail\nUMask=0777\nNice=-20\nCPUSchedulingPolicy=rr\nCPUSchedulingPriority=99\n"
                           "IOSchedulingClass=realtime\nIOSchedulingPriority=7\nOOMScoreAdjust=-1000\nNoNewPrivileges=yes\n"
                           "LimitCPU=1\nLimitNOFILE=0:infinity\nLimitRTTIME=infinity\n"
                           "MemoryMax=7E\nCPUQuota=10000%\nTasksMax=0.01%\n");
        fill_what(&job->what);
        return job;
}

START_TEST(what_goes_there_and_back_byte_for_byte) {
        struct job *jobs[] = {full_job(), build_good("OnBoot=yes\nCommand=x\n")};

        for (size_t i = 0; i < 2; i++) {
                struct pack p = {}, again = {};
                struct job_what back;
                job_what_encode(&jobs[i]->what, &p);
                ck_assert_int_eq(pack_result(&p), 0);
                ck_assert_int_eq(job_what_decode(p.data, p.size, &back), 0);
                job_what_encode(&back, &again);
                ck_assert_uint_eq(again.size, p.size);
                ck_assert_mem_eq(again.data, p.data, p.size);
                ck_assert_str_eq(back.argv[0], jobs[i]->what.argv[0]);
                ck_assert_uint_eq(back.n_conditions, i == 0 ? 6 : 0);
                ck_assert(i == 0 ? strcmp(back.accepted[1], "to_2") == 0 && !back.accepted[2] : !back.accepted);
                ck_assert(i == 0 ? strcmp(back.passed[1], "B*") == 0 && !back.passed[2] : !back.passed);
                ck_assert_str_eq(back.stop_path ? back.stop_path : "", i == 0 ? "/stop" : "");
                job_what_done(&back);
                pack_done(&p);
                pack_done(&again);
                job_free(jobs[i]);
        }
}
END_TEST

static const struct {
        const char *text, *printed;
} conditions[] = {
        {"ConditionPathExists=/a b\n", "ConditionPathExists=/a b"},
        {"ConditionPathExists=!/a\n", "ConditionPathExists=!/a"},
        {"ConditionACPower=true\n", "ConditionACPower=yes"},
        {"ConditionACPower=0\n", "ConditionACPower=no"},
        {"ConditionLoadBelow=1\n", "ConditionLoadBelow=1"},
        {"ConditionLoadBelow=1.50\n", "ConditionLoadBelow=1.5"},
        {"ConditionLoadBelow=80%\n", "ConditionLoadBelow=80%"},
        {"ConditionLoadBelow=12.5%\n", "ConditionLoadBelow=12.5%"},
        {"ConditionUnitActive=a@b.service\n", "ConditionUnitActive=a@b.service"},
        {"ExecCondition=test  -e '/a b'\n", "ExecCondition=test -e \"/a b\""},
        {"ExecCondition=/usr/bin/test -e /a/path/that/is/longer/than/what/fits\n",
         "ExecCondition=/usr/bin/test -e /a/path/that/is/longer/than/wh\xe2\x80\xa6"},
};

START_TEST(conditions_are_printed_as_they_would_be_written) {
        char text[300], printed[65];

        snprintf(text, sizeof(text), "Command=/bin/true\nEvery=1h\n%s", conditions[_i].text);
        struct job *job = build_good(text);
        ck_assert_uint_eq(job->what.n_conditions, 1);
        ck_assert(job_condition_is_sane(&job->what.conditions[0]));
        job_condition_print(&job->what.conditions[0], printed, sizeof(printed));
        ck_assert_str_eq(printed, conditions[_i].printed);
        job_free(job);
}
END_TEST

START_TEST(conditions_are_bounded_and_a_wait_without_one_is_told) {
        char text[JOB_CONDITIONS_MAX * 32 + 200] = "Command=/bin/true\nEvery=1h\n";
        struct diags diags = {};
        struct job *job = NULL;

        for (int i = 0; i <= JOB_CONDITIONS_MAX; i++)
                strcat(text, "ConditionPathExists=/a\n");
        ck_assert_int_eq(build(text, &diags, &job), 1);
        ck_assert_msg(diags.n == 1 && strstr(diags.list[0].text, "at most 32 conditions"), "%s", diags.list[0].text);
        diags_done(&diags);
        ck_assert_int_eq(build("Command=/bin/true\nEvery=1h\nConditionWait=2h\n", &diags, &job), 0);
        ck_assert_msg(diags.n == 1 && strstr(diags.list[0].text, "means nothing without a condition"), "%zu", diags.n);
        diags_done(&diags);
        job_free(job);
}
END_TEST

START_TEST(a_cut_or_longer_what_is_refused) {
        struct job *job = full_job();
        struct pack p = {};

        job_what_encode(&job->what, &p);
        for (size_t size = 0; size < p.size; size++) {
                uint8_t *cut = malloc(size + !size);
                struct job_what back;
                memcpy(cut, p.data, size);
                ck_assert_msg(job_what_decode(cut, size, &back) == -EBADMSG, "cut at %zu of %zu", size, p.size);
                free(cut);
        }
        pack_u8(&p, 0);
        struct job_what back;
        ck_assert_int_eq(job_what_decode(p.data, p.size, &back), -EBADMSG);
        pack_done(&p);
        job_free(job);
}
END_TEST

START_TEST(a_changed_byte_is_refused_or_gives_a_sane_what) {
        struct job *job = full_job();
        struct pack p = {};

        job_what_encode(&job->what, &p);
        for (size_t i = 0; i < p.size; i++)
                for (int bit = 0; bit < 8; bit++) {
                        struct job_what back;
                        p.data[i] ^= (uint8_t)(1 << bit);
                        if (job_what_decode(p.data, p.size, &back) == 0) {
                                ck_assert_msg(back.argv && back.argv[0][0] && back.timeout_us > 0 && back.kill_signal > 0 &&
                                                      back.capture_max <= JOB_CAPTURE_MAX &&
                                                      back.output.kind <= JOB_OUTPUT_TRUNCATE && back.umask <= 0777 &&
                                                      back.nice >= -20 && back.nice <= 19 && back.cpu_priority <= 99,
                                              "byte %zu bit %d", i, bit);
                                job_what_done(&back);
                        }
                        p.data[i] ^= (uint8_t)(1 << bit);
                }
        pack_done(&p);
        job_free(job);
}
END_TEST

START_TEST(a_unit_is_a_service_with_nothing_of_the_defaults) {
        struct job *job = build_good("*User=nobody\n*Nice=5\n*IOSchedulingPriority=7\n*StandardOutput=null\n*Shell=/bin/bash\n"
                                     "*Environment=A=1\n*AcceptParameters=A\nUnit=backup@x\nTimeout=1h\n");
        struct job_what by_default, back;
        struct pack p = {};

        job_what_init(&by_default);
        ck_assert_str_eq(job->what.argv[0], "backup@x.service");
        ck_assert(job->what.work == JOB_WORK_UNIT && !job->what.argv[1] && !job->what.user && !job->what.environment &&
                  !job->what.accepted);
        ck_assert(job->what.nice == by_default.nice && job->what.io_priority == 0 &&
                  job->what.output.kind == JOB_OUTPUT_JOURNAL);
        job_what_encode(&job->what, &p);
        ck_assert_int_eq(job_what_decode(p.data, p.size, &back), 0);
        ck_assert(back.work == JOB_WORK_UNIT && back.timeout_us == USEC_PER_HOUR);
        ck_assert_str_eq(back.argv[0], "backup@x.service");
        job_what_done(&back);
        p.data[p.size - 10 - 3] = 'x'; /* "ice", before no parameters, no options and no host: of no other type */
        ck_assert_int_eq(job_what_decode(p.data, p.size, &back), -EBADMSG);
        pack_done(&p);
        job_free(job);
}
END_TEST

START_TEST(the_hash_follows_the_definition) {
        static const char *const texts[] = {"Every=1h\nCommand=/bin/x a b\n", "Every=1h\nCommand=/bin/x 'a b'\n",
                                            "Every=2h\nCommand=/bin/x a b\n", "Every=1h\nCommand=/bin/x a b\nDescription=d\n",
                                            "Every=1h\nCommand=/bin/x a b\nUser=u\n"};
        struct hash128 hashes[5];
        struct diags diags = {};

        for (size_t i = 0; i < 5; i++) {
                struct job *job = build_good(texts[i]), *same = build_good(texts[i]);
                ck_assert_int_eq(job_seal(job, &diags), 0);
                ck_assert_int_eq(job_seal(same, &diags), 0);
                ck_assert_mem_eq(&job->hash, &same->hash, sizeof(job->hash));
                hashes[i] = job->hash;
                for (size_t k = 0; k < i; k++)
                        ck_assert_msg(memcmp(&hashes[k], &hashes[i], sizeof(hashes[i])) != 0, "%s and %s", texts[k], texts[i]);
                job_free(job);
                job_free(same);
        }
}
END_TEST

START_TEST(a_definition_over_the_bounds_is_told) {
        size_t sizes[] = {JOB_WHAT_MAX + 1, JOB_WHAT_MAX - 10, JOB_WHAT_MAX - 1000};

        for (int i = 0; i < 3; i++) {
                char *text = malloc(sizes[i] + 100);
                struct diags diags = {};
                struct job *job = NULL;
                int n = sprintf(text, "Every=1h\nScript=");
                memset(text + n, 'x', sizes[i]);
                strcpy(text + n + sizes[i], "\n");
                int r = build(text, &diags, &job);
                ck_assert_int_eq(r, i == 0);
                if (r == 0)
                        ck_assert_int_eq(job_seal(job, &diags), i == 1);
                ck_assert_uint_eq(diags.n, i < 2);
                if (i < 2)
                        ck_assert_ptr_nonnull(strstr(diags.list[0].text, "put the script into a file"));
                diags_done(&diags);
                job_free(job);
                free(text);
        }
        char *text = malloc(JOB_WHEN_TEXT_MAX + 100);
        struct diags diags = {};
        int n = sprintf(text, "Every=1h\nCommand=x\nDescription=");
        memset(text + n, 'x', JOB_WHEN_TEXT_MAX);
        strcpy(text + n + JOB_WHEN_TEXT_MAX, "\n");
        struct job *job = build_good(text);
        ck_assert_int_eq(job_seal(job, &diags), 1);
        diags_done(&diags);
        job_free(job);
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("job");
        TCase *tcase = tcase_create("job");
        size_t n;

        job_keys(&n);
#define ROWS(table) (sizeof(table) / sizeof(table[0]))
        tcase_add_loop_test(tcase, row_is_complete_and_is_found, 0, (int)n);
        tcase_add_loop_test(tcase, a_job_with_the_rows_example_and_each_of_its_values_builds, 0, (int)n);
        tcase_add_loop_test(tcase, the_rows_default_is_the_built_in_one, 0, (int)n);
        tcase_add_loop_test(tcase, wrong_value_is_refused_at_its_place, 0, (int)ROWS(refusals));
        tcase_add_loop_test(tcase, settings_come_to_the_expected_when_text_and_back, 0, (int)ROWS(meanings));
        tcase_add_loop_test(tcase, catch_up_follows_from_mode_and_interval, 0, (int)ROWS(catch_ups));
        tcase_add_test(tcase, another_interval_leaves_a_set_catch_up_alone);
        tcase_add_loop_test(tcase, what_is_no_when_text_is_refused, 0, (int)ROWS(bad_when_texts));
        tcase_add_loop_test(tcase, command_splits_as_systemd_does_and_warns_of_shell_text, 0, (int)ROWS(commands));
        tcase_add_test(tcase, a_command_of_5000_characters_arrives_whole);
        tcase_add_test(tcase, a_script_keeps_its_lines_and_gets_its_shell);
        tcase_add_test(tcase, lists_append_and_an_empty_value_clears_them);
        tcase_add_loop_test(tcase, signal_is_known_by_name_and_number, 0, (int)ROWS(signals));
        tcase_add_loop_test(tcase, exit_status_is_of_the_class_that_names_it, 0, (int)ROWS(exits));
        tcase_add_loop_test(tcase, outputs_are_one_where_they_are_one_file, 0, sizeof(outputs) / sizeof(outputs[0]));
        tcase_add_test(tcase, what_is_optional_is_told_apart);
        tcase_add_loop_test(tcase, a_key_without_effect_is_warned_of, 0, (int)ROWS(warned));
        tcase_add_loop_test(tcase, name_is_valid_or_the_reason_is_given, 0, (int)ROWS(names));
        tcase_add_loop_test(tcase, unknown_key_is_answered, 0, (int)ROWS(hints));
        tcase_add_test(tcase, what_goes_there_and_back_byte_for_byte);
        tcase_add_loop_test(tcase, conditions_are_printed_as_they_would_be_written, 0,
                            sizeof(conditions) / sizeof(conditions[0]));
        tcase_add_test(tcase, conditions_are_bounded_and_a_wait_without_one_is_told);
        tcase_add_test(tcase, a_cut_or_longer_what_is_refused);
        tcase_add_test(tcase, a_changed_byte_is_refused_or_gives_a_sane_what);
        tcase_add_test(tcase, a_unit_is_a_service_with_nothing_of_the_defaults);
        tcase_add_test(tcase, the_hash_follows_the_definition);
        tcase_add_test(tcase, a_definition_over_the_bounds_is_told);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
