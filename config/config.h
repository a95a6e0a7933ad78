// SPDX-License-Identifier: MIT
// config: the settings file and the job folders, with masks and drop-ins, to one immutable snapshot and all diagnostics.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/diag.h"
#include "config/job.h"
#include "config/zones.h"

#define CONFIG_FILE_MAX        (64 * 1024 * 1024) /* bytes of one file */
#define CONFIG_FILES_MAX       100000
#define CONFIG_LEDGER_MAX_SIZE (UINT64_C(1) << 30) /* LedgerMaxSize= by default, */
#define CONFIG_LEDGER_SIZE_MIN (UINT64_C(1) << 20) /* and its limits */
#define CONFIG_LEDGER_SIZE_MAX (UINT64_C(1) << 40)
#define CONFIG_MAX_RUNNING     100000 /* the highest that MaxRunning= may be */

/* A job NAME with MailTo= has a job beside it that sends the mails, of this name behind its own. */
#define CONFIG_MAIL_SUFFIX ".mail"

/* What becomes of a slot that is due while its claim can't be written. */
enum config_ledger_failure {
        CONFIG_LEDGER_FAILURE_RUN, /* it runs, and is marked */
        CONFIG_LEDGER_FAILURE_HOLD,
};

/* Daemon settings, section [chimed] of chimed.conf. */
struct config_settings {
        int64_t stop_wait_us;      /* StopWait=: how long SIGTERM waits for runs before it ends them; default 0 */
        int64_t time_sync_wait_us; /* TimeSyncWait=: how long wall grids wait for the first synchronisation; default 90 s */
        enum config_ledger_failure on_ledger_failure; /* OnLedgerFailure=; default run */
        uint64_t ledger_max_size;                     /* LedgerMaxSize=: bytes that the ledger's rows may take; default 1 GiB */
        char sendmail[200];                           /* Sendmail=; "": one in the usual places */
        char plugin_directory[200];                   /* PluginDirectory=; "": JOB_PLUGIN_FOLDER */
        uint32_t max_running;                         /* MaxRunning=: runs in flight; default 0: as many as come */
};

void config_settings_init(struct config_settings *settings);

/* Something that was there and could not be read as jobs: its last good definitions stay in force. */
struct config_broken {
        char *file; /* the whole file, if name is NULL; of a refused folder each file, and each that it masks */
        char *name; /* that job of it */
};

/* A group as all files say; its texts are owned. One that is broken is there, but can't be used: what it was before stays in force. */
struct config_group {
        char *name, *file;
        char *description;    /* NULL: none */
        uint32_t max_running; /* 0: as many as come */
        bool is_broken;
};

struct config {
        struct config_settings settings;
        struct job **jobs; /* sorted by name, sealed, identity resolved */
        size_t n_jobs;
        struct config_broken *broken;
        size_t n_broken;
        struct config_group *groups; /* by name */
        size_t n_groups;
        size_t n_files;
        struct zones zones;
        struct agendas agendas; /* the jobs' */
};

struct config_paths {
        const char *settings_file;  /* NULL or absent: built-in settings */
        const char *const *folders; /* earlier ones mask later ones */
        size_t n_folders;
        const char *plugin_host; /* chimed-host, which describes plugins; NULL: their options are not looked at */
        bool warns_of_plugins;   /* that can't be loaded */
        int64_t now_rt_us;       /* what is over is told; 0: not known */
};

/* The system's folders (/etc, /run, /usr/lib) or, for a user, the XDG ones; what the user's environment says is used. Gives a
 * path and a NULL-terminated list to the caller, for config_paths_free(). 0, -ENOENT where a user has no home, or -ENOMEM. */
int config_default_paths(int is_user, char **ret_settings_file, char ***ret_folders);
void config_paths_free(char *settings_file, char **folders);

/* Reads everything. Files and folders that others than root or the caller can write, what is not a regular file, empty, over
 * CONFIG_FILE_MAX or unreadable is refused with a diagnostic and listed in broken; it masks as ever, and what it masks is
 * listed, too, so that all that was in force stays. A link to /dev/null disables the name.
 * Jobs with errors are left out and listed by name. diags end sorted by place.
 * Returns 0 and gives *ret (also where there were errors in files); -ENOMEM; another negative error where the folders as a
 * whole could not be read or the settings file's [defaults] can't be trusted (-EBADMSG), told in diags: then nothing may be
 * changed. */
int config_load(const struct config_paths *paths, struct diags *diags, struct config **ret);
struct config *config_free(struct config *c);

/* The table of [chimed] settings, for manual check and completion; same shape as the job keys. */
const struct job_key *config_setting_keys(size_t *ret_n);
/* The same of [calendar NAME] sections. */
const struct job_key *config_calendar_keys(size_t *ret_n);
/* The same of [group NAME] sections, beside those that may stand in [defaults]. */
const struct job_key *config_group_keys(size_t *ret_n);
