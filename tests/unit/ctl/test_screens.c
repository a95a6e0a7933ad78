// SPDX-License-Identifier: MIT
// screens: each to the letter, from canned replies at a given time: at 80 and 200 columns, in colour, with texts that attack.

#include <check.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/duration.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/timeline_rows.h"
#include "tests/unit/run_suite.h"

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))
#define NOW      (INT64_C(1795257700) * USEC_PER_SEC) /* Sat 2026-11-21 11:41:40 CET */

static void set_up(void) {
        setlocale(LC_CTYPE, "C.UTF-8");
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
}

/* An object from JSON with single quotes, in which "@N" is N seconds after NOW in microseconds. */
static json_t *reply(const char *text) {
        char expanded[8192], *to = expanded;
        json_error_t error;

        for (const char *s = text; *s; s++)
                if (*s == '@') {
                        char *end;
                        long long seconds = strtoll(s + 1, &end, 10);
                        to += sprintf(to, "%lld", (long long)NOW + seconds * (long long)USEC_PER_SEC);
                        s = end - 1;
                } else
                        *to++ = *s == '\'' ? '"' : *s;
        *to = '\0';
        json_t *value = json_loads(expanded, 0, &error);
        ck_assert_msg(value != NULL, "%s: %s", error.text, expanded);
        ck_assert_int_eq(reply_clean(value, false), 0);
        return value;
}

static const char jobs[] =
        "[{'name':'tidy','state':'waiting','nextSlotUsec':@7200,'nextStartUsec':@7200,'lastStartUsec':@-80000,"
        "'lastDurationUsec':350000,'lastResult':'success'},"
        "{'name':'backup','state':'waiting','nextSlotUsec':@139700,'lastStartUsec':@-16140,'lastDurationUsec':2460000000,"
        "'lastResult':'success','missed':2},"
        "{'name':'reindex','state':'running','runningRunIds':[9],'lastStartUsec':@-250,'lastResult':'failed','pending':1},"
        "{'name':'db-dump','state':'waiting','nextSlotUsec':@1100,'nextStartUsec':@1100,'lastStartUsec':@-2498,"
        "'lastDurationUsec':600000000,'lastResult':'timeout','failuresInRow':3},"
        "{'name':'mirror','state':'paused','hold':{'by':'ops','atUsec':@-90},'lastStartUsec':@-63700,'lastDurationUsec':"
        "180000000,"
        "'lastResult':'success'},"
        "{'name':'a-name-that-is-as-long-as-a-name-of-a-job-may-be-and-not-longer-x','state':'disabled'},"
        "{'name':'gone','state':'cancelled','hold':{'by':'root','atUsec':@-90}}]";

static const char list_80[] = "! 1 error in the job files, their last good jobs run on: chimectl check\n"
                              "  JOB              NEXT              IN     LAST         TOOK  RESULT     MISSED\n"
                              "= gone             cancelled by root -      -            -     -               -\n"
                              "= mirror           paused by ops     -      Fri 18:00:00 3min  success         -\n"
                              "x db-dump          Sat 12:00:00      18min  Sat 11:00:02 10min timeout 3x      -\n"
                              "! backup           Mon 02:30:00      1d 14h Sat 07:12:40 41min success         2\n"
                              "> reindex          running 4min +1   -      Sat 11:37:30 4min  (failed)        -\n"
                              "  tidy             Sat 13:41:40      2h     Fri 13:28:20 350ms success         -\n"
                              "  a-name..longer-x disabled          -      -            -     -               -\n"
                              "7 jobs: 1 running, 1 paused, 1 cancelled, 1 failing.\n"
                              "MISSED: 2 slots (chimectl why backup)\n";

static const char list_200[] =
        "! 1 error in the job files, their last good jobs run on: chimectl check\n"
        "  JOB                                                                NEXT               IN      "
        "LAST          TOOK   RESULT      MISSED\n"
        "= gone                                                               cancelled by root  -       "
        "-             -      -                -\n"
        "= mirror                                                             paused by ops      -       "
        "Fri 18:00:00  3min   success          -\n"
        "x db-dump                                                            Sat 12:00:00       18min   "
        "Sat 11:00:02  10min  timeout 3x       -\n"
        "! backup                                                             Mon 02:30:00       1d 14h  "
        "Sat 07:12:40  41min  success          2\n"
        "> reindex                                                            running 4min +1    -       "
        "Sat 11:37:30  4min   (failed)         -\n"
        "  tidy                                                               Sat 13:41:40       2h      "
        "Fri 13:28:20  350ms  success          -\n"
        "  a-name-that-is-as-long-as-a-name-of-a-job-may-be-and-not-longer-x  disabled           -      "
        " -             -      -                -\n"
        "7 jobs: 1 running, 1 paused, 1 cancelled, 1 failing. MISSED: 2 slots (chimectl why backup)\n";

