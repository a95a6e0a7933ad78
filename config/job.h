// SPDX-License-Identifier: MIT
// job: one job's definition in two halves: "when" (policy, for the scheduler) and "what" (execution, for the runner),
// the one table of keys, the definition's hash, and the text and binary forms in which the halves travel.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/agenda.h"
#include "config/amount.h"
#include "config/days.h"
#include "config/diag.h"
#include "config/duration.h"
#include "config/exit_status.h"
#include "config/hash.h"
#include "config/limits.h"
#include "config/pack.h"
#include "config/parameters.h"
#include "config/ties.h"

#define JOB_NAME_MAX             64          /* bytes; letters, digits and "_-.:" , first a letter or digit */
#define JOB_WHEN_TEXT_MAX        14336       /* bytes of a when-text */
#define JOB_WHAT_MAX             (60 * 1024) /* bytes of an encoded what */
#define JOB_VALUE_MAX            192         /* bytes of a printed value of the when half, with the NUL */
#define JOB_CAPTURE_DEFAULT      (16 * 1024)
#define JOB_CAPTURE_MAX          (64 * 1024)
#define JOB_EVERY_MIN            USEC_PER_MSEC
#define JOB_CATCH_UP_MAX_DEFAULT 100
#define JOB_CATCH_UP_MAX         10000 /* slots that CatchUpMax= may keep */
#define JOB_MAX_RUNS_MAX         1000000000
#define JOB_RETRIES_MAX          1000
#define JOB_QUEUE_MAX            1000 /* slots that QueueMax= may let wait */
#define JOB_PARALLEL_MAX         64   /* runs of a job in flight */
#define JOB_MAIL_MAX             20   /* addresses of MailTo= */
#define JOB_MAIL_ADDRESS_MAX     200
#define JOB_PRIORITY_MAX         1000
#define JOB_GROUPS_MAX           16 /* groups that a job is a member of */
#define JOB_RETRY_DELAY_DEFAULT  USEC_PER_SEC
#define JOB_RETRY_MAX_DELAY      USEC_PER_HOUR /* the default of RetryMaxDelay= */
#define JOB_BACKOFF_ONE_PPM      1000000
#define JOB_HISTORY_RUNS_DEFAULT 100
#define JOB_HISTORY_RUNS_MAX     1000000
#define JOB_HISTORY_DEFAULT_US   (90 * USEC_PER_DAY)
#define JOB_CONDITIONS_MAX       32                       /* of a job */
#define JOB_PLUGIN_FOLDER        CHIMED_LIBDIR "/plugins" /* where the files of Plugin= are, if PluginDirectory= says no other */
#define JOB_SEARCH_PATH          "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" /* PATH of jobs that set none */
#define JOB_UNIX_GROUPS_MAX      1024 /* names in SupplementaryGroups= */
#define JOB_NICE_MIN             (-20)
#define JOB_NICE_MAX             19
#define JOB_IO_CLASS_MAX         3
#define JOB_IO_LEVEL_MAX         7
#define JOB_IO_CLASS_SHIFT       13 /* of io_priority: the class is above, the level below */
#define JOB_CPU_PRIORITY_MAX     99
#define JOB_OOM_SCORE_MAX        1000
#define JOB_CPU_QUOTA_MAX        (10000 * AMOUNT_SHARE_ONE)
#define JOB_DEADLINE_NEXT        INT64_C(-1) /* StartDeadline= not set: until the next slot is due */

enum job_mode {
        JOB_MODE_FIXED_DELAY,
        JOB_MODE_FIXED_RATE,
};

enum job_align {
        JOB_ALIGN_START, /* a BOOTTIME grid from the first slot */
        JOB_ALIGN_WALL,  /* a REALTIME grid through align_us */
        JOB_ALIGN_CIVIL, /* a grid of civil times through align_us, on the clock of the agenda's zone */
};

enum job_overlap {
        JOB_OVERLAP_SKIP,
        JOB_OVERLAP_QUEUE,    /* up to queue_max slots wait for the run in flight */
        JOB_OVERLAP_REPLACE,  /* the run in flight is ended, the slot waits for that */
        JOB_OVERLAP_PARALLEL, /* up to max_parallel runs are in flight */
};

