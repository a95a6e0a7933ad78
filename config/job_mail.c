// SPDX-License-Identifier: MIT
// job_mail: MailTo= and MailOn=: to whom a job's results are mailed. An address becomes part of a header and of a script, so only what needs no
// quoting in either is taken.

#include <string.h>

#include "config/job_draft.h"

#define SEPARATORS " \t\n,"

static const char *const mail_on_names[] = {
        [JOB_MAIL_ON_FAILURE] = "failure",
        [JOB_MAIL_ON_OUTPUT] = "output",
        [JOB_MAIL_ON_ALWAYS] = "always",
        NULL,
};

static bool is_address(const char *address) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-@=/~!";
        return *address && *address != '-' && *address != '@' && address[strspn(address, allowed)] == '\0';
}

static int take_address(struct job_draft *d, const struct job_setting *s, size_t offset, size_t size) {
        struct job_mentions *mail = &d->job->mail;
        struct job_mention *mention;
        char address[JOB_MAIL_ADDRESS_MAX + 2] = ""; /* one more than there may be */

        memcpy(address, s->value + offset, size < sizeof(address) - 1 ? size : sizeof(address) - 1);
        if (size > JOB_MAIL_ADDRESS_MAX || !is_address(address))
                return draft_error(d, s, offset,
                                   "\"%.60s\" is no mail address; write one such as root or ops@example.org, in ASCII",
                                   address);
        if (mail->n == JOB_MAIL_MAX)
                return draft_error(d, s, offset, "more than %d addresses; a mailing list has room for more", JOB_MAIL_MAX);
        return draft_mention(s, offset, address, mail, &mention);
}

int parse_mail_to(struct job_draft *d, const struct job_setting *s) {
        int r = 0;

        for (const char *at = s->value + strspn(s->value, SEPARATORS); *at && r == 0; at += strspn(at, SEPARATORS)) {
                size_t size = strcspn(at, SEPARATORS);
                r = take_address(d, s, (size_t)(at - s->value), size);
                at += size;
        }
        return r;
}

int parse_mail_on(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, mail_on_names, &d->job->mail_on);
}