static const char show_job[] =
        "{'name':'backup','description':'nightly copy of /srv \\u001b[31m','state':'waiting','schedule':'every 1d on the hour',"
        "'nextSlotUsec':@139700,'nextStartUsec':@139760,'runs':220,'successes':216,'failures':4,'triggered':2,'missed':9,'"
        "merged':3,"
        "'lastRun':{'runId':812,'cause':'catch-up','slotUsec':@-119500,'startUsec':@-16140,'endUsec':@-13677,'result':'failed',"
        "'cpuUsec':92350000,'memoryPeak':356999168,'exitCode':3,'value':'one\\ntwo "
        "\\u009b31m\\n1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n10\\n\\n'},"
        "'lastGood':{'runId':810,'cause':'trigger','startUsec':@-90000,'endUsec':@-89999,'result':'success'},"
        "'lastFailure':{'runId':812},"
        "'recent':[{'outcome':'missed','count':3,'firstSlotUsec':@-260000,'lastSlotUsec':@-90000,'reason':'down'},"
        "{'outcome':'merged','count':1,'firstSlotUsec':@-260000,'lastSlotUsec':@-260000,'reason':'down'}],"
        "'command':'/usr/local/bin/backup --all','user':'backup','file':'/etc/chimed/jobs.d/backup.ini','line':3}";

static const char show_80[] = "backup - nightly copy of /srv .[31m              /etc/chimed/jobs.d/backup.ini:3\n"
                              "  State      waiting; next Mon 2026-11-23 02:30:00 CET, in 1d 14h and 1min of\n"
                              "             drawn delay\n"
                              "  Schedule   every 1d on the hour\n"
                              "  Command    /usr/local/bin/backup --all (as backup)\n"
                              "  Last run   812  Sat 07:12:40  41min 3s  exit 3  (catch-up for Fri 02:30:00)\n"
                              "  Used       1min 32s of processor time, at most 340.5M of memory\n"
                              "  Last good  810  Fri 10:41:40  1s  success  (trigger)\n"
                              "  Counts     220 runs (2 by trigger): 216 good, 4 failed; 9 missed, 3 merged\n"
                              "  Recent     3 missed slots, Wed 11:28:20 to Fri 10:41:40: down\n"
                              "             1 merged, Wed 11:28:20: down\n"
                              "    1\n    2\n    3\n    4\n    5\n    6\n    7\n    8\n    9\n    10\n";

static const char show_policy[] =
        "{'name':'report','state':'waiting','schedule':'Mon..Fri 02:30','groups':['nightly','db'],'command':'/bin/report',"
        "'policy':{'overlap':'queue','queueMax':5,'catchUp':'all','catchUpMax':100,'startDeadlineUsec':600000000,'retries':3,"
        "'retryDelayUsec':10000000,'retryBackoffPpm':2000000,'retryMaxDelayUsec':3600000000,'isInterruptedRetried':true,"
        "'stopAfterFailures':4,'expectWithinUsec':93600000000,'conditionWaitUsec':7200000000,'hasConditions':true,"
        "'priority':10},'timeoutUsec':10800000000,'conditions':['ConditionPathExists=/mnt/db','ConditionACPower=yes'],"
        "'pools':[{'group':'db','maxRunning':2,'running':2,'waiting':3},{'group':null,'maxRunning':50,'running':7,"
        "'waiting':0}],"
        "'follows':[{'job':'fetch','events':['success']},{'job':'import','events':['end','missed']}],'followsLeftOut':0,"
        "'starts':[{'job':'page','events':['failure','missed','overdue']},{'job':'report.mail','events':['failure']},"
        "{'job':'tidy','events':['end']}],'startsLeftOut':2}";
static const char show_policy_80[] = "report\n"
                                     "  State      waiting\n"
                                     "  Schedule   Mon..Fri 02:30\n"
                                     "  Command    /bin/report\n"
                                     "  Policy     queue up to 5 slots if running; catch up all, the latest 100 at\n"
                                     "             most; starts at most 10min late; runs at most 3h; up to 3 retries,\n"
                                     "             after 10s, then each wait 2 times as long, at most 1h; runs again\n"
                                     "             if interrupted; stops after 4 failures in a row; a good run is\n"
                                     "             expected every 1d 2h\n"
                                     "  Conditions ConditionPathExists=/mnt/db; ConditionACPower=yes; waits for them\n"
                                     "             up to 2h\n"
                                     "  Groups     nightly; db, 2 of 2 places taken, 3 jobs wait; all jobs, 7 of 50\n"
                                     "             places taken; priority 10\n"
                                     "  Follows    fetch on success; import on end, missed\n"
                                     "  Starts     page on failure, missed, overdue; tidy on end; and 2 more\n"
                                     "  Mail       on failure, by the job report.mail\n"
                                     "  Counts     0 runs: 0 good, 0 failed\n";
