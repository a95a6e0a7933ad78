// SPDX-License-Identifier: MIT
// job_draft: a job while its settings are read; shared by the job_*.c files and config_calendars.c only.
// A value parser returns 0, 1 where the value is wrong (told at its place), or -ENOMEM.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/job.h"
#include "config/timestamp.h"

#define PPM_PER_ONE     1000000
#define PPM_PER_PERCENT (PPM_PER_ONE / 100)

enum job_key_index {
        KEY_DESCRIPTION,
        KEY_COMMAND,
        KEY_SCRIPT,
        KEY_SHELL,
        KEY_UNIT,
        KEY_PLUGIN,
        KEY_OPTION,
        KEY_COPROCESS,
        KEY_PLUGIN_HOST,
        KEY_EVERY,
        KEY_MODE,
        KEY_ALIGN,
        KEY_INITIAL_DELAY,
        KEY_JITTER,
        KEY_ON_CALENDAR,
        KEY_CRON_DAYS, /* before the lines that it is about */
        KEY_CRON,
        KEY_TIME_ZONE,
        KEY_GAP,
        KEY_FOLD,
        KEY_ONLY,
        KEY_EXCEPT,
        KEY_RANDOMIZED_DELAY,
        KEY_FIXED_RANDOM_DELAY,
        KEY_ON_BOOT,
        KEY_ON_WAKE,
        KEY_ON_SUCCESS_OF,
        KEY_ON_FAILURE_OF,
        KEY_ON_END_OF,
        KEY_ON_SUCCESS,
        KEY_ON_FAILURE,
        KEY_ON_END,
        KEY_ON_RECOVERY,
        KEY_ON_MISSED,
        KEY_ON_FINISHED,
        KEY_MEMBER_OF,
        KEY_NOT_BEFORE,
        KEY_UNTIL,
        KEY_MAX_RUNS,
        KEY_OVERLAP,
        KEY_QUEUE_MAX,
        KEY_MAX_PARALLEL,
        KEY_START_DEADLINE,
        KEY_CATCH_UP,
        KEY_CATCH_UP_MAX,
        KEY_CATCH_UP_SPREAD,
        KEY_RETRY_INTERRUPTED,
        KEY_RETRIES,
        KEY_RETRY_DELAY,
        KEY_RETRY_BACKOFF,
        KEY_RETRY_MAX_DELAY,
        KEY_STOP_AFTER_FAILURES,
        KEY_EXPECT_WITHIN,
        KEY_PRIORITY,
        KEY_DURABILITY,
        KEY_HISTORY,
        KEY_ENABLED,
        KEY_LOG,
        KEY_STOP_PATH,
        KEY_CONDITION_PATH_EXISTS,
        KEY_CONDITION_AC_POWER,
        KEY_CONDITION_LOAD_BELOW,
        KEY_CONDITION_UNIT_ACTIVE,
        KEY_EXEC_CONDITION,
        KEY_CONDITION_WAIT,
        KEY_TIMEOUT,
        KEY_KILL_SIGNAL,
        KEY_KILL_GRACE,
        KEY_SUCCESS_EXIT_STATUS,
        KEY_SKIP_EXIT_STATUS,
        KEY_FINISH_EXIT_STATUS,
        KEY_USER,
        KEY_GROUP,
        KEY_SUPPLEMENTARY_GROUPS,
        KEY_WORKING_DIRECTORY,
        KEY_ROOT_DIRECTORY,
        KEY_PASS_ENVIRONMENT,
        KEY_ENVIRONMENT,
        KEY_ENVIRONMENT_FILE,
        KEY_ACCEPT_PARAMETERS,
        KEY_UMASK,
        KEY_NICE,
        KEY_CPU_SCHEDULING_POLICY,
        KEY_CPU_SCHEDULING_PRIORITY,
        KEY_IO_SCHEDULING_CLASS,
        KEY_IO_SCHEDULING_PRIORITY,
        KEY_OOM_SCORE_ADJUST,
        KEY_LIMIT_CPU,
        KEY_LIMIT_FSIZE,
        KEY_LIMIT_DATA,
        KEY_LIMIT_STACK,
        KEY_LIMIT_CORE,
        KEY_LIMIT_RSS,
        KEY_LIMIT_NOFILE,
        KEY_LIMIT_AS,
        KEY_LIMIT_NPROC,
        KEY_LIMIT_MEMLOCK,
        KEY_LIMIT_LOCKS,
        KEY_LIMIT_SIGPENDING,
        KEY_LIMIT_MSGQUEUE,
        KEY_LIMIT_NICE,
        KEY_LIMIT_RTPRIO,
        KEY_LIMIT_RTTIME,
        KEY_MEMORY_MAX,
        KEY_CPU_QUOTA,
        KEY_TASKS_MAX,
        KEY_NO_NEW_PRIVILEGES,
        KEY_STANDARD_OUTPUT,
        KEY_STANDARD_ERROR,
        KEY_CAPTURE_MAX,
        KEY_MAIL_TO,
        KEY_MAIL_ON,
        KEY_ALLOW,
        KEYS_N,
};

