// SPDX-License-Identifier: MIT
// job_codec: the binary form of the what half, and the hash that names a definition.
// Decoding is done as root on what another process wrote: every count is checked against the bytes that are there before anything
// is allocated, and every value against its range.

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"
#include "config/plugin_option.h"

#define WHAT_VERSION   10
#define MANNER_SIZE_AT 1 /* offset of the manner's size, behind the version */

static void encode_list(struct pack *p, char *const *list) {
        pack_u32(p, (uint32_t)strv_count(list));
        for (size_t i = 0; list && list[i]; i++)
                pack_string(p, list[i]);
}

static void encode_conditions(struct pack *p, const struct job_what *what) {
        pack_u32(p, (uint32_t)what->n_conditions);
        for (size_t i = 0; i < what->n_conditions; i++) {
                const struct job_condition *condition = &what->conditions[i];
                pack_u8(p, (uint8_t)condition->kind);
                pack_u8(p, condition->is_negated);
                pack_u8(p, condition->is_per_cpu);
                pack_u32(p, condition->load_milli);
                encode_list(p, condition->argv);
        }
}

static void encode_output(struct pack *p, const struct job_output *output) {
        pack_u8(p, (uint8_t)output->kind);
        pack_string(p, output->path);
}

static void encode_limits(struct pack *p, const struct limits *limits) {
        uint32_t set = limits ? limits->set : 0;

        pack_u32(p, set);
        for (unsigned i = 0; i < LIMITS_MAX; i++)
                if (set >> i & 1) {
                        pack_u64(p, limits->of[i].soft);
                        pack_u64(p, limits->of[i].hard);
                }
}

static void encode_amount(struct pack *p, const struct amount *amount) {
        pack_u64(p, amount->n);
        pack_u8(p, amount->is_share);
}

/* With which rights, priorities and limits. */
static void encode_means(struct pack *p, const struct job_what *what) {
        pack_string(p, what->root_directory);
        pack_u16(p, what->umask);
        pack_u8(p, what->has_no_new_privs);
        pack_u8(p, (uint8_t)what->nice);
        pack_u8(p, what->cpu_policy);
        pack_u8(p, what->cpu_priority);
        pack_u16(p, what->io_priority);
        pack_u16(p, (uint16_t)what->oom_score);
        encode_limits(p, what->limits);
        encode_amount(p, &what->memory_max);
        encode_amount(p, &what->tasks_max);
        pack_u32(p, what->cpu_quota);
}

void job_what_encode(const struct job_what *what, struct pack *p) {
        size_t begin = p->size;

        pack_u8(p, WHAT_VERSION);
        pack_u32(p, 0); /* the manner's size, filled in below */
        pack_string(p, what->user);
        pack_string(p, what->group);
        pack_u8(p, what->has_identity);
        pack_u32(p, what->uid);
        pack_u32(p, what->gid);
        pack_u32(p, (uint32_t)what->n_groups);
        for (size_t i = 0; i < what->n_groups; i++)
                pack_u32(p, what->groups[i]);
        pack_string(p, what->login_name);
        pack_string(p, what->home);
        pack_string(p, what->login_shell);
        pack_string(p, what->working_directory);
        pack_u8(p, what->is_working_directory_optional);
        pack_string(p, what->stop_path);
        encode_conditions(p, what);
        encode_list(p, what->passed);
        encode_list(p, what->environment);
        encode_list(p, what->environment_files);
        encode_output(p, &what->output);
        encode_output(p, &what->error);
        encode_means(p, what);
        pack_i64(p, what->timeout_us);
        pack_i64(p, what->kill_grace_us);
        pack_u32(p, (uint32_t)what->kill_signal);
        pack_u32(p, what->capture_max);
        exit_classes_pack(&what->exits, p);
        if (pack_result(p) == 0) {
                uint32_t manner_size = (uint32_t)(p->size - begin);
                memcpy(p->data + begin + MANNER_SIZE_AT, &manner_size, sizeof(manner_size));
        }
        encode_list(p, what->accepted);
        pack_u8(p, (uint8_t)what->work);
        encode_list(p, what->argv);
        encode_list(p, what->options);
        pack_string(p, what->host);
}

