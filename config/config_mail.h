// SPDX-License-Identifier: MIT
// config_mail: MailTo= as what it stands for: a job NAME.mail that follows the job and sends the mail; for config.c only.
#pragma once

#include <stdbool.h>

#include "config/config.h"

/* Whether the mails of this machine are taken, by what Sendmail= says or in the usual places. */
bool config_mail_can_send(const struct config_settings *settings);
/* Makes the job that mails the results of one with MailTo=, as yet without identity. 0; 1 where it can't be (told); a negative error. */
int config_mail_make(const struct job *job, const struct config_settings *settings, struct agendas *agendas,
                     struct diags *diags, struct job **ret);