/* What becomes of slots that passed while nothing could run. Where CatchUp= is not set it follows from Mode= and Every=. */
enum job_catch_up {
        JOB_CATCH_UP_NONE, /* all missed */
        JOB_CATCH_UP_ONE,  /* the latest runs late, older ones merged into it */
        JOB_CATCH_UP_ALL,  /* all run late, the oldest first; only of a grid */
};

/* How soon a claim must be on the disk. */
enum job_durability {
        JOB_DURABILITY_AUTO, /* full where a slot could run again, else normal */
        JOB_DURABILITY_FULL,
        JOB_DURABILITY_NORMAL,
};

enum job_log {
        JOB_LOG_ALL,
        JOB_LOG_CHANGES,
        JOB_LOG_FAILURES,
        JOB_LOG_SUMMARY,
};

/* Rights beyond root's and the group chimed's, as bits of job_when.allow_kinds. */
#define JOB_ALLOW_MAX 8 /* entries of Allow= */
enum job_allow {
        JOB_ALLOW_TRIGGER = 1 << 0,
        JOB_ALLOW_CONTROL = 1 << 1, /* comes with trigger */
        JOB_ALLOW_GROUP = 1 << 2,   /* the number is a group's */
};

/* The policy of a job. Plain data without uninitialised padding, and its agenda, days and ties are the same pointers for the same content:
 * equal policies are equal bytes, so they can be interned. Made by job_when_init(); a copy borrows the three. */
struct job_when {
        const struct agenda *agenda; /* OnCalendar= and Cron=, and the zone of a civil grid; NULL: none */
        const struct days *days;     /* Only= and Except=; NULL: neither */
        const struct ties *ties;     /* its groups, and the jobs that follow it or that it follows; NULL: none */
        int64_t every_us;            /* JOB_EVERY_MIN..DURATION_MAX; 0: no interval */
        int64_t align_us;            /* a slot of the grid, as `align` says: REALTIME or a civil time; 0 for JOB_ALIGN_START */
        int64_t initial_delay_us;    /* >= 0 */
        int64_t random_delay_us;     /* RandomizedDelay= as a span, >= 0 */
        int64_t on_boot_us;          /* span after boot; -1: no OnBoot= */
        int64_t not_before_us;       /* no slot is earlier (REALTIME); 0: any may be */
        int64_t until_us;            /* no slot is later; INT64_MAX: any may be */
        int64_t start_deadline_us;   /* >= 0, DURATION_INFINITY or JOB_DEADLINE_NEXT */
        int64_t catch_up_spread_us;  /* CatchUpSpread=, >= 0 */
        int64_t history_us;          /* how old a run may be that the ledger keeps, DURATION_INFINITY: any age */
        uint32_t history_runs;       /* how many it keeps, 1..JOB_HISTORY_RUNS_MAX */
        uint32_t catch_up_max;       /* slots kept by JOB_CATCH_UP_ALL, 1..JOB_CATCH_UP_MAX */
        uint32_t random_delay_ppm;   /* RandomizedDelay= as a share of the distance to the next slot, 0..1000000 */
        uint32_t jitter_ppm;         /* Jitter=, 0..1000000 */
        uint32_t max_runs;           /* scheduled runs since it was armed, 1..JOB_MAX_RUNS_MAX; 0: no end */
        uint8_t mode, align, overlap, catch_up, log;
        uint8_t durability;
        uint8_t is_enabled;
        uint8_t is_catch_up_set;        /* by CatchUp=: another interval does not change it */
        uint8_t is_interrupted_retried; /* RetryInterrupted= */
        uint8_t is_on_wake;             /* OnWake= */
        uint8_t is_delay_fixed;         /* FixedRandomDelay= */
        uint8_t has_conditions;         /* the runner may answer that a condition does not hold */
        int64_t retry_delay_us;         /* RetryDelay=, >= 0: between the end of an attempt and the next, */
        int64_t retry_max_delay_us;     /* RetryMaxDelay=, at most so long */
        int64_t condition_wait_us;      /* ConditionWait=, >= 0 */
        int64_t expect_within_us;       /* ExpectWithin=; 0: no good run is expected */
        uint32_t retries;               /* Retries=, attempts after the first, 0..JOB_RETRIES_MAX */
        uint32_t retry_backoff_ppm;     /* RetryBackoff=: each delay is the one before times this, 1000000 (same)..100000000 */
        uint32_t stop_after_failures;   /* StopAfterFailures=; 0: never */
        uint32_t queue_max;             /* QueueMax=, 1..JOB_QUEUE_MAX, for JOB_OVERLAP_QUEUE */
        uint32_t max_parallel;          /* MaxParallel=, 2..JOB_PARALLEL_MAX, for JOB_OVERLAP_PARALLEL; else 1 */
        int32_t priority;               /* Priority=, -JOB_PRIORITY_MAX..JOB_PRIORITY_MAX, higher goes first */
        uint32_t allow_ids[JOB_ALLOW_MAX];  /* users or groups; ends at a kind of 0; Allow=, or else trigger for User= */
        uint8_t allow_kinds[JOB_ALLOW_MAX]; /* enum job_allow */
};