static const char show_policy_200[] =
        "report\n"
        "  State      waiting\n"
        "  Schedule   Mon..Fri 02:30\n"
        "  Command    /bin/report\n"
        "  Policy     queue up to 5 slots if running; catch up all, the latest 100 at most; starts at most 10min late; runs at "
        "most 3h; up to 3 retries, after 10s, then each wait 2 times as long, at most 1h;\n"
        "             runs again if interrupted; stops after 4 failures in a row; a good run is expected every 1d 2h\n"
        "  Conditions ConditionPathExists=/mnt/db; ConditionACPower=yes; waits for them up to 2h\n"
        "  Groups     nightly; db, 2 of 2 places taken, 3 jobs wait; all jobs, 7 of 50 places taken; priority 10\n"
        "  Follows    fetch on success; import on end, missed\n"
        "  Starts     page on failure, missed, overdue; tidy on end; and 2 more\n"
        "  Mail       on failure, by the job report.mail\n"
        "  Counts     0 runs: 0 good, 0 failed\n";

static const char jobs_kept[] = "[{'name':'backup','state':'waiting','nextStartUsec':@139700,'missed':90,'latestSlots':["
                                "{'outcome':'ran','count':2,'firstSlotUsec':@-259200,'lastSlotUsec':@-172800},"
                                "{'outcome':'missed','count':2,'firstSlotUsec':@-86400,'lastSlotUsec':@0},"
                                "{'outcome':'missed','count':7,'firstSlotUsec':@-864000,'lastSlotUsec':@-345600}]},"
                                "{'name':'well','state':'waiting','nextStartUsec':@100,'missed':9,'latestSlots':["
                                "{'outcome':'ran','count':9,'firstSlotUsec':@-172800,'lastSlotUsec':@-86400}]},"
                                "{'name':'new','state':'waiting','nextStartUsec':@200,'missed':3,'latestSlots':[],"
                                "'lastResult':'interrupted','failuresInRow':13}]";
static const char list_kept[] = "! 1 error in the job files, their last good jobs run on: chimectl check\n"
                                "  JOB     NEXT          IN      LAST  TOOK  RESULT                    MISSED\n"
                                "x new     Sat 11:45:00  3min    -     -     interrupted (failed 13x)       -\n"
                                "! backup  Mon 02:30:00  1d 14h  -     -     -                         3 of 5\n"
                                "  well    Sat 11:43:20  1min    -     -     -                              -\n"
                                "3 jobs: 1 failing. MISSED: 3 slots (chimectl why backup)\n";

static const char show_kept[] =
        "{'name':'a','state':'waiting','schedule':'every 1d','latestSlots':["
        "{'outcome':'ran','count':1,'firstSlotUsec':@0,'lastSlotUsec':@0,'lagUsec':3000000},"
        "{'outcome':'merged','count':1,'firstSlotUsec':@-86400,'lastSlotUsec':@-86400},"
        "{'outcome':'missed','count':1,'firstSlotUsec':@-172800,'lastSlotUsec':@-172800},"
        "{'outcome':'ran','count':9,'firstSlotUsec':@-950400,'lastSlotUsec':@-259200,'lagUsec':900000}],"
        "'recent':[{'outcome':'interrupted','count':1,'firstSlotUsec':@-172800,'lastSlotUsec':@-172800,'reason':''}]}";
static const char show_kept_80[] = "a\n"
                                   "  State      waiting\n"
                                   "  Schedule   every 1d\n"
                                   "  Counts     0 runs: 0 good, 0 failed\n"
                                   "  Recent     Tue + Wed + Thu ! Fri ~ Sat +late (+ ran, ~ merged, ! missed)\n"
                                   "  Not run    1 interrupted, Thu 11:41:40\n";

static const char history_rows[] =
        "[{'runId':810,'job':'backup','cause':'trigger','startUsec':@-90000,'endUsec':@-89999,'result':'success'},"
        "{'job':'backup','outcome':'missed','count':3,'firstSlotUsec':@-260000,'lastSlotUsec':@-87300,'reason':'down','runId':"
        "null},"
        "{'job':'backup','outcome':'merged','count':1,'firstSlotUsec':@-86400,'lastSlotUsec':@-86400,'reason':'down','runId':"
        "812},"
        "{'runId':811,'job':'a-name-that-is-longer-than-others','cause':'schedule','slotUsec':@-86300,'startUsec':null,"
        "'endUsec':@-86300,'result':'start-failed','error':'working-directory: No such file or directory','lagUsec':20},"
        "{'runId':812,'job':'backup','cause':'catch-up','slotUsec':@-119500,'startUsec':@-16140,'endUsec':@-13677,"
        "'result':'failed','exitCode':3,'lagUsec':103360000000},"
        "{'runId':813,'job':'tidy\\u001b','cause':'schedule','slotUsec':@-300,'startUsec':@-120,'result':null,'lagUsec':"
        "180000000},"
        "{'job':'tidy','outcome':'interrupted','count':2,'firstSlotUsec':@-60,'lastSlotUsec':@-30,'reason':'','runId':null}]";