size_t job_what_manner_size(const void *data, size_t size) {
        struct unpack u = unpack_from(data, size);
        uint8_t version = unpack_u8(&u);
        uint32_t manner_size = unpack_u32(&u);

        return u.bad || version != WHAT_VERSION || manner_size > size ? 0 : manner_size;
}

void job_what_print_accepted(const void *rest, size_t size, char buf[static JOB_ACCEPTED_MAX]) {
        struct unpack u = unpack_from(rest, size);
        uint32_t n = unpack_u32(&u);
        size_t at = 0, name_size;

        for (uint32_t i = 0; i < n && !u.bad; i++) {
                const char *name = unpack_bytes(&u, &name_size);
                if (!name || at + name_size + 1 > JOB_ACCEPTED_MAX)
                        break;
                memcpy(buf + at, name, name_size);
                at += name_size;
                buf[at++] = ' ';
        }
        buf[at > 0 ? at - 1 : 0] = 0;
}

enum job_work job_what_command_work(const void *data, size_t size) {
        struct unpack u = unpack_from(data, size);
        size_t name_size;

        for (uint32_t n = unpack_u32(&u); n > 0 && !u.bad; n--) /* of AcceptParameters= */
                (void)unpack_bytes(&u, &name_size);
        uint8_t work = unpack_u8(&u);
        return !u.bad && work < JOB_WORK_MAX ? (enum job_work)work : JOB_WORK_COMMAND;
}

/* A count of things that take at least size bytes each. */
static size_t decode_count(struct unpack *u, size_t size) {
        size_t n = unpack_u32(u);

        if (u->bad || n > (size_t)(u->end - u->at) / size) {
                u->bad = true;
                return 0;
        }
        return n;
}

/* An empty text stands for none. */
static int decode_text(struct unpack *u, char **ret) {
        char *text = NULL;
        int r = u->bad ? -EBADMSG : unpack_string(u, &text);

        if (r == 0 && !*text) {
                free(text);
                text = NULL;
        }
        if (r == 0)
                *ret = text;
        return r == -ENOMEM ? r : 0;
}

static int decode_list(struct unpack *u, char ***ret) {
        size_t n = decode_count(u, sizeof(uint16_t));

        if (n == 0)
                return 0;
        *ret = calloc(n + 1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < n && !u->bad; i++)
                if (unpack_string(u, &(*ret)[i]) == -ENOMEM)
                        return -ENOMEM;
        return 0;
}

static bool decode_bool(struct unpack *u) {
        uint8_t v = unpack_u8(u);

        u->bad = u->bad || v > 1;
        return v == 1;
}

static int decode_condition(struct unpack *u, struct job_condition *ret) {
        uint8_t kind = unpack_u8(u);

        u->bad = u->bad || kind >= JOB_CONDITION_MAX;
        ret->kind = u->bad ? JOB_CONDITION_EXEC : (enum job_condition_kind)kind;
        ret->is_negated = decode_bool(u);
        ret->is_per_cpu = decode_bool(u);
        ret->load_milli = unpack_u32(u);
        int r = decode_list(u, &ret->argv);
        u->bad = u->bad || (r == 0 && !job_condition_is_sane(ret));
        return r;
}

static int decode_conditions(struct unpack *u, struct job_what *what) {
        size_t n = decode_count(u, 3 + 2 * sizeof(uint32_t));
        int r = 0;

        if (n > JOB_CONDITIONS_MAX)
                u->bad = true;
        if (n == 0 || u->bad)
                return 0;
        what->conditions = calloc(n, sizeof(*what->conditions));
        if (!what->conditions)
                return -ENOMEM;
        what->n_conditions = n;
        for (size_t i = 0; i < n && r == 0 && !u->bad; i++)
                r = decode_condition(u, &what->conditions[i]);
        return r;
}