/* When results are mailed; JOB_MAIL_ON_OUTPUT is after failures, too. */
enum job_mail_on {
        JOB_MAIL_ON_FAILURE,
        JOB_MAIL_ON_OUTPUT,
        JOB_MAIL_ON_ALWAYS,
};

enum job_output_kind {
        JOB_OUTPUT_JOURNAL,        /* through a pipe to the runner; the tail is the value */
        JOB_OUTPUT_JOURNAL_DIRECT, /* a stream of the job's own to journald; nothing is kept */
        JOB_OUTPUT_NULL,
        JOB_OUTPUT_INHERIT, /* of standard error: what standard output is */
        JOB_OUTPUT_FILE,    /* write from the start, keep what is beyond */
        JOB_OUTPUT_APPEND,
        JOB_OUTPUT_TRUNCATE,
        JOB_OUTPUT_MAX
};

/* As StandardOutput= has it; where a path follows, with the colon. */
const char *job_output_kind_name(enum job_output_kind kind);

struct job_output {
        enum job_output_kind kind;
        char *path; /* absolute, where job_output_has_path(); else NULL */
};

static inline bool job_output_has_path(enum job_output_kind kind) {
        return kind == JOB_OUTPUT_FILE || kind == JOB_OUTPUT_APPEND || kind == JOB_OUTPUT_TRUNCATE;
}

enum job_condition_kind {
        JOB_CONDITION_PATH_EXISTS,
        JOB_CONDITION_AC_POWER,
        JOB_CONDITION_LOAD_BELOW,
        JOB_CONDITION_UNIT_ACTIVE, /* asked by a process of the run, as is the next */
        JOB_CONDITION_EXEC,
        JOB_CONDITION_MAX
};

/* What must hold when a run is to start. */
struct job_condition {
        enum job_condition_kind kind;
        bool is_negated;     /* no such path; on battery */
        bool is_per_cpu;     /* the load is that of one processor */
        uint32_t load_milli; /* thousandths */
        char **argv;         /* owned: the command; or one word, the path or the unit; NULL: none */
};

/* What kind of thing does the work of a run. */
enum job_work {
        JOB_WORK_COMMAND, /* Command=, Script=: a process of its own */
        JOB_WORK_UNIT,
        /* hosted: by a process that lives on and does the work of many runs, a tick each */
        JOB_WORK_PLUGIN,
        JOB_WORK_COPROCESS,
        JOB_WORK_MAX
};

static inline bool job_work_is_hosted(enum job_work work) {
        return work == JOB_WORK_PLUGIN || work == JOB_WORK_COPROCESS;
}

