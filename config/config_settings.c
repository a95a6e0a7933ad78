// SPDX-License-Identifier: MIT
// config_settings: the section [chimed] of chimed.conf: its one table of settings, and how they are read.

#include "config/config_settings.h"

#include <stdlib.h>
#include <string.h>

#include "config/size.h"

#define TIME_SYNC_WAIT_US (90 * USEC_PER_SEC)

enum setting {
        SETTING_STOP_WAIT,
        SETTING_ON_LEDGER_FAILURE,
        SETTING_TIME_SYNC_WAIT,
        SETTING_LEDGER_MAX_SIZE,
        SETTING_MAX_RUNNING,
        SETTING_SENDMAIL,
        SETTING_PLUGIN_DIRECTORY,
        SETTING_MAX,
};

static const struct job_key setting_keys[SETTING_MAX] = {
        [SETTING_STOP_WAIT] = {"StopWait", JOB_HALF_WHEN, false, false, "0", "", "30s",
                               "How long a stop waits for the runs in flight before it ends them.", NULL, NULL},
        [SETTING_ON_LEDGER_FAILURE] = {"OnLedgerFailure", JOB_HALF_WHEN, false, false, "run", "run hold", "hold",
                                       "Whether slots run that the ledger can't be told of.", NULL, NULL},
        [SETTING_TIME_SYNC_WAIT] = {"TimeSyncWait", JOB_HALF_WHEN, false, false, "90s", "", "5min",
                                    "How long after boot wall-clock slots wait for a synchronised clock.", NULL, NULL},
        [SETTING_LEDGER_MAX_SIZE] = {"LedgerMaxSize", JOB_HALF_WHEN, false, false, "1G", "", "200M",
                                     "How large the ledger may become.", NULL, NULL},
        [SETTING_MAX_RUNNING] = {"MaxRunning", JOB_HALF_WHEN, false, false, "0", "", "50",
                                 "How many runs of all jobs there may be at a time.", NULL, NULL},
        [SETTING_SENDMAIL] = {"Sendmail", JOB_HALF_WHEN, false, false, "/usr/sbin/sendmail", "", "/usr/local/bin/msmtp",
                              "The program that takes the mails of MailTo=, if not one in the usual places.", NULL, NULL},
        [SETTING_PLUGIN_DIRECTORY] = {"PluginDirectory", JOB_HALF_WHEN, false, false, "", "", "/srv/chimed/plugins",
                                      "The folder with the files of Plugin=, if not the one of the installation.", NULL, NULL},
};

const struct job_key *config_setting_keys(size_t *ret_n) {
        *ret_n = SETTING_MAX;
        return setting_keys;
}

void config_settings_init(struct config_settings *settings) {
        *settings = (struct config_settings){.time_sync_wait_us = TIME_SYNC_WAIT_US, .ledger_max_size = CONFIG_LEDGER_MAX_SIZE};
}

static enum setting find_setting(const char *name) {
        for (size_t i = 0; i < SETTING_MAX; i++)
                if (strcmp(setting_keys[i].name, name) == 0)
                        return (enum setting)i;
        return SETTING_MAX;
}

static bool read_ledger_size(struct config_settings *settings, const char *value, const char **ret_why) {
        uint64_t bytes = 0;
        *ret_why = "write a size from 1M to 1T, like 200M";
        if (size_parse(value, CONFIG_LEDGER_SIZE_MAX, &bytes) < 0 || bytes < CONFIG_LEDGER_SIZE_MIN)
                return false;
        settings->ledger_max_size = bytes;
        return true;
}

bool config_settings_read_max_running(const char *value, uint32_t least, uint32_t *ret, const char **ret_why) {
        char *end;
        *ret_why =
                least > 0 ? "write a number of runs from 1 to 100000" : "write a number of runs from 1 to 100000, or 0 for any";
        unsigned long n = strtoul(value, &end, 10);
        if (!strchr("0123456789", *value) || *end || n < least || n > CONFIG_MAX_RUNNING)
                return false;
        *ret = (uint32_t)n;
        return true;
}

/* It becomes part of a script. */
static bool read_sendmail(struct config_settings *settings, const char *value, const char **ret_why) {
        *ret_why = "write the whole path of a program, without blanks and quotes";
        if (value[0] != '/' || strpbrk(value, " \t\n'\"\\") || strlen(value) >= sizeof(settings->sendmail))
                return false;
        strcpy(settings->sendmail, value);
        return true;
}

static bool read_plugin_directory(struct config_settings *settings, const char *value, const char **ret_why) {
        *ret_why = "write an absolute path without a slash at its end";
        if (value[0] != '/' || value[strlen(value) - 1] == '/' || strlen(value) >= sizeof(settings->plugin_directory))
                return false;
        strcpy(settings->plugin_directory, value);
        return true;
}

/* One value that is not empty; an empty one says the default. False: *ret_why says what is wrong. */
static bool read_value(struct config_settings *settings, enum setting setting, const char *value, const char **ret_why) {
        switch (setting) {
        case SETTING_STOP_WAIT:
                return duration_parse(value, &settings->stop_wait_us, ret_why) == 0;
        case SETTING_TIME_SYNC_WAIT:
                return duration_parse(value, &settings->time_sync_wait_us, ret_why) == 0;
        case SETTING_ON_LEDGER_FAILURE:
                *ret_why = "there is run and hold";
                settings->on_ledger_failure =
                        strcmp(value, "hold") == 0 ? CONFIG_LEDGER_FAILURE_HOLD : settings->on_ledger_failure;
                return strcmp(value, "hold") == 0 || strcmp(value, "run") == 0;
        case SETTING_LEDGER_MAX_SIZE:
                return read_ledger_size(settings, value, ret_why);
        case SETTING_MAX_RUNNING:
                return config_settings_read_max_running(value, 0, &settings->max_running, ret_why);
        case SETTING_SENDMAIL:
                return read_sendmail(settings, value, ret_why);
        case SETTING_PLUGIN_DIRECTORY:
                return read_plugin_directory(settings, value, ret_why);
        case SETTING_MAX:
                break;
        }
        return false;
}

void config_settings_read(struct config_settings *settings, const struct job_setting *list, size_t n, struct diags *diags) {
        unsigned lines[SETTING_MAX] = {};

        for (size_t i = 0; i < n; i++) {
                const struct job_setting *s = &list[i];
                enum setting setting = find_setting(s->key);
                const char *why;
                if (setting == SETTING_MAX) {
                        char hint[160];
                        diags_add(diags, false, s->file, s->line, 1, "%s",
                                  job_key_find(s->key) ? "this key belongs into a job or [defaults]"
                                                       : job_key_hint(s->key, setting_keys, SETTING_MAX, hint));
                        continue;
                }
                if (lines[setting] > 0) {
                        diags_add(diags, false, s->file, s->line, 1,
                                  "%s= a second time in this section; the first is at line %u", s->key, lines[setting]);
                        continue;
                }
                lines[setting] = s->line;
                if (*s->value && !read_value(settings, setting, s->value, &why))
                        diags_add(diags, false, s->file, s->line, s->column, "\"%.60s\": %s", s->value, why);
        }
}
