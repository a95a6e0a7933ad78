// SPDX-License-Identifier: MIT
// job_allow: Allow=, the rights of a job beyond those of root and the group chimed.
// The reader meets names, which identity.c turns into numbers later; the canonical text has numbers only, so that the scheduler
// needs no name service.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define BLANKS           " \t\n"
#define ACCOUNT_NAME_MAX 255
#define ID_MAX           (UINT32_MAX - 1)

static const struct {
        const char *name;
        uint8_t kinds;
} right_names[] = {
        {"trigger:", JOB_ALLOW_TRIGGER},
        {"control:", JOB_ALLOW_TRIGGER | JOB_ALLOW_CONTROL},
};

/* What a word allows, and the name behind it; 0 where it is no right. */
static uint8_t read_kinds(const char *word, const char **ret_name) {
        for (size_t i = 0; i < sizeof(right_names) / sizeof(right_names[0]); i++) {
                size_t size = strlen(right_names[i].name);
                if (strncmp(word, right_names[i].name, size) != 0)
                        continue;
                bool is_group = word[size] == '%';
                const char *name = word + size + is_group;
                if (!*name || strlen(name) > ACCOUNT_NAME_MAX || name[strcspn(name, ":/,\"'\\%")])
                        return 0;
                *ret_name = name;
                return right_names[i].kinds | (is_group ? JOB_ALLOW_GROUP : 0);
        }
        return 0;
}

bool job_when_allow(struct job_when *when, uint8_t kinds, uint32_t id) {
        size_t i = 0;

        for (; i < JOB_ALLOW_MAX && when->allow_kinds[i]; i++)
                if (when->allow_ids[i] == id && !((when->allow_kinds[i] ^ kinds) & JOB_ALLOW_GROUP))
                        break;
        if (i == JOB_ALLOW_MAX)
                return false;
        when->allow_ids[i] = id;
        when->allow_kinds[i] |= kinds;
        return true;
}

static int take_number(struct job_draft *d, uint8_t kinds, const char *name) {
        uint64_t id = 0;
        const char *p = name;

        for (; *p >= '0' && *p <= '9' && id <= ID_MAX; p++)
                id = id * 10 + (uint64_t)(*p - '0');
        return *p || id > ID_MAX || !job_when_allow(&d->job->when, kinds, (uint32_t)id);
}

/* Keeps a right until its name is resolved. */
static int keep_right(struct job_draft *d, const struct job_setting *s, size_t offset, uint8_t kinds, const char *name) {
        struct job_mentions *rights = &d->job->rights;
        struct job_mention *right;

        for (size_t i = 0; i < rights->n; i++)
                if (strcmp(rights->list[i].name, name) == 0 && !((rights->list[i].kind ^ kinds) & JOB_ALLOW_GROUP)) {
                        rights->list[i].kind |= kinds;
                        return 0;
                }
        if (rights->n == JOB_ALLOW_MAX)
                return draft_error(d, s, offset, "more than %d rights; give one to a group: %%GROUP", JOB_ALLOW_MAX);
        int r = draft_mention(s, offset, name, rights, &right);
        if (r == 0)
                right->kind = kinds;
        return r;
}

int parse_allow(struct job_draft *d, const struct job_setting *s) {
        const char *name, *at = s->value + strspn(s->value, BLANKS);
        int r = 0;

        for (size_t size; *at && r == 0; at += size + strspn(at + size, BLANKS)) {
                char word[300];
                size = strcspn(at, BLANKS);
                snprintf(word, sizeof(word), "%.*s", (int)(size < sizeof(word) ? size : sizeof(word)), at);
                size_t offset = (size_t)(at - s->value);
                uint8_t kinds = size < sizeof(word) ? read_kinds(word, &name) : 0;
                if (!kinds)
                        r = draft_error(
                                d, s, offset,
                                "\"%.60s\" is no right; write trigger:USER, trigger:%%GROUP, control:USER or control:%%GROUP",
                                word);
                else
                        r = d->is_canonical ? take_number(d, kinds, name) : keep_right(d, s, offset, kinds, name);
        }
        return r;
}

bool print_allow(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        size_t size = 0;

        for (size_t i = 0; i < JOB_ALLOW_MAX && when->allow_kinds[i]; i++)
                size += (size_t)snprintf(buf + size, JOB_VALUE_MAX - size, "%s%s%s%u", i > 0 ? " " : "",
                                         right_names[!!(when->allow_kinds[i] & JOB_ALLOW_CONTROL)].name,
                                         when->allow_kinds[i] & JOB_ALLOW_GROUP ? "%" : "", when->allow_ids[i]);
        return size > 0;
}