/* Align= as it was written. */
enum draft_align {
        DRAFT_ALIGN_START,
        DRAFT_ALIGN_HOUR,
        DRAFT_ALIGN_DAY,
        DRAFT_ALIGN_EPOCH,
        DRAFT_ALIGN_TIME,
};

struct job_draft {
        struct job *job;
        struct diags *diags;     /* NULL: errors are not told */
        struct agendas *agendas; /* NULL: zones are not looked up, and none is compiled */
        struct agenda_draft agenda;
        enum draft_align align;
        struct timestamp align_time;           /* of DRAFT_ALIGN_TIME */
        struct days_draft days;                /* of a when-text */
        struct timestamp not_before, until;    /* as they were written */
        bool is_zone_missing;                  /* nothing else is wrong */
        bool is_canonical;                     /* read back from a when-text: no names */
        const struct job_setting *set[KEYS_N]; /* the setting in force; NULL: the built-in default */
        char **command;                        /* Command=, Coprocess=, Unit=, Plugin= as argument list */
        char *script, *shell;
        size_t n_passed, n_environment, n_environment_files, n_accepted; /* counted, for lists may be long */
        uint8_t io_class, io_level; /* IOSchedulingClass=, IOSchedulingPriority= as they were written */
};

/* Tells an error at offset bytes into the setting's value; returns 1. */
int draft_error(struct job_draft *d, const struct job_setting *s, size_t offset, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void draft_warn(struct job_draft *d, const struct job_setting *s, size_t offset, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Where that is in the file; 0: not known. */
unsigned draft_column(const struct job_setting *s, size_t offset);

/* One word of a value under systemd's quoting rules. */
struct job_word {
        char *text;
        size_t offset;  /* in the value */
        bool is_quoted; /* some part of it was quoted or escaped */
};

/* Splits a value at blanks; quotes and escapes as in systemd.syntax(7). words_free() takes the list. */
int draft_split(struct job_draft *d, const struct job_setting *s, struct job_word **ret, size_t *ret_n);
struct job_word *words_free(struct job_word *words, size_t n);
/* Calls fn for each of a value's words, in their order, which may take its text and leave NULL; up to the first result that is not 0, which
 * is this one's too. */
int draft_each_word(struct job_draft *d, const struct job_setting *s,
                    int (*fn)(struct job_draft *d, const struct job_setting *s, struct job_word *word));

/* NULL-terminated lists. */
char **strv_free(char **list);
/* An argument list of one word in the place of another one, which is freed. The word is taken also on failure (and may be NULL: then it fails). 0 or -ENOMEM. */
int strv_of(char *word, char ***ret);
size_t strv_count(char *const *list);
/* Appends item, which is taken also on failure (and may be NULL: then it fails). 0 or -ENOMEM. */
int strv_take(char ***list, size_t n, char *item);

/* The values that several keys share. Outputs are untouched on error. */
int draft_span(struct job_draft *d, const struct job_setting *s, bool is_infinity_allowed, int64_t *ret_us);
int draft_boolean(struct job_draft *d, const struct job_setting *s, bool *ret);
/* "12.5%" as parts per million, 0..1000000. */
int draft_percent(struct job_draft *d, const struct job_setting *s, uint32_t *ret_ppm);
/* One of names (NULL-terminated) as its index. */
int draft_choice(struct job_draft *d, const struct job_setting *s, const char *const *names, uint8_t *ret);
/* A factor such as 1.5 as parts per million, from 1 to max (under 1000). */
int draft_factor(struct job_draft *d, const struct job_setting *s, uint32_t max, uint32_t *ret_ppm);
/* A whole number from min to max, the text at an offset of the value. */
int draft_integer(struct job_draft *d, const struct job_setting *s, const char *text, size_t offset, int32_t min, int32_t max,
                  int32_t *ret);
/* The same where the number is all of the value, and not negative. */
int draft_count(struct job_draft *d, const struct job_setting *s, uint32_t min, uint32_t max, uint32_t *ret);
bool draft_is_number(const char *text);
/* A command as Command= has it, given to the caller. */
int draft_command(struct job_draft *d, const struct job_setting *s, char ***ret_argv);
/* 0 for what can be the name or number of a user or group, at an offset of the value. */
int draft_check_account(struct job_draft *d, const struct job_setting *s, const char *name, size_t offset);
/* 0 for an absolute path in the value that is not too long. */
int draft_check_path(struct job_draft *d, const struct job_setting *s, const char *path);
int draft_copy(const char *text, char **ret);
/* Tells of a key that is set and means nothing with what the job runs; a default is passed over. From then on it is not set. 0 or 1. */
int draft_refuse_for_work(struct job_draft *d, enum job_key_index key);
/* What the values of other keys mean with a hosted job. 0, 1 (told). */
int draft_check_hosted(struct job_draft *d);
/* What the job runs. Where other settings are wrong already (not is_good), what is missing may be among them and is not told. 0, 1 (told),
 * -ENOMEM. */
int draft_finish_work(struct job_draft *d, const char *file, unsigned line, bool is_good);
/* Adds a name that stands at offset; *ret is it, to be filled in. 0 or -ENOMEM. */
int draft_mention(const struct job_setting *s, size_t offset, const char *name, struct job_mentions *mentions,
                  struct job_mention **ret);
/* Adds the names of a value that is a list of them, of one kind, each once. `of_what` is what they name, and what to do where there are more than
 * max in all. 0, 1 (told), -ENOMEM. */
int draft_names(struct job_draft *d, const struct job_setting *s, uint8_t kind, struct job_mentions *mentions, size_t max,
                const char *of_what, const char *if_more);
/* Whether a name is to be told of: false where that of the same default was already, which is noted in `told` (its texts are taken). 1, 0,
 * -ENOMEM. */
int mention_tell_once(struct job_mention *mention, struct job_mentions *told);
void mentions_done(struct job_mentions *mentions);

int parse_description(struct job_draft *d, const struct job_setting *s);
int parse_command(struct job_draft *d, const struct job_setting *s);
int parse_script(struct job_draft *d, const struct job_setting *s);
int parse_shell(struct job_draft *d, const struct job_setting *s);
int parse_unit(struct job_draft *d, const struct job_setting *s);
int parse_plugin(struct job_draft *d, const struct job_setting *s);
int parse_option(struct job_draft *d, const struct job_setting *s);
int parse_plugin_host(struct job_draft *d, const struct job_setting *s);
int parse_every(struct job_draft *d, const struct job_setting *s);
int parse_mode(struct job_draft *d, const struct job_setting *s);
int parse_align(struct job_draft *d, const struct job_setting *s);
int parse_initial_delay(struct job_draft *d, const struct job_setting *s);
int parse_jitter(struct job_draft *d, const struct job_setting *s);
int parse_on_calendar(struct job_draft *d, const struct job_setting *s);
int parse_cron_days(struct job_draft *d, const struct job_setting *s);
int parse_cron(struct job_draft *d, const struct job_setting *s);
int parse_time_zone(struct job_draft *d, const struct job_setting *s);
int parse_gap(struct job_draft *d, const struct job_setting *s);
int parse_fold(struct job_draft *d, const struct job_setting *s);
int parse_only(struct job_draft *d, const struct job_setting *s);
int parse_except(struct job_draft *d, const struct job_setting *s);
int parse_randomized_delay(struct job_draft *d, const struct job_setting *s);
int parse_fixed_random_delay(struct job_draft *d, const struct job_setting *s);
int parse_on_boot(struct job_draft *d, const struct job_setting *s);
int parse_tie(struct job_draft *d, const struct job_setting *s);
int parse_on_wake(struct job_draft *d, const struct job_setting *s);
int parse_not_before(struct job_draft *d, const struct job_setting *s);
int parse_until(struct job_draft *d, const struct job_setting *s);
int parse_max_runs(struct job_draft *d, const struct job_setting *s);
int parse_overlap(struct job_draft *d, const struct job_setting *s);
int parse_queue_max(struct job_draft *d, const struct job_setting *s);
int parse_max_parallel(struct job_draft *d, const struct job_setting *s);
int parse_start_deadline(struct job_draft *d, const struct job_setting *s);
int parse_catch_up(struct job_draft *d, const struct job_setting *s);
int parse_catch_up_max(struct job_draft *d, const struct job_setting *s);
int parse_catch_up_spread(struct job_draft *d, const struct job_setting *s);
int parse_retry_interrupted(struct job_draft *d, const struct job_setting *s);
int parse_retries(struct job_draft *d, const struct job_setting *s);
int parse_retry_delay(struct job_draft *d, const struct job_setting *s);
int parse_retry_backoff(struct job_draft *d, const struct job_setting *s);
int parse_retry_max_delay(struct job_draft *d, const struct job_setting *s);
int parse_stop_after_failures(struct job_draft *d, const struct job_setting *s);
int parse_expect_within(struct job_draft *d, const struct job_setting *s);
int parse_priority(struct job_draft *d, const struct job_setting *s);
int parse_durability(struct job_draft *d, const struct job_setting *s);
int parse_history(struct job_draft *d, const struct job_setting *s);
int parse_enabled(struct job_draft *d, const struct job_setting *s);
int parse_log(struct job_draft *d, const struct job_setting *s);
int parse_stop_path(struct job_draft *d, const struct job_setting *s);
int parse_condition_path_exists(struct job_draft *d, const struct job_setting *s);
int parse_condition_ac_power(struct job_draft *d, const struct job_setting *s);
int parse_condition_load_below(struct job_draft *d, const struct job_setting *s);
int parse_condition_unit_active(struct job_draft *d, const struct job_setting *s);
int parse_exec_condition(struct job_draft *d, const struct job_setting *s);
int parse_condition_wait(struct job_draft *d, const struct job_setting *s);
int parse_timeout(struct job_draft *d, const struct job_setting *s);
int parse_kill_signal(struct job_draft *d, const struct job_setting *s);
int parse_kill_grace(struct job_draft *d, const struct job_setting *s);
int parse_success_exit_status(struct job_draft *d, const struct job_setting *s);
int parse_skip_exit_status(struct job_draft *d, const struct job_setting *s);
int parse_finish_exit_status(struct job_draft *d, const struct job_setting *s);
int parse_user(struct job_draft *d, const struct job_setting *s);
int parse_group(struct job_draft *d, const struct job_setting *s);
int parse_working_directory(struct job_draft *d, const struct job_setting *s);
int parse_supplementary_groups(struct job_draft *d, const struct job_setting *s);
int parse_root_directory(struct job_draft *d, const struct job_setting *s);
int parse_umask(struct job_draft *d, const struct job_setting *s);
int parse_nice(struct job_draft *d, const struct job_setting *s);
int parse_cpu_scheduling_policy(struct job_draft *d, const struct job_setting *s);
int parse_cpu_scheduling_priority(struct job_draft *d, const struct job_setting *s);
int parse_io_scheduling_class(struct job_draft *d, const struct job_setting *s);
int parse_io_scheduling_priority(struct job_draft *d, const struct job_setting *s);
int parse_oom_score_adjust(struct job_draft *d, const struct job_setting *s);
int parse_memory_max(struct job_draft *d, const struct job_setting *s);
int parse_cpu_quota(struct job_draft *d, const struct job_setting *s);
int parse_tasks_max(struct job_draft *d, const struct job_setting *s);
int parse_limit(struct job_draft *d, const struct job_setting *s);
int parse_no_new_privileges(struct job_draft *d, const struct job_setting *s);
int parse_pass_environment(struct job_draft *d, const struct job_setting *s);
int parse_environment(struct job_draft *d, const struct job_setting *s);
int parse_environment_file(struct job_draft *d, const struct job_setting *s);
int parse_accept_parameters(struct job_draft *d, const struct job_setting *s);
int parse_standard_output(struct job_draft *d, const struct job_setting *s);
int parse_standard_error(struct job_draft *d, const struct job_setting *s);
int parse_capture_max(struct job_draft *d, const struct job_setting *s);
int parse_mail_to(struct job_draft *d, const struct job_setting *s);
int parse_mail_on(struct job_draft *d, const struct job_setting *s);
int parse_allow(struct job_draft *d, const struct job_setting *s);

bool print_every(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_mode(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_align(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_initial_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_jitter(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_randomized_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_fixed_random_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_on_boot(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_on_wake(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_not_before(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_until(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_max_runs(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_overlap(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_queue_max(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_max_parallel(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_start_deadline(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_catch_up(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_catch_up_max(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_catch_up_spread(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_retry_interrupted(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_retries(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_retry_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_retry_backoff(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_retry_max_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_stop_after_failures(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_expect_within(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_priority(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_durability(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_history(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_enabled(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_log(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_condition_wait(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
bool print_allow(const struct job_when *when, char buf[static JOB_VALUE_MAX]);

/* A span, or a number, but for the one that is the default; and a text. True where something was printed. */
bool print_span(int64_t us, int64_t if_not, char buf[static JOB_VALUE_MAX]);
bool print_number(int64_t n, int64_t if_not, char buf[static JOB_VALUE_MAX]);
/* A decimal of units of which `one`, a power of ten, are 1. */
void print_decimal(uint32_t value, uint32_t one, char buf[static JOB_VALUE_MAX]);
bool print_text(const char *text, char buf[static JOB_VALUE_MAX]);

/* A key that asks for one mode; a calendar is as good as fixed-rate for those that are for both. Without Every= it means nothing,
 * which the job may know; a default for the other mode is passed over. Returns 0 where the key stays in force, 1 where it does not, 2 where it is an error. */
int draft_check_mode(struct job_draft *d, enum job_key_index key, enum job_mode mode, const char *advice);
/* True if there is an expression of OnCalendar= or Cron=. */
static inline bool draft_has_calendar(const struct job_draft *d) {
        return d->agenda.n > 0 || (d->job->when.agenda && *agenda_words(d->job->when.agenda));
}
/* Looks a zone up, "": the machine's; NULL and 0 where none can be looked up. 1: there is none (told at offset); or a negative error. */
int draft_find_zone(struct job_draft *d, const struct job_setting *s, size_t offset, const char *name, struct zone **ret);
/* Where the grid lies, by Align= and TimeZone=; the agenda's draft learns whether it is for one. 0, 1 (told), or a negative error. */
int draft_finish_align(struct job_draft *d);
/* Compiles what OnCalendar= and Cron= said, with the keys about them. 0, 1 (told), or a negative error. */
int draft_finish_agenda(struct job_draft *d);
/* Compiles the calendars of a when-text; those of files are looked up later. 0, 1 where the zone is missing, or a negative error. */
int draft_finish_days(struct job_draft *d);
/* Compiles the ties of a when-text; those of files are looked up later. 0, -ENOMEM. */
int draft_finish_ties(struct job_draft *d);
/* Compiles the ties that a job's names come to. 0, -ENOMEM. */
int job_compile_ties(struct job *job, struct agendas *agendas);
/* True if NotBefore= or Until= is a time of TimeZone=. */
bool draft_has_civil_border(const struct job_draft *d);
/* Where NotBefore= and Until= lie. 0, 1 (told), or a negative error. */
int draft_finish_borders(struct job_draft *d);
/* What the keys about catching up mean with the others; false: an error (told). */
bool draft_finish_catch_up(struct job_draft *d);
/* What the keys about overlaps and failures mean with the others, and the defaults that depend on others. */
void draft_finish_policy(struct job_draft *d);
/* Where CatchUp= is not set: what follows from Mode= and Every=. */
void job_when_default_catch_up(struct job_when *when);
/* What the keys about processors and disks mean together. */
void draft_finish_manner(struct job_draft *d);
/* Whether the job has conditions, and so what ConditionWait= means. */
void draft_finish_conditions(struct job_draft *d);
/* What standard error is, once both outputs are known. */
void draft_finish_output(struct job_draft *d);
/* Once all values are in: what the when keys mean together, and the defaults that depend on others. 0, 1 (told), or a negative
 * error. */
int draft_finish_when(struct job_draft *d);
