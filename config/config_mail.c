// SPDX-License-Identifier: MIT
// config_mail: MailTo= as what it stands for: a job NAME.mail that follows the job and sends the mail. It is built from settings, as if somebody had
// written them, so it is shown, held, tried again and kept in the history like any other.

#include "config/config_mail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/pack.h"

#define SKIP_STATUS "100" /* there is nothing to mail */

static const char *const places[] = {"/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/sendmail"};

bool config_mail_can_send(const struct config_settings *settings) {
        if (settings->sendmail[0])
                return access(settings->sendmail, X_OK) == 0;
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                if (access(places[i], X_OK) == 0)
                        return true;
        return false;
}

static void put(struct pack *p, const char *text) {
        pack_raw(p, text, strlen(text));
}

/* What the job runs. Addresses and path need no quoting within single quotes; all else comes from the environment. */
static void put_script(struct pack *p, const struct job *job, const struct config_settings *settings) {
        put(p, "if [ -z \"$CHIMED_PARENT_EVENT\" ]; then\n"
               "        echo \"nothing to mail: a mail is sent after a run of the job that MailTo= stands in\" >&2\n"
               "        exit " SKIP_STATUS "\n"
               "fi\n"
               "to='");
        for (size_t i = 0; i < job->mail.n; i++) {
                put(p, i > 0 ? ", " : "");
                put(p, job->mail.list[i].name);
        }
        put(p, "'\nfor sendmail in");
        for (size_t i = 0; !settings->sendmail[0] && i < sizeof(places) / sizeof(places[0]); i++) {
                put(p, " ");
                put(p, places[i]);
        }
        if (settings->sendmail[0]) {
                put(p, " '");
                put(p, settings->sendmail);
                put(p, "'");
        }
        put(p, "; do\n"
               "        [ ! -x \"$sendmail\" ] || break\n"
               "done\n");
        if (job->mail_on == JOB_MAIL_ON_OUTPUT)
                put(p, "case $CHIMED_PARENT_EVENT$CHIMED_PARENT_RESULT$CHIMED_PARENT_OUTPUT in\n"
                       "endsuccess | endfinished) exit " SKIP_STATUS ";;\n"
                       "esac\n");
        put(p, "if [ ! -x \"$sendmail\" ]; then\n"
               "        echo \"no mail to $to: there is no $sendmail; install a mail system or name its "
               "sendmail:\" \\\n"
               "             \"Sendmail= in chimed.conf\" >&2\n"
               "        exit 69\n"
               "fi\n"
               "case $CHIMED_PARENT_RESULT in\n"
               "success) how='succeeded';;\n"
               "failed) how=\"failed with exit status $CHIMED_PARENT_EXIT_STATUS\";;\n"
               "signal) how=\"was ended by signal $CHIMED_PARENT_SIGNAL\";;\n"
               "timeout) how='took longer than its Timeout= and was ended';;\n"
               "start-failed) how='could not be started';;\n"
               "*) how=\"ended: $CHIMED_PARENT_RESULT\";;\n"
               "esac\n"
               "host=$(uname -n)\n"
               "{\n"
               "        echo \"To: $to\"\n"
               "        echo \"Subject: chimed on $host: $CHIMED_PARENT_JOB $how\"\n"
               "        echo \"Auto-Submitted: auto-generated\"\n"
               "        echo \"MIME-Version: 1.0\"\n"
               "        echo \"Content-Type: text/plain; charset=UTF-8\"\n"
               "        echo \"Content-Transfer-Encoding: 8bit\"\n"
               "        echo\n"
               "        echo \"The job $CHIMED_PARENT_JOB on $host $how.\"\n"
               "        echo \"Slot: $CHIMED_PARENT_SLOT, attempt: $CHIMED_PARENT_ATTEMPT, run: $CHIMED_PARENT_RUN_ID\"\n"
               "        echo \"More: chimectl why $CHIMED_PARENT_JOB; chimectl log $CHIMED_PARENT_JOB\"\n"
               "        if [ -n \"$CHIMED_PARENT_OUTPUT\" ]; then\n"
               "                printf '\\nThe end of its output:\\n\\n%s\\n' \"$CHIMED_PARENT_OUTPUT\"\n"
               "        else\n"
               "                printf '\\nNo output of it is known.\\n'\n"
               "        fi\n"
               "} | \"$sendmail\" -i -t\n");
        pack_u8(p, 0);
}

static int build(const struct job *job, const char *name, const char *script, struct agendas *agendas, struct diags *diags,
                 struct job **ret) {
        const struct job_mention *first = &job->mail.list[0];
        char description[JOB_NAME_MAX + 32];
        const char *settings[][2] = {
                {"Description", description},
                {"Script", script},
                {job->mail_on == JOB_MAIL_ON_FAILURE ? "OnFailureOf" : "OnEndOf", job->name},
                {"Overlap", "queue"},
                {"QueueMax", "20"},
                {"Timeout", "5min"},
                {"Retries", "5"},
                {"RetryDelay", "1min"},
                {"SkipExitStatus", SKIP_STATUS},
                {"Log", "failures"},
                {"User", job->what.user},
                {"Group", job->what.group},
                {"Allow", ""}, /* not even its user: who may not trigger the job may not send its mails */
        };
        struct job_setting list[sizeof(settings) / sizeof(settings[0])];
        size_t n = 0;

        snprintf(description, sizeof(description), "mails the results of %s", job->name);
        for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
                if (settings[i][1])
                        list[n++] = (struct job_setting){
                                .key = settings[i][0], .value = settings[i][1], .file = first->file, .line = first->line};
        return job_build(name, job->file, job->line, list, n, agendas, diags, ret);
}

int config_mail_make(const struct job *job, const struct config_settings *settings, struct agendas *agendas,
                     struct diags *diags, struct job **ret) {
        const struct job_mention *first = &job->mail.list[0];
        char name[JOB_NAME_MAX + sizeof(CONFIG_MAIL_SUFFIX)];
        struct pack script = {};

        snprintf(name, sizeof(name), "%s" CONFIG_MAIL_SUFFIX, job->name);
        if (strlen(name) > JOB_NAME_MAX) {
                diags_add(
                        diags, false, first->file, first->line, first->column,
                        "the mails of %s are sent by a job %s, and a name has at most %d bytes: the job's own must be shorter",
                        job->name, name, JOB_NAME_MAX);
                return 1;
        }
        put_script(&script, job, settings);
        int r = pack_result(&script);
        if (r == 0)
                r = build(job, name, (const char *)script.data, agendas, diags, ret);
        pack_done(&script);
        return r;
}