/* How and as whom a job runs. All pointers are owned. Zeroed by job_what_init() but for its defaults. */
struct job_what {
        enum job_work work;
        /* NULL-terminated: of a command or coprocess its arguments, argv[0] an absolute path or a bare name for PATH; or { Shell, "-c", Script };
         * { the service of Unit= }; { the absolute path of the plugin's file } */
        char **argv;
        char **options; /* of a plugin: NULL-terminated NAME=VALUE of Option.NAME=, each name once, at most PLUGIN_OPTIONS_MAX; NULL: none */
        char *host;  /* PluginHost=, a name; NULL: the job has a host process to itself. Only of hosted jobs */
        char *user;  /* User= as written; NULL: not set */
        char *group; /* Group= as written; NULL: not set */
        /* resolved by identity_resolve(); has_identity is false where the job runs as the runner's own user */
        bool has_identity;
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* supplementary */
        size_t n_groups;
        char *login_name, *home, *login_shell;
        char *working_directory;            /* absolute, or "~"; NULL: home of the identity, or / */
        bool is_working_directory_optional; /* "-" before it */
        char *root_directory; /* RootDirectory=, absolute: all other paths but those of environment_files are in it */
        char *stop_path;      /* StopWhenPathExists=, absolute; NULL: not set */
        struct job_condition *conditions; /* all must hold, asked in this order but for processes, which come last */
        size_t n_conditions;              /* 0..JOB_CONDITIONS_MAX */
        char **passed;      /* NULL-terminated words of PassEnvironment=: names, or beginnings with * behind them; NULL: none */
        char **environment; /* NULL-terminated NAME=VALUE, later wins; NULL: none */
        char **environment_files;        /* NULL-terminated absolute paths, "-" before one that may be absent */
        char **accepted;                 /* NULL-terminated names of the parameters that a trigger may pass; NULL: none */
        struct job_output output, error; /* error is INHERIT where both are one file; without StandardError= it is as output */
        int64_t timeout_us;              /* per attempt; DURATION_INFINITY */
        int64_t kill_grace_us;           /* between KillSignal and KILL */
        int kill_signal;
        uint32_t capture_max;      /* bytes, 0..JOB_CAPTURE_MAX */
        struct exit_classes exits; /* SuccessExitStatus= and its kin; else 0 is success and the rest has failed */
        struct limits *limits;     /* Limit*=; NULL: none is set */
        uint16_t umask;            /* 0022 */
        bool has_no_new_privs;     /* NoNewPrivileges= */
        /* what is not set is 0 */
        int8_t nice;
        uint8_t cpu_policy, cpu_priority; /* SCHED_*, and 1..99 for SCHED_FIFO and SCHED_RR */
        uint16_t io_priority;             /* as ioprio_set(2) takes it */
        int16_t oom_score;                /* OOMScoreAdjust= */
        /* of all processes of a run together, where it has a cgroup */
        struct amount memory_max, tasks_max;
        uint32_t cpu_quota; /* CPUQuota=: AMOUNT_SHARE_ONE is one processor; 0: no limit */
};

/* As CPUSchedulingPolicy= and IOSchedulingClass= have them. */
const char *job_cpu_policy_name(uint8_t policy);
const char *job_io_class_name(uint16_t io_priority);

/* A name in a value, which is resolved later, and where it stands. Both texts are owned. */
struct job_mention {
        uint8_t kind; /* of a right: enum job_allow; of a calendar: 1 in Except=, 0 in Only=; of a tie: enum tie_kind; of job.hosted as it says */
        bool is_default; /* from [defaults] */
        char *name;
        char *file;
        unsigned line, column;
};

struct job_mentions {
        struct job_mention *list;
        size_t n;
};

enum job_hosted_key {
        JOB_HOSTED_PLUGIN, /* its name is the plugin's, */
        JOB_HOSTED_OPTION, /* the option's, in the order of job_what.options, */
        JOB_HOSTED_HOST,   /* the host's */
};

/* A whole definition, as the reader makes it. All pointers are owned. */
struct job {
        char *name;
        char *description; /* NULL: none */
        char *file;        /* where the section began */
        unsigned line;
        struct job_when when;
        struct job_what what;
        bool has_allow; /* Allow= is set, if only to nobody */
        struct job_mentions rights;
        struct job_mentions groups;    /* of SupplementaryGroups= */
        struct job_mentions calendars; /* of Only= and Except=, in their order */
        struct job_mentions hosted;    /* of Plugin=, Option.NAME= and PluginHost=: where they stand, by enum job_hosted_key */
        struct job_mentions mail;      /* addresses of MailTo= */
        uint8_t mail_on;               /* enum job_mail_on */
        struct job_mentions ties;      /* of MemberOf=, OnSuccess= and their kin */
        char *time_zone;               /* that their days are in; NULL: the machine's */
        struct hash128 hash;           /* of name, when-text, what it comes to and encoded what; set by job_seal() */
};