static int decode_groups(struct unpack *u, struct job_what *what) {
        size_t n = decode_count(u, sizeof(uint32_t));

        if (n == 0)
                return 0;
        what->groups = calloc(n, sizeof(*what->groups));
        if (!what->groups)
                return -ENOMEM;
        what->n_groups = n;
        for (size_t i = 0; i < n; i++)
                what->groups[i] = unpack_u32(u);
        return 0;
}

static int decode_output(struct unpack *u, struct job_output *ret) {
        uint8_t kind = unpack_u8(u);
        int r = decode_text(u, &ret->path);

        if (kind >= JOB_OUTPUT_MAX) {
                u->bad = true;
                return r;
        }
        ret->kind = (enum job_output_kind)kind;
        if (job_output_has_path(ret->kind) ? !ret->path || ret->path[0] != '/' : ret->path != NULL)
                u->bad = true;
        return r;
}

/* Reads the identity: who the job runs as. */
static int decode_identity(struct unpack *u, struct job_what *what) {
        int r = decode_text(u, &what->user);

        if (r == 0)
                r = decode_text(u, &what->group);
        what->has_identity = decode_bool(u);
        what->uid = unpack_u32(u);
        what->gid = unpack_u32(u);
        if (r == 0)
                r = decode_groups(u, what);
        if (r == 0)
                r = decode_text(u, &what->login_name);
        if (r == 0)
                r = decode_text(u, &what->home);
        if (r == 0)
                r = decode_text(u, &what->login_shell);
        if (what->has_identity && (what->uid == (uid_t)-1 || what->gid == (gid_t)-1))
                u->bad = true;
        return r;
}

static int decode_surroundings(struct unpack *u, struct job_what *what) {
        int r = decode_text(u, &what->working_directory);

        what->is_working_directory_optional = decode_bool(u);
        if (r == 0)
                r = decode_text(u, &what->stop_path);
        if (r == 0)
                r = decode_conditions(u, what);
        if (r == 0)
                r = decode_list(u, &what->passed);
        if (r == 0)
                r = decode_list(u, &what->environment);
        if (r == 0)
                r = decode_list(u, &what->environment_files);
        if (r == 0)
                r = decode_output(u, &what->output);
        if (r == 0)
                r = decode_output(u, &what->error);
        return r;
}

static int decode_limits(struct unpack *u, struct limits **ret) {
        uint32_t set = unpack_u32(u);

        u->bad = u->bad || set >> LIMITS_MAX != 0;
        if (u->bad || set == 0)
                return 0;
        struct limits *limits = calloc(1, sizeof(*limits));
        if (!limits)
                return -ENOMEM;
        *ret = limits;
        limits->set = set;
        for (unsigned i = 0; i < LIMITS_MAX; i++)
                if (set >> i & 1) {
                        limits->of[i].soft = unpack_u64(u);
                        limits->of[i].hard = unpack_u64(u);
                        u->bad = u->bad || limits->of[i].soft > limits->of[i].hard;
                }
        return 0;
}

static struct amount decode_amount(struct unpack *u) {
        struct amount amount = {.n = unpack_u64(u)};

        amount.is_share = decode_bool(u);
        u->bad = u->bad || amount.n > (amount.is_share ? AMOUNT_SHARE_ONE : (uint64_t)INT64_MAX);
        return amount;
}

static int decode_means(struct unpack *u, struct job_what *what) {
        int r = decode_text(u, &what->root_directory);

        what->umask = unpack_u16(u);
        what->has_no_new_privs = decode_bool(u);
        what->nice = (int8_t)unpack_u8(u);
        what->cpu_policy = unpack_u8(u);
        what->cpu_priority = unpack_u8(u);
        what->io_priority = unpack_u16(u);
        what->oom_score = (int16_t)unpack_u16(u);
        if (r == 0)
                r = decode_limits(u, &what->limits);
        what->memory_max = decode_amount(u);
        what->tasks_max = decode_amount(u);
        what->cpu_quota = unpack_u32(u);
        u->bad = u->bad || what->cpu_quota > JOB_CPU_QUOTA_MAX;
        return r;
}