static const char history_80[] = "TIME         JOB                  RUN TOOK  RESULT         NOTE\n"
                                 "Fri 10:41:40 backup               810 1s    success        trigger\n"
                                 "Wed 11:28:20 backup                 - -     missed 3x      to Fri 11:26:40: down\n"
                                 "Fri 11:41:40 backup                 - -     merged         into run 812: down\n"
                                 "Fri 11:43:20 a-name-th..an-others 811 -     start-failed   working-di..directory\n"
                                 "Sat 07:12:40 backup               812 41min exit 3         catch-up f..d 4h late\n"
                                 "Sat 11:39:40 tidy.                813 2min  running        for Sat 11..3min late\n"
                                 "Sat 11:40:40 tidy                   - -     interrupted 2x to Sat 11:41:10\n"
                                 "4 runs: 1 good, 2 failed; slots missed: 3, merged: 1, interrupted: 2.\n"
                                 "17 older runs are no longer kept.\n";

static const char audits_bad[] =
        "[{'job':'backup','ran':216,'missed':9,'merged':3,'runs':216,'faults':["
        "{'kind':'gap','count':1,'segment':3,'firstKey':7,'lastKey':7,'firstSlotUsec':@-86400,'lastSlotUsec':@-86400},"
        "{'kind':'no-run','count':2,'segment':3,'firstKey':9,'lastKey':10,'firstSlotUsec':@-7200,'lastSlotUsec':@-3600,'runId':"
        "99},"
        "{'kind':'later','count':1,'segment':3,'firstKey':7,'lastKey':7,'firstSlotUsec':null,'lastSlotUsec':null}],"
        "'faultsLeftOut':5,'trimmed':12,'unchecked':4},"
        "{'job':'tidy','ran':1,'open':1,'interrupted':2,'faults':[]}]";
static const char audits_80[] = "JOB     SLOTS  RAN  MISSED  WITHHELD  MERGED  INTERR  OPEN  FAULTS\n"
                                "backup    228  216       9         -       3       -     -       8\n"
                                "tidy        3    1       -         -       -       2     1    none\n"
                                "  backup: gap: 1 slot, Fri 2026-11-20 11:41:40 CET: no outcome (plan 3, slot 7)\n"
                                "  backup: no-run: 2 slots, Sat 2026-11-21 09:41:40 CET to Sat 2026-11-21\n"
                                "    10:41:40 CET: said to have run, and no run that did it (plan 3, slots 9 to\n"
                                "    10, run 99)\n"
                                "  backup: later: 1 slot, -: later (plan 3, slot 7)\n"
                                "  backup: and 5 more\n"
                                "8 faults in 1 of 2 jobs.\n"
                                "12 older slots are no longer kept.\n"
                                "4 slots were only counted: their plans are no longer kept, or their zones have other data.\n";

static const char why_reply[] =
        "{'job':'backup','state':'waiting','sentences':['2026-11-20T01:30:00Z did not run at its time.',"
        "'The machine was off from 2026-11-18T21:41:07Z to 2026-11-21T06:11:52Z (2d 8h), which is a "
        "long time for it.'],'reason':null,'nextSlotUsec':@139700}";
static const char why_80[] = "Fri 2026-11-20 02:30:00 CET did not run at its time.\n"
                             "  The machine was off from Wed 22:41:07 to Sat 07:11:52 (2d 8h), which is a long\n"
                             "    time for it.\n"
                             "Nothing is wrong now. Next: Mon 02:30:00, in 1d 14h.\n";

static const char next_reply[] = "[{'job':'backup','slotUsec':@139700,'startUsec':@139760},"
                                 "{'job':'tidy','slotUsec':@60,'startUsec':@60,'note':'when the run in flight has ended'}]";
static const char next_80[] = "JOB    NEXT                        IN     DELAY NOTE\n"
                              "backup Mon 2026-11-23 02:30:00 CET 1d 14h 1min\n"
                              "tidy   Sat 2026-11-21 11:42:40 CET 1min   -     when the run in flight has ended\n";