/* One assignment "KEY=VALUE" with its place; all pointers borrowed. In layers: chimed.conf, file's [defaults], job, drop-ins. */
struct job_setting {
        const char *key;
        const char *value;
        const char *file;
        unsigned line, column;
        bool is_default;   /* from [defaults] or a group: where it does not apply to the job it is passed over silently */
        const char *group; /* from which; NULL: from none */
};

enum job_half {
        JOB_HALF_WHEN,
        JOB_HALF_WHAT,
};

struct job_draft;

/* The one table of keys. Parser, printer, manual check and completion walk it. A name with a dot is a family: Option.NAME stands for all keys
 * that begin with "Option.". */
struct job_key {
        const char *name;
        enum job_half half;
        bool is_list;             /* may be repeated; an empty value clears */
        bool is_default_allowed;  /* may stand in [defaults] */
        const char *default_text; /* as the manual says it; "" where there is none */
        const char *values;       /* what completion offers: words separated by a blank, or "" */
        const char *example;      /* a value that is right */
        const char *help;         /* one sentence */
        /* Takes one value over into the draft: 0, 1 if it is wrong (told), -ENOMEM. NULL in other tables of this shape. */
        int (*parse)(struct job_draft *draft, const struct job_setting *setting);
        /* Prints the value of a when key as parse() reads it; false where it is the default. NULL for what keys, Description= and those
         * of agenda, days and ties, which print themselves. */
        bool (*print)(const struct job_when *when, char buf[static JOB_VALUE_MAX]);
};

/* The rows, in the manual's order; static. */
const struct job_key *job_keys(size_t *ret_n);
/* The row of a key, case-sensitive, or NULL. */
const struct job_key *job_key_find(const char *name);
/* True if the row is that of a key of this name. */
bool job_key_is(const struct job_key *key, const char *name);
/* True if the row is a family. */
bool job_key_is_family(const struct job_key *key);
/* What to say of a key that is not ours: another system's name gets its answer, else the nearest
 * key, of a job or of `others` that may stand in the same section. Prints into buf, returns buf. */
char *job_key_hint(const char *name, const struct job_key *others, size_t n_others, char buf[static 160]);

/* True if name may name a job; else false and *ret_why is static text. */
bool job_name_is_valid(const char *name, const char **ret_why);

void job_when_init(struct job_when *when);
/* True if slots come by themselves: by an interval, a calendar, at boot or at wake. */
static inline bool job_when_has_schedule(const struct job_when *when) {
        return when->every_us > 0 || when->agenda || when->on_boot_us >= 0 || when->is_on_wake;
}
/* Gives agenda, days and ties back. */
void job_when_done(struct job_when *when);
/* Adds a right (enum job_allow) of a user or group, or widens the one that it has. False where JOB_ALLOW_MAX others are there. */
bool job_when_allow(struct job_when *when, uint8_t kinds, uint32_t id);
/* Another interval, as SetInterval gives it: what Every= decides by default where nothing else is set follows it. */
void job_when_set_every(struct job_when *when, int64_t every_us);
void job_what_init(struct job_what *what);
void job_what_done(struct job_what *what);
struct job *job_free(struct job *job);

/* Builds a job from its settings in order (later wins, lists append, an empty value clears). Every error goes to diags at its
 * place; file and line say where the section began. The identity is not resolved and the job not sealed. Its agenda is one of
 * the table's; NULL: calendars are read, and no zones.
 * Returns 0 and gives *ret; 1 where the job has errors (nothing is given); -ENOMEM. */
int job_build(const char *name, const char *file, unsigned line, const struct job_setting *settings, size_t n_settings,
              struct agendas *agendas, struct diags *diags, struct job **ret);
/* Reads one setting for itself, as [defaults] and broken sections need it. 0; 1 if key or value is wrong (told); -ENOMEM. */
int job_setting_check(const struct job_setting *setting, struct agendas *agendas, struct diags *diags);
/* Sets job->hash. Returns 0; 1 if the definition is over JOB_WHAT_MAX or JOB_WHEN_TEXT_MAX (told in diags); -ENOMEM. */
int job_seal(struct job *job, struct diags *diags);