static bool has_sane_means(const struct job_what *what) {
        bool is_realtime = what->cpu_policy == SCHED_FIFO || what->cpu_policy == SCHED_RR;
        bool is_policy = is_realtime || what->cpu_policy == SCHED_OTHER || what->cpu_policy == SCHED_BATCH ||
                         what->cpu_policy == SCHED_IDLE;

        return (!what->root_directory || what->root_directory[0] == '/') && what->umask <= 0777 && what->nice >= JOB_NICE_MIN &&
               what->nice <= JOB_NICE_MAX && is_policy && is_realtime == (what->cpu_priority > 0) &&
               what->cpu_priority <= JOB_CPU_PRIORITY_MAX && what->io_priority >> JOB_IO_CLASS_SHIFT <= JOB_IO_CLASS_MAX &&
               (what->io_priority & ((1 << JOB_IO_CLASS_SHIFT) - 1)) <= JOB_IO_LEVEL_MAX &&
               what->oom_score >= -JOB_OOM_SCORE_MAX && what->oom_score <= JOB_OOM_SCORE_MAX;
}

/* "NAME=VALUE" of a plugin's option. */
static bool is_option(const char *text) {
        char name[PLUGIN_OPTION_NAME_MAX + 2]; /* one more than there may be */
        size_t size = strcspn(text, "=");

        snprintf(name, sizeof(name), "%.*s", (int)size, text);
        return text[size] && plugin_option_name_is_valid(name);
}

/* What is run, by the rules of its kind. */
static bool has_sane_work(const struct job_what *what) {
        bool is_plugin = what->work == JOB_WORK_PLUGIN, is_one = what->argv && what->argv[0] && !what->argv[1];
        const char *why;

        if (!what->argv || !what->argv[0][0] || (what->argv[0][0] != '/' && strchr(what->argv[0], '/')))
                return false;
        if (what->work == JOB_WORK_UNIT && (!is_one || !job_unit_is_service(what->argv[0])))
                return false;
        if (is_plugin ? !is_one || what->argv[0][0] != '/' : what->options != NULL)
                return false;
        for (size_t i = 0; what->options && what->options[i]; i++)
                if (i == PLUGIN_OPTIONS_MAX || !is_option(what->options[i]))
                        return false;
        if (job_work_is_hosted(what->work))
                return !what->conditions && !what->stop_path && (!what->host || job_name_is_valid(what->host, &why));
        return !what->host;
}

/* What the reader guarantees and the runner relies on. */
static bool is_sane(const struct job_what *what) {
        const char *directory = what->working_directory;

        if (!has_sane_work(what))
                return false;
        if (directory && directory[0] != '/' && strcmp(directory, "~") != 0)
                return false;
        if ((what->stop_path && what->stop_path[0] != '/') || !has_sane_means(what))
                return false;
        if (what->output.kind == JOB_OUTPUT_INHERIT)
                return false;
        for (size_t i = 0; what->passed && what->passed[i]; i++)
                if (!job_pass_is_valid(what->passed[i]))
                        return false;
        for (size_t i = 0; what->environment && what->environment[i]; i++) {
                const char *equals = strchr(what->environment[i], '=');
                if (!equals || equals == what->environment[i])
                        return false;
        }
        for (size_t i = 0; what->environment_files && what->environment_files[i]; i++)
                if (what->environment_files[i][what->environment_files[i][0] == '-'] != '/')
                        return false;
        return what->timeout_us > 0 && (what->timeout_us <= DURATION_MAX || what->timeout_us == DURATION_INFINITY) &&
               what->kill_grace_us >= 0 && what->kill_grace_us <= DURATION_MAX && what->kill_signal >= 1 &&
               what->kill_signal <= SIGRTMAX && what->capture_max <= JOB_CAPTURE_MAX;
}