static const char drawn[] =
        "[{'job':'a-name-that-is-as-long-as-a-name-of-a-job-may-be-and-not-longer-x'},"
        "{'job':'backup','runId':1,'slotUsec':@-9000,'startUsec':@-9000,'endUsec':@-6000,'result':'success'},"
        "{'job':'backup','runId':2,'startUsec':@-3600,'endUsec':@-600,'result':'failed','exitCode':3},"
        "{'job':'backup','runId':3,'startUsec':@-500,'result':null},"
        "{'job':'backup','runId':9,'startUsec':@12000,'endUsec':@12400,'result':'success'},"
        "{'job':'db-dump','outcome':'missed','count':3,'firstSlotUsec':@-3600,'lastSlotUsec':@0,'reason':'overlap'},"
        "{'job':'db-dump','outcome':'withheld','count':1,'firstSlotUsec':@3600,'lastSlotUsec':@3600,'reason':'paused'},"
        "{'job':'db-dump','outcome':'merged','count':1,'firstSlotUsec':@5400,'lastSlotUsec':@5400,'runId':9,'reason':'down'},"
        "{'job':'db-dump','outcome':'later','count':1,'firstSlotUsec':@5800,'lastSlotUsec':@5800},"
        "{'job':'poll','runId':4,'startUsec':@60,'endUsec':@61,'result':'success'},"
        "{'job':'poll','runId':5,'startUsec':@70,'endUsec':@71,'result':'success'},"
        "{'job':'poll','runId':6,'startUsec':@-700,'endUsec':@-699,'result':'interrupted'},"
        "{'job':'poll','runId':7},{'runId':8},{}]";

static const char drawn_80[] = "Sat 2026-11-21 09:41:40 CET to Sat 2026-11-21 15:41:40 CET; 5min 42s a column\n"
                               "                                      v now\n"
                               "JOB                 10:00                12:00                14:00\n"
                               "a-name-..onger-x    .                 |  .                    .\n"
                               "backup           ----      x--------+--  .                    .          +-\n"
                               "db-dump             .      !    !     !  .      =    ~        .\n"
                               "poll                .              ?  2  .                    .\n"
                               "Signs: + ran, ~ merged, = withheld, ? interrupted, ! missed, x failed, 2-9 so\n"
                               "       many runs, # more, - a run goes on\n"
                               "4 jobs: 5 runs, 1 failed; slots merged: 1, withheld: 1, interrupted: 1, missed:\n"
                               "  3.\n";

static const char drawn_50[] = "Sat 2026-11-21 09:41:40 CET to Sat 2026-11-21\n"
                               "15:41:40 CET; 9min 13s a column\n"
                               "                        ▼ now\n"
                               "JOB                      12:00               15:00\n"
                               "a-nam…er-x              │·                   ·\n"
                               "backup     ───   x─────+─·                   +─\n"
                               "db-dump          !  !   !·    =  ~           ·\n"
                               "poll                  ? 2·                   ·\n"
                               "Signs: + ran, ~ merged, = withheld, ? interrupted,\n"
                               "       ! missed, x failed, 2-9 so many runs, #\n"
                               "       more, ─ a run goes on\n"
                               "4 jobs: 5 runs, 1 failed; slots merged: 1,\n"
                               "  withheld: 1, interrupted: 1, missed: 3.\n";

static int print_list(const struct view *v, json_t *value, FILE *out) {
        json_t *status = json_pack("{s:i}", "errors", 1);
        int r = screen_list(v, value, status, out);

        json_decref(status);
        return r;
}

static int print_show(const struct view *v, json_t *value, FILE *out) {
        return screen_show(v, value, out);
}

static int print_why(const struct view *v, json_t *value, FILE *out) {
        return screen_why(v, value, out);
}

static int print_history(const struct view *v, json_t *value, FILE *out) {
        return screen_history(v, value, 17, out);
}

static int print_audit(const struct view *v, json_t *value, FILE *out) {
        return screen_audit(v, value, out);
}

/* From two hours before now to four after it. */
static int print_timeline(const struct view *v, json_t *value, FILE *out) {
        struct timeline t = {
                .from_us = NOW - 2 * USEC_PER_HOUR, .to_us = NOW + 4 * USEC_PER_HOUR, .n_cells = screen_timeline_cells(v)};
        size_t i;
        json_t *row;

        json_array_foreach(value, i, row) {
                ck_assert_int_eq(timeline_add_row(&t, row, NOW), 0);
        }
        int r = screen_timeline(v, &t, out);
        timeline_done(&t);
        return r;
}

static int print_timeline_utf8(const struct view *v, json_t *value, FILE *out) {
        struct view utf8 = *v;

        utf8.is_utf8 = true;
        return print_timeline(&utf8, value, out);
}

static int print_next(const struct view *v, json_t *value, FILE *out) {
        return screen_next(v, value, out);
}

