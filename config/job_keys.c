// SPDX-License-Identifier: MIT
// job_keys: the one table of the keys of [job NAME] and [defaults].
// A key that is added here is parsed, printed, completed and asked for in the manual.

#include <string.h>

#include "config/job_draft.h"

static const struct job_key table[KEYS_N] = {
        [KEY_DESCRIPTION] = {"Description", JOB_HALF_WHEN, false, true, "", "", "nightly copy of /srv",
                             "What the job is for, shown in lists.", parse_description, NULL},
        [KEY_COMMAND] = {"Command", JOB_HALF_WHAT, false, false, "", "", "/usr/local/bin/backup --all \"two words\"",
                         "The program and its arguments, without a shell.", parse_command, NULL},
        [KEY_SCRIPT] = {"Script", JOB_HALF_WHAT, false, false, "", "", "date; uptime | tail -n1",
                        "Text for Shell= -c; it may span indented lines.", parse_script, NULL},
        [KEY_SHELL] = {"Shell", JOB_HALF_WHAT, false, true, "/bin/sh", "", "/bin/bash", "The shell that runs Script=.",
                       parse_shell, NULL},
        [KEY_EVERY] = {"Every", JOB_HALF_WHEN, false, false, "", "", "5min", "The interval, from 1ms.", parse_every,
                       print_every},
        [KEY_MODE] = {"Mode", JOB_HALF_WHEN, false, true, "fixed-delay", "fixed-delay fixed-rate", "fixed-rate",
                      "Whether Every= counts from the end of the last run or forms a grid.", parse_mode, print_mode},
        [KEY_ALIGN] = {"Align", JOB_HALF_WHEN, false, false, "start", "start hour day epoch", "2026-01-05 09:00",
                       "Where the grid of Mode=fixed-rate lies: from the first run, or on the clock of TimeZone=.", parse_align,
                       print_align},
        [KEY_INITIAL_DELAY] = {"InitialDelay", JOB_HALF_WHEN, false, false, "0", "", "30s",
                               "The wait of Every= before the first run.", parse_initial_delay, print_initial_delay},
        [KEY_JITTER] = {"Jitter", JOB_HALF_WHEN, false, true, "0%", "", "10%",
                        "How much each wait of Mode=fixed-delay varies, both ways.", parse_jitter, print_jitter},
        [KEY_ON_CALENDAR] = {"OnCalendar", JOB_HALF_WHEN, true, false, "",
                             "minutely hourly daily weekly monthly quarterly semiannually yearly", "Mon..Fri 02:30",
                             "A calendar event as in systemd.time(7).", parse_on_calendar, NULL},
        [KEY_CRON_DAYS] = {"CronDays", JOB_HALF_WHEN, false, true, "or", "or and", "and",
                           "Whether one of the two day fields of Cron= suffices, or both must match.", parse_cron_days, NULL},
        [KEY_CRON] = {"Cron", JOB_HALF_WHEN, true, false, "", "@hourly @daily @weekly @monthly @yearly", "30 2 * * 1-5",
                      "The time fields of crontab(5), with seconds before them if there are six.", parse_cron, NULL},
        [KEY_TIME_ZONE] = {"TimeZone", JOB_HALF_WHEN, false, true, "the machine's", "UTC", "Europe/Berlin",
                           "The time zone of OnCalendar=, Cron=, Align=, Only= and Except=.", parse_time_zone, NULL},
        [KEY_GAP] = {"Gap", JOB_HALF_WHEN, false, true, "run-after", "run-after skip", "skip",
                     "What becomes of a fixed time that daylight saving time leaves out.", parse_gap, NULL},
        [KEY_FOLD] = {"Fold", JOB_HALF_WHEN, false, true, "first", "first second both", "both",
                      "What becomes of a fixed time that daylight saving time repeats.", parse_fold, NULL},
        [KEY_ONLY] = {"Only", JOB_HALF_WHEN, true, true, "", "", "workdays", "Calendars: slots run on their days alone.",
                      parse_only, NULL},
        [KEY_EXCEPT] = {"Except", JOB_HALF_WHEN, true, true, "", "", "holidays", "Calendars: no slot runs on their days.",
                        parse_except, NULL},
        [KEY_RANDOMIZED_DELAY] =
                {"RandomizedDelay", JOB_HALF_WHEN, false, true, "0", "", "10%",
                 "How much later than its slot a run may start, as a span or percent of the distance to the next slot.",
                 parse_randomized_delay, print_randomized_delay},
        [KEY_ON_BOOT] = {"OnBoot", JOB_HALF_WHEN, false, false, "no", "yes no", "2min",
                         "A slot once a boot, at once or a span after boot.", parse_on_boot, print_on_boot},
        [KEY_OVERLAP] = {"Overlap", JOB_HALF_WHEN, false, true, "skip", "skip queue", "queue",
                         "What becomes of a slot that comes while a run is in flight.", parse_overlap, print_overlap},
        [KEY_START_DEADLINE] = {"StartDeadline", JOB_HALF_WHEN, false, true, "until the next slot", "infinity", "1min",
                                "How late a run may start; a later one is missed.", parse_start_deadline, print_start_deadline},
        [KEY_CATCH_UP] = {"CatchUp", JOB_HALF_WHEN, false, true, "one, or none for fixed-rate under 1h", "none one all", "all",
                          "Which of the slots run late that passed while nothing could run.", parse_catch_up, print_catch_up},
        [KEY_CATCH_UP_MAX] = {"CatchUpMax", JOB_HALF_WHEN, false, true, "100", "", "10",
                              "How many slots CatchUp=all keeps, the newest; at most 10000.", parse_catch_up_max,
                              print_catch_up_max},
        [KEY_CATCH_UP_SPREAD] = {"CatchUpSpread", JOB_HALF_WHEN, false, true, "0", "", "5min",
                                 "How much later catching up may begin, drawn, so that not all begin at once.",
                                 parse_catch_up_spread, print_catch_up_spread},
        [KEY_RETRY_INTERRUPTED] = {"RetryInterrupted", JOB_HALF_WHEN, false, true, "no", "yes no", "yes",
                                   "Whether a slot whose run was interrupted runs again.", parse_retry_interrupted,
                                   print_retry_interrupted},
        [KEY_DURABILITY] = {"Durability", JOB_HALF_WHEN, false, true, "auto", "auto full normal", "full",
                            "Whether a power cut may leave it open what the latest slots became.", parse_durability,
                            print_durability},
        [KEY_HISTORY] = {"History", JOB_HALF_WHEN, false, true, "100 90d", "", "1000 1w",
                         "How many of the latest runs the ledger keeps, and how old they may be.", parse_history,
                         print_history},
        [KEY_ENABLED] = {"Enabled", JOB_HALF_WHEN, false, true, "yes", "yes no", "no", "Whether the job is scheduled.",
                         parse_enabled, print_enabled},
        [KEY_LOG] = {"Log", JOB_HALF_WHEN, false, true, "all, or changes where Every= is under 1min",
                     "all changes failures summary", "failures", "Which runs are told in the journal.", parse_log, print_log},
        [KEY_TIMEOUT] = {"Timeout", JOB_HALF_WHAT, false, true, "infinity", "infinity", "3h",
                         "The longest time a run may take.", parse_timeout, NULL},
        [KEY_KILL_SIGNAL] = {"KillSignal", JOB_HALF_WHAT, false, true, "TERM", "TERM INT HUP QUIT USR1 USR2 KILL", "INT",
                             "The signal that asks a run to end.", parse_kill_signal, NULL},
        [KEY_KILL_GRACE] = {"KillGrace", JOB_HALF_WHAT, false, true, "10s", "", "30s",
                            "The time between KillSignal= and the KILL that nothing survives.", parse_kill_grace, NULL},
        [KEY_USER] = {"User", JOB_HALF_WHAT, false, true, "", "", "root", "The user that the job runs as.", parse_user, NULL},
        [KEY_GROUP] = {"Group", JOB_HALF_WHAT, false, true, "", "", "root",
                       "The group that the job runs as, if not the user's own.", parse_group, NULL},
        [KEY_WORKING_DIRECTORY] = {"WorkingDirectory", JOB_HALF_WHAT, false, true, "~ with User=, else /", "~", "-/srv",
                                   "Where the job starts: a path or ~ for the home; with - before it may be absent.",
                                   parse_working_directory, NULL},
        [KEY_ENVIRONMENT] = {"Environment", JOB_HALF_WHAT, true, true, "", "", "LEVEL=3 \"NAME=two words\"",
                             "NAME=VALUE words that are added to the environment.", parse_environment, NULL},
        [KEY_ENVIRONMENT_FILE] = {"EnvironmentFile", JOB_HALF_WHAT, true, true, "", "", "-/etc/default/backup",
                                  "A file of NAME=VALUE lines, read at each start; with - before it may be absent.",
                                  parse_environment_file, NULL},
        [KEY_STANDARD_OUTPUT] = {"StandardOutput", JOB_HALF_WHAT, false, true, "journal",
                                 "journal null file: append: truncate:", "append:/var/log/backup.log",
                                 "Where the standard output goes.", parse_standard_output, NULL},
        [KEY_STANDARD_ERROR] = {"StandardError", JOB_HALF_WHAT, false, true,
                                "as StandardOutput=", "journal null file: append: truncate:", "journal",
                                "Where the standard error goes.", parse_standard_error, NULL},
        [KEY_CAPTURE_MAX] = {"CaptureMax", JOB_HALF_WHAT, false, true, "16K", "", "4K",
                             "How many bytes of the end of its output are kept as a run's value, at most 64K.",
                             parse_capture_max, NULL},
        [KEY_ALLOW] = {"Allow", JOB_HALF_WHEN, true, false,
                       "trigger for the job's User=", "trigger: control:", "trigger:%root control:root",
                       "Who may trigger or control the job beside root and the group chimed.", parse_allow, print_allow},
};

const struct job_key *job_keys(size_t *ret_n) {
        *ret_n = KEYS_N;
        return table;
}

const struct job_key *job_key_find(const char *name) {
        for (size_t i = 0; i < KEYS_N; i++)
                if (strcmp(table[i].name, name) == 0)
                        return &table[i];
        return NULL;
}