static int decode_accepted(struct unpack *u, struct job_what *what) {
        int r = decode_list(u, &what->accepted);
        size_t n = r == 0 && !u->bad ? strv_count(what->accepted) : 0;

        u->bad = u->bad || n > PARAMETERS_N_MAX;
        for (size_t i = 0; i < n; i++)
                u->bad = u->bad || !parameter_name_is_valid(what->accepted[i], strlen(what->accepted[i]));
        return r;
}

int job_what_decode(const void *data, size_t size, struct job_what *ret) {
        struct unpack u = unpack_from(data, size);
        struct job_what what = {};
        int r = 0;

        if (unpack_u8(&u) != WHAT_VERSION)
                return -EBADMSG;
        uint32_t manner_size = unpack_u32(&u);
        r = decode_identity(&u, &what);
        if (r == 0)
                r = decode_surroundings(&u, &what);
        if (r == 0)
                r = decode_means(&u, &what);
        what.timeout_us = unpack_i64(&u);
        what.kill_grace_us = unpack_i64(&u);
        uint32_t kill_signal = unpack_u32(&u);
        what.kill_signal = kill_signal <= INT32_MAX ? (int)kill_signal : 0;
        what.capture_max = unpack_u32(&u);
        exit_classes_unpack(&u, &what.exits);
        if (u.at != (const uint8_t *)data + manner_size)
                u.bad = true;
        if (r == 0)
                r = decode_accepted(&u, &what);
        uint8_t work = unpack_u8(&u);
        u.bad = u.bad || work >= JOB_WORK_MAX;
        what.work = work < JOB_WORK_MAX ? (enum job_work)work : JOB_WORK_COMMAND;
        if (r == 0)
                r = decode_list(&u, &what.argv);
        if (r == 0)
                r = decode_list(&u, &what.options);
        if (r == 0)
                r = decode_text(&u, &what.host);
        if (r == 0)
                r = unpack_finish(&u);
        if (r == 0 && !is_sane(&what))
                r = -EBADMSG;
        if (r < 0) {
                job_what_done(&what);
                return r;
        }
        *ret = what;
        return 0;
}

/* Hashes the parts with their lengths, so that no two jobs are the same bytes. */
static int hash_definition(struct job *job, const char *when_text, const struct pack *what) {
        static const uint8_t key[16] = "chimed job def 1";
        struct pack p = {};

        pack_string(&p, job->name);
        pack_string(&p, when_text);
        pack_raw(&p, what->data, what->size);
        if (job->when.agenda) { /* other data of a zone make another definition */
                struct hash128 agenda = agenda_hash(job->when.agenda);
                pack_raw(&p, &agenda, sizeof(agenda));
        }
        if (job->when.days) {
                struct hash128 days = days_hash(job->when.days);
                pack_raw(&p, &days, sizeof(days));
        }
        int r = pack_result(&p);
        if (r == 0)
                job->hash = hash_128(key, p.data, p.size);
        pack_done(&p);
        return r;
}

int job_seal(struct job *job, struct diags *diags) {
        struct pack what = {.limit = JOB_WHAT_MAX};
        char *when_text;
        int r = job_when_print(&job->when, job->description, &when_text);

        if (r < 0)
                return r;
        if (strlen(when_text) > JOB_WHEN_TEXT_MAX) {
                diags_add(diags, false, job->file, job->line, 0,
                          "job %s: Description= is too long; all when keys may have %d bytes", job->name, JOB_WHEN_TEXT_MAX);
                free(when_text);
                return 1;
        }
        job_what_encode(&job->what, &what);
        r = pack_result(&what);
        if (r == -EMSGSIZE) {
                diags_add(diags, false, job->file, job->line, 0,
                          "job %s is longer than %d KiB; put the script into a file and the environment into EnvironmentFile=",
                          job->name, JOB_WHAT_MAX / 1024);
                r = 1;
        } else if (r == 0)
                r = hash_definition(job, when_text, &what);
        pack_done(&what);
        free(when_text);
        return r;
}