static int print_event(const struct view *v, json_t *value, FILE *out) {
        return screen_event(v, value, out);
}

static const struct {
        const char *name;
        int (*print)(const struct view *v, json_t *value, FILE *out);
        const char *reply;
        size_t width;
        const char *screen;
} rows[] = {
        {"list", print_list, jobs, 80, list_80},
        {"list, wide", print_list, jobs, 200, list_200},
        {"no jobs", print_list, "[]", 80,
         "! 1 error in the job files, their last good jobs run on: chimectl check\n"
         "No jobs. Write one, of three lines, into a file NAME.ini in a job folder; see chimed.job(5).\n"},
        {"show", print_show, show_job, 80, show_80},
        {"list, what follows others", print_list,
         "[{'name':'a','state':'waiting','nextReason':'follows other jobs'},{'name':'b','state':'waiting','nextReason':"
         "'waits for the clock to be "
         "synchronised'},{'name':'c','state':'running','lastStartUsec':@-5,'runningRunIds':[1],'pending':3}]",
         80,
         "! 1 error in the job files, their last good jobs run on: chimectl check\n"
         "  JOB  NEXT                IN  LAST          TOOK  RESULT  MISSED\n"
         "> c    running 5s +3       -   Sat 11:41:35  5s    -            -\n"
         "  a    follows other jobs  -   -             -     -            -\n"
         "  b    -                   -   -             -     -            -\n"
         "3 jobs: 1 running.\n"},
        {"show, all policy", print_show, show_policy, 80, show_policy_80},
        {"show, all policy, wide", print_show, show_policy, 200, show_policy_200},
        {"show, policy by default", print_show,
         "{'name':'a','state':'waiting','schedule':'every 1h','policy':{'overlap':'skip','catchUp':'one','retries':0,"
         "'priority':0,'hasConditions':false},'pools':[],'follows':[],'starts':[]}",
         80,
         "a\n"
         "  State      waiting\n"
         "  Schedule   every 1h\n"
         "  Policy     skip if running; catch up the latest; no retries\n"
         "  Counts     0 runs: 0 good, 0 failed\n"},
        {"show, policy of a job on demand, conditions unseen", print_show,
         "{'name':'a','state':'manual','schedule':'on demand','policy':{'overlap':'parallel','maxParallel':4,'catchUp':null,"
         "'retries':1,'retryDelayUsec':0,'retryBackoffPpm':1000000,'startDeadlineUsec':-1,'hasConditions':true},"
         "'conditions':null}",
         80,
         "a\n"
         "  State      manual\n"
         "  Schedule   on demand\n"
         "  Policy     up to 4 runs in parallel; starts however late; up to 1 retry, at\n"
         "             once\n"
         "  Conditions hidden: only who may control the job sees them\n"
         "  Counts     0 runs: 0 good, 0 failed\n"},
        {"show, paused while it runs", print_show,
         "{'name':'a','state':'running','schedule':'on demand','runningRunIds':[7],'runs':1,'successes':1,"
         "'hold':{'by':'ops','atUsec':@-90,'untilUsec':@600,'reason':'disk\\nfull'},"
         "'lastRun':{'runId':7,'cause':'trigger','startUsec':@-4}}",
         80,
         "a\n"
         "  State      running, run 7\n"
         "  Hold       held by ops at Sat 11:40:10, until Sat 11:51:40: disk.full\n"
         "  Schedule   on demand\n"
         "  Last run   7  Sat 11:41:36  4s  running  (trigger)\n"
         "  Counts     1 run: 1 good, 0 failed\n"},
        {"show, runs beside each other", print_show,
         "{'name':'a','state':'running','schedule':'on demand','runningRunIds':[7,9,10],'runs':1,'successes':1}", 80,
         "a\n"
         "  State      running, 3 runs\n"
         "  Schedule   on demand\n"
         "  Counts     1 run: 1 good, 0 failed\n"},
        {"list, due and kept", print_list, "[{'name':'a','state':'pending','runningRunIds':[],'nextSlotUsec':@600}]", 80,
         "! 1 error in the job files, their last good jobs run on: chimectl check\n"
         "  JOB  NEXT     IN   LAST  TOOK  RESULT  MISSED\n"
         "  a    pending  now  -     -     -            -\n"
         "1 job.\n"},
        {"show, cancelled", print_show,
         "{'name':'a','state':'cancelled','schedule':'every 1h','nextReason':'cancelled','hold':{'by':'ops','atUsec':@-90}}",
         80,
         "a\n"
         "  State      cancelled by ops at Sat 11:40:10\n"
         "  Schedule   every 1h\n"
         "  Counts     0 runs: 0 good, 0 failed\n"},
        {"show, disabled", print_show,
         "{'name':'a','state':'disabled','schedule':'every 1h','nextReason':'disabled: its definition says Enabled=no'}", 80,
         "a\n"
         "  State      disabled: its definition says Enabled=no\n"
         "  Schedule   every 1h\n"
         "  Counts     0 runs: 0 good, 0 failed\n"},
        {"show, nothing known", print_show, "{}", 80,
         "?\n  State      ?\n  Schedule   ?\n  Counts     0 runs: 0 good, 0 failed\n"},
        {"list, with a ledger", print_list, jobs_kept, 80, list_kept},
        {"show, with a ledger", print_show, show_kept, 80, show_kept_80},
        {"history", print_history, history_rows, 80, history_80},
        {"history of nothing", print_history, "[]", 80, "Nothing of this is in the ledger.\n"},
        {"history without runs", print_history,
         "[{'job':'a','outcome':'missed','count':1,'firstSlotUsec':@0,'lastSlotUsec':@0,'reason':'overlap'}]", 80,
         "TIME          JOB  RUN  TOOK  RESULT  NOTE\n"
         "Sat 11:41:40  a      -  -     missed  overlap\n"
         "Slots missed: 1.\n17 older runs are no longer kept.\n"},
        {"audit", print_audit, audits_bad, 80, audits_80},
        {"audit, clean", print_audit, "[{'job':'a','ran':4,'missed':1,'faults':[]}]", 80,
         "JOB  SLOTS  RAN  MISSED  WITHHELD  MERGED  INTERR  OPEN  FAULTS\n"
         "a        5    4       1         -       -       -     -    none\n"
         "1 job, 5 slots: each has one outcome.\n"},
        {"audit of nothing", print_audit, "[]", 80, "0 jobs, 0 slots: each has one outcome.\n"},
        {"why", print_why, why_reply, 80, why_80},
        {"why, held by a number", print_why,
         "{'sentences':['It was paused by uid 0, by uid 4294967294 and by uid x.'],'reason':'paused'}", 80,
         "It was paused by root, by uid 4294967294 and by uid x.\n"},
        {"next", print_next, next_reply, 80, next_80},
        {"timeline", print_timeline, drawn, 80, drawn_80},
        {"timeline of nothing", print_timeline, "[{'job':'a'}]", 80,
         "Sat 2026-11-21 09:41:40 CET to Sat 2026-11-21 15:41:40 CET; 5min 42s a column\n"
         "                                      v now\n"
         "JOB                 10:00                12:00                14:00\n"
         "a                   .                 |  .                    .\n"
         "1 job: 0 runs, 0 failed.\n"},
        {"timeline, narrow, in UTF-8", print_timeline_utf8, drawn, 50, drawn_50},
        {"state", print_event, "{'kind':'state','atUsec':@0,'job':'a','state':'waiting','nextSlotUsec':@60}", 80,
         "Sat 11:41:40  a             waiting; next Sat 11:42:40, in 1min\n"},
        {"armed", print_event, "{'kind':'armed','atUsec':@0,'job':'a','state':'paused','by':'ops'}", 80,
         "Sat 11:41:40  a             paused, by ops\n"},
        {"started", print_event,
         "{'kind':'started','atUsec':@0,'job':'a','runId':9,'cause':'catch-up','slotUsec':@-60,'lagUsec':60000000}", 80,
         "Sat 11:41:40  a             run 9 started (catch-up for Sat 11:40:40, 1min late)\n"},
        {"output", print_event, "{'kind':'output','atUsec':@0,'job':'a','runId':9,'stream':2,'text':'x\\u001by\\nz\\n'}", 80,
         "Sat 11:41:40  a             run 9 ! x.y | z\n"},
        {"ended", print_event,
         "{'kind':'ended','atUsec':@0,'job':'a','runId':9,'result':'signal','signal':'SIGSEGV','startUsec':@-4,'endUsec':@0}",
         80, "Sat 11:41:40  a             run 9 was ended by SIGSEGV after 4s\n"},
        {"missed", print_event,
         "{'kind':'missed','atUsec':@0,'job':'a','count':3,'firstSlotUsec':@-180,'lastSlotUsec':@-60,'reason':'overlap'}", 80,
         "Sat 11:41:40  a             3 slots missed: Sat 11:38:40 to Sat 11:40:40 (overlap)\n"},
        {"merged", print_event,
         "{'kind':'merged','atUsec':@0,'job':'a','count':1,'firstSlotUsec':@-60,'lastSlotUsec':@-60,'runId':9}", 80,
         "Sat 11:41:40  a             1 slot merged into run 9: Sat 11:40:40\n"},
        {"dropped", print_event, "{'kind':'dropped','atUsec':@0,'count':12}", 80,
         "Sat 11:41:40  -             12 events dropped: this reader is too slow\n"},
        {"clock", print_event, "{'kind':'clock','atUsec':@0,'stepUsec':-3600000000}", 80,
         "Sat 11:41:40  -             the clock was set back by 1h\n"},
        {"sleep", print_event, "{'kind':'clock','atUsec':@0,'stepUsec':12,'sleptUsec':1200000000}", 80,
         "Sat 11:41:40  -             the machine was suspended for 20min\n"},
        {"unknown", print_event, "{'kind':'new\\u001b','atUsec':@0}", 80, "Sat 11:41:40  -             new.\n"},
};