/* The when half and the description as canonical "Key=value\n" text (only what differs from the default), given to the caller. */
int job_when_print(const struct job_when *when, const char *description, char **ret_text);
/* Reads such a text back (size bytes, NUL not needed). *ret_description is given to the caller, NULL if there is none, and *ret_when for
 * job_when_done(). agendas as in job_build(): NULL leaves its agenda, days and ties out.
 * Returns 0; 1 where a zone of it can't be found here; -EBADMSG if it is not one, -ENOMEM. */
int job_when_parse(const char *text, size_t size, struct agendas *agendas, struct job_when *ret_when, char **ret_description);

/* True for what can name a systemd unit of any type. */
bool job_unit_name_is_valid(const char *name);
/* True for a service that Unit= may start: neither of another type nor a template without its instance. */
bool job_unit_is_service(const char *name);
/* What keeps a unit from being started, as LoadState of systemd has it: a positive errno; 0: nothing does, or the word is not known. */
int job_unit_load_error(const char *load_state);
/* Such an errno, or another one of a run of a unit, in words; NULL where it is none. */
const char *job_unit_error_to_string(int error);

/* "plugin memsample": what a job runs, in words, given to the caller: the argument list as in job_command_print() behind the word for
 * its kind, but for a command. 0, -ENOMEM. */
int job_work_print(const struct job_what *what, size_t max, char **ret);
/* Another folder for a plugin's file; of other work nothing changes. 0, -ENOMEM. */
int job_what_set_plugin_folder(struct job_what *what, const char *folder);
/* What jobs must have in common that may share a host process; other hosts, other hash. `definition` is the job's own hash, which it is where
 * the job shares with nobody. 0, -ENOMEM. */
int job_host_hash(const struct job_what *what, struct hash128 definition, struct hash128 *ret);
/* The name of a key of which two jobs of one host say different things, static; NULL: they may share it. */
const char *job_host_difference(const struct job_what *a, const struct job_what *b);

/* How a job comes by a variable of chimed's own environment. */
enum job_pass {
        JOB_PASS_NOT,
        JOB_PASS_PATTERN, /* where it has none of that name otherwise */
        JOB_PASS_NAME,    /* in place of one that chimed sets */
};
/* "NAME=VALUE" by the words of PassEnvironment=, which may be NULL. */
enum job_pass job_pass_find(char *const *words, const char *variable);
/* Whether a word may be one of them. */
bool job_pass_is_valid(const char *word);

/* The argument list as Command= would write it, given to the caller; cut behind a whole character, with an ellipsis, so that it has
 * at most max bytes (at least 3). 0, -ENOMEM. */
int job_command_print(char *const *argv, size_t max, char **ret);

/* "ConditionACPower=yes": a condition as it would be written, for people, cut to size bytes with the NUL (at least 64). */
void job_condition_print(const struct job_condition *condition, char *buf, size_t size);
/* True if it takes a process to ask. */
bool job_condition_is_process(const struct job_condition *condition);
/* True if it is what the reader would make. */
bool job_condition_is_sane(const struct job_condition *condition);
void job_conditions_free(struct job_condition *list, size_t n);

/* Appends the binary form of what: first its manner (as whom, where, with which output and limits: the same in many jobs), then
 * the command. Errors are in the writer. */
void job_what_encode(const struct job_what *what, struct pack *p);
/* How many bytes of a binary form are its manner; 0 where it is none. */
size_t job_what_manner_size(const void *data, size_t size);
/* Of what is behind the manner: the names of AcceptParameters= with a blank between them, "" where there are none or the data is bad. */
#define JOB_ACCEPTED_MAX (PARAMETERS_N_MAX * (PARAMETER_NAME_MAX + 1))
void job_what_print_accepted(const void *rest, size_t size, char buf[static JOB_ACCEPTED_MAX]);
/* The work of a definition, from what is behind the manner in its binary form; of what is none, JOB_WORK_COMMAND. */
enum job_work job_what_command_work(const void *data, size_t size);
/* Reads it back into *ret (initialised by the call, to be freed by job_what_done()). 0, -EBADMSG, -ENOMEM; on error *ret is untouched. */
int job_what_decode(const void *data, size_t size, struct job_what *ret);