static char *print(int i, bool has_color) {
        struct view v = {.now_us = NOW, .width = rows[i].width, .has_legend = true, .has_color = has_color};
        json_t *value = reply(rows[i].reply);
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        ck_assert_int_eq(rows[i].print(&v, value, out), 0);
        fclose(out);
        json_decref(value);
        return text;
}

START_TEST(screen_is_as_it_should_be) {
        char *text = print(_i, false);

        ck_assert_msg(strcmp(text, rows[_i].screen) == 0, "%s:\n%s--- wanted:\n%s", rows[_i].name, text, rows[_i].screen);
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                ck_assert_msg(n == 0 || line[n - 1] != ' ', "%s: blanks at the end of a line", rows[_i].name);
                line += n + 1;
        }
        free(text);
}
END_TEST

/* The same text, and nothing but colours between. */
START_TEST(colours_add_nothing_else) {
        char *text = print(_i, true), *to = text;

        for (const char *s = text; *s; s++)
                if (*s == '\033') {
                        ck_assert_int_eq(s[1], '[');
                        s += strcspn(s, "m");
                } else
                        *to++ = *s;
        *to = '\0';
        ck_assert_str_eq(text, rows[_i].screen);
        free(text);
}
END_TEST

static const struct {
        const char *run;
        int status;
        const char *words;
} runs[] = {
        {"{'result':'success','exitCode':0,'startUsec':1,'endUsec':2463000001}", 0, "succeeded after 41min 3s"},
        {"{'result':'failed','exitCode':3,'startUsec':@0,'endUsec':@4}", 3, "failed with exit status 3 after 4s"},
        {"{'result':'failed','exitCode':255}", 255, "failed with exit status 255"},
        {"{'result':'signal','signal':'SIGKILL'}", 137, "was ended by SIGKILL"},
        {"{'result':'signal','signal':'SIGWHAT'}", 1, "was ended by SIGWHAT"},
        {"{'result':'timeout','signal':'SIGTERM','startUsec':@0,'endUsec':@60}", 124, "was ended by its time limit after 1min"},
        {"{'result':'finished'}", 0, "finished: what StopWhenPathExists= names is there"},
        {"{'result':'finished','startUsec':10,'endUsec':3000010}", 0, "finished after 3s"},
        {"{'result':'finished','exitCode':9,'startUsec':10,'endUsec':3000010}", 0, "finished (exit status 9) after 3s"},
        {"{'result':'skipped','exitCode':75,'startUsec':@0,'endUsec':@4}", 0, "had nothing to do (exit status 75) after 4s"},
        {"{'result':'success','signal':'SIGUSR1','startUsec':@0,'endUsec':@4}", 0, "succeeded (SIGUSR1) after 4s"},
        {"{'result':'start-failed','error':'exec: No such file or directory'}", 125,
         "could not be started: exec: No such file or directory"},
        {"{'result':'cancelled','signal':'SIGTERM','startUsec':@0,'endUsec':@4}", 143, "was cancelled after 4s"},
        {"{'result':'cancelled'}", 125, "was cancelled"},
        {"{'result':'cancelled','exitCode':0,'startUsec':@0,'endUsec':@4}", 1, "was cancelled after 4s"},
        {"{'result':'interrupted','startUsec':@0,'endUsec':@4}", 1, "was interrupted; how it ended is not known"},
        {"{'result':null}", 1, "is in flight"},
        {"{'result':'later'}", 1, "is in flight"},
};

START_TEST(exit_status_is_the_run_s) {
        json_t *run = reply(runs[_i].run);
        char words[RUNS_WORDS];

        ck_assert_msg(runs_exit_status(run) == runs[_i].status, "%s: %d", runs[_i].run, runs_exit_status(run));
        ck_assert_str_eq(runs_words(run, words), runs[_i].words);
        json_decref(run);
        ck_assert_int_eq(runs_exit_status(NULL), 125);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("screens");
        TCase *tcase = tcase_create("replies");
        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, screen_is_as_it_should_be, 0, COUNT(rows));
        tcase_add_loop_test(tcase, colours_add_nothing_else, 0, COUNT(rows));
        tcase_add_loop_test(tcase, exit_status_is_the_run_s, 0, COUNT(runs));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
