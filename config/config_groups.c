// SPDX-License-Identifier: MIT
// config_groups: the [group NAME] sections of all files, and what they give to the jobs that name them in MemberOf=.
// A group with an error is kept as a broken one, as a calendar is; what it was before stays in force.

#include "config/config_groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_settings.h"
#include "config/job_draft.h"
#include "config/nearest.h"

#define BLANKS          " \t\n"
#define DESCRIPTION_MAX 4096

enum group_key { GROUP_DESCRIPTION, GROUP_MAX_RUNNING, GROUP_KEYS_N };

static const struct job_key table[GROUP_KEYS_N] = {
        [GROUP_DESCRIPTION] = {"Description", JOB_HALF_WHEN, false, false, "", "", "all that works on the store",
                               "What the group is for.", NULL, NULL},
        [GROUP_MAX_RUNNING] = {"MaxRunning", JOB_HALF_WHEN, false, false, "", "", "2",
                               "How many runs of its members there may be at a time.", NULL, NULL},
};

const struct job_key *config_group_keys(size_t *ret_n) {
        *ret_n = GROUP_KEYS_N;
        return table;
}

void config_groups_done(struct config_groups *groups) {
        for (size_t i = 0; i < groups->n; i++)
                free(groups->list[i].defaults);
        free(groups->list);
        *groups = (struct config_groups){};
}

/* ---- sections ---- */

static void read_description(struct group_section *g, struct job_draft *d, const struct job_setting *s) {
        g->description = *s->value ? s->value : NULL;
        if (strlen(s->value) <= DESCRIPTION_MAX)
                return;
        draft_error(d, s, 0, "the description of a group has at most %d bytes", DESCRIPTION_MAX);
        g->is_broken = true;
}

static void read_max_running(struct group_section *g, struct job_draft *d, const struct job_setting *s) {
        const char *why;

        g->max_running = 0;
        if (*s->value && !config_settings_read_max_running(s->value, 1, &g->max_running, &why)) {
                draft_error(d, s, 0, "\"%.60s\": %s", s->value, why);
                g->is_broken = true;
        }
}

/* Its own keys are taken, the others are defaults of its members, which were checked as they were read. */
static int read_section(struct group_section *g, const struct unit *unit, const struct section *section) {
        struct job none = {};
        struct job_draft d = {.job = &none, .diags = unit->diags};
        struct job_setting *defaults =
                section->n > 0 ? reallocarray(g->defaults, g->n_defaults + section->n, sizeof(*defaults)) : NULL;

        if (section->n > 0 && !defaults)
                return -ENOMEM;
        if (defaults)
                g->defaults = defaults;
        g->is_broken = g->is_broken || section->is_broken || unit->is_untrusted;
        for (size_t i = section->first; i < section->first + section->n; i++) {
                const struct job_setting *s = &unit->settings[i];
                if (s->key == table[GROUP_DESCRIPTION].name)
                        read_description(g, &d, s);
                else if (s->key == table[GROUP_MAX_RUNNING].name)
                        read_max_running(g, &d, s);
                else
                        g->defaults[g->n_defaults++] = *s;
        }
        return 0;
}

/* A section of a file, with those of the same name in drop-ins. */
static int add_group(struct config_groups *groups, const struct unit *unit, const struct section *section,
                     const struct section *const *drop_ins, size_t n_drop_ins) {
        if (groups->n == groups->allocated) {
                size_t wanted = groups->n > 0 ? 2 * groups->n : 8;
                struct group_section *grown = reallocarray(groups->list, wanted, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                groups->list = grown;
                groups->allocated = wanted;
        }
        struct group_section *g = &groups->list[groups->n++];
        *g = (struct group_section){.name = section->name, .file = section->file, .line = section->line};
        int r = read_section(g, unit, section);
        for (size_t i = 0; r == 0 && i < n_drop_ins; i++)
                r = read_section(g, unit, drop_ins[i]);
        return r;
}

int config_groups_add(struct config_groups *groups, const struct unit *unit) {
        const struct section **sections = NULL;
        size_t n;
        int r = unit_sort_sections(unit, SECTION_GROUP, &sections, &n);

        for (size_t i = 0, n_main, n_all; r == 0 && i < n; i += n_all) {
                n_all = unit_count_same(sections + i, n - i, &n_main);
                if (n_main == 0)
                        diags_add(unit->diags, false, sections[i]->file, sections[i]->line, 0,
                                  "there is no group %s that this could add to", sections[i]->name);
                for (size_t k = 0; r == 0 && k < n_main; k++)
                        r = add_group(groups, unit, sections[i + k], sections + i + n_main, n_all - n_main);
        }
        free(sections);
        return r;
}

/* ---- all together ---- */

static int compare_groups(const void *a, const void *b) {
        const struct group_section *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        if (order == 0)
                order = strcmp(x->file, y->file);
        return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int give(const struct group_section *g, struct config_group *ret) {
        *ret = (struct config_group){
                .name = strdup(g->name),
                .file = strdup(g->file),
                .description = g->description ? strdup(g->description) : NULL,
                .max_running = g->max_running,
                .is_broken = g->is_broken,
        };
        for (char *at = ret->description; at && *at; at++)
                if (*at == '\n')
                        *at = ' ';
        return ret->name && ret->file && (ret->description || !g->description) ? 0 : -ENOMEM;
}

int config_groups_settle(struct config_groups *groups, struct config *config, struct diags *diags) {
        int r = 0;

        config->groups = calloc(groups->n + 1, sizeof(*config->groups));
        if (!config->groups)
                return -ENOMEM;
        if (groups->n > 0)
                qsort(groups->list, groups->n, sizeof(*groups->list), compare_groups);
        for (size_t i = 0, first = 0; i < groups->n; i++) {
                struct group_section *g = &groups->list[i], *one = &groups->list[first];
                if (strcmp(one->name, g->name) != 0)
                        first = i;
                else if (one != g) {
                        diags_add(diags, false, g->file, g->line, 0, "group %s is defined at %s:%u, too; neither is taken",
                                  g->name, one->file, one->line);
                        one->is_broken = g->is_broken = true;
                }
        }
        for (size_t i = 0; r == 0 && i < groups->n; i++)
                if (i == 0 || strcmp(groups->list[i - 1].name, groups->list[i].name) != 0)
                        r = give(&groups->list[i], &config->groups[config->n_groups++]);
        return r;
}

/* ---- jobs ---- */

static int compare_name(const void *name, const void *group) {
        return strcmp(name, ((const struct group_section *)group)->name);
}

/* Behind the last MemberOf= that clears what was before. */
static size_t first_member_of(const struct job_setting *settings, size_t n) {
        size_t first = 0;

        for (size_t i = 0; i < n; i++)
                if (strcmp(settings[i].key, "MemberOf") == 0 && !*settings[i].value)
                        first = i + 1;
        return first;
}

bool config_groups_has_member(const struct job_setting *settings, size_t n) {
        for (size_t i = first_member_of(settings, n); i < n; i++)
                if (strcmp(settings[i].key, "MemberOf") == 0)
                        return true;
        return false;
}

/* The groups of one job, in their order. */
struct memberships {
        const struct group_section *list[JOB_GROUPS_MAX];
        const struct job_setting *last; /* where the latest is named */
        size_t n;
        size_t n_defaults; /* together */
};

static int tell_name(const struct config_groups *groups, struct job_draft *d, const struct job_setting *s, size_t at,
                     const char *name, const struct group_section *found) {
        struct nearest nearest = nearest_begin(name);

        if (found)
                return draft_error(d, s, at, "group %s at %s:%u has errors", name, found->file, found->line);
        for (size_t i = 0; i < groups->n; i++)
                nearest_offer(&nearest, groups->list[i].name);
        if (nearest.found)
                return draft_error(d, s, at, "there is no group %s; did you mean %s?", name, nearest.found);
        return draft_error(d, s, at, "there is no group %s; write one: [group %s]", name, name);
}

static int add_membership(const struct config_groups *groups, struct job_draft *d, const struct job_setting *s, size_t at,
                          size_t size, struct memberships *m) {
        char name[JOB_NAME_MAX + 2]; /* one more than there may be: a name that is too long is nobody's */

        snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name)), s->value + at);
        const struct group_section *found =
                groups->n > 0 ? bsearch(name, groups->list, groups->n, sizeof(*found), compare_name) : NULL;
        if (!found || found->is_broken)
                return tell_name(groups, d, s, at, name, found);
        for (size_t i = 0; i < m->n; i++)
                if (m->list[i] == found)
                        return 0;
        if (m->n == JOB_GROUPS_MAX)
                return draft_error(d, s, at, "a job is a member of at most %d groups", JOB_GROUPS_MAX);
        m->list[m->n++] = found;
        m->last = s;
        m->n_defaults += found->n_defaults;
        return 0;
}

static int find_memberships(const struct config_groups *groups, struct job_draft *d, const struct job_setting *settings,
                            size_t n, struct memberships *m) {
        int result = 0;

        for (size_t i = first_member_of(settings, n); i < n; i++) {
                const struct job_setting *s = &settings[i];
                if (strcmp(s->key, "MemberOf") != 0)
                        continue;
                for (size_t at = strspn(s->value, BLANKS), size; s->value[at]; at += strspn(s->value + at, BLANKS)) {
                        size = strcspn(s->value + at, BLANKS);
                        result |= add_membership(groups, d, s, at, size, m);
                        at += size;
                }
        }
        return result;
}

/* What a group says of a key: the last word, with that of drop-ins. NULL: nothing. */
static const struct job_setting *find_default(const struct group_section *g, const char *key) {
        for (size_t i = g->n_defaults; i > 0; i--)
                if (strcmp(g->defaults[i - 1].key, key) == 0)
                        return &g->defaults[i - 1];
        return NULL;
}

/* True if a group says nothing else than those before it, but for lists, which append. */
static bool agrees(const struct memberships *m, size_t group, struct job_draft *d) {
        const struct group_section *g = m->list[group];
        bool is_good = true;

        for (size_t i = 0; i < g->n_defaults; i++) {
                const struct job_setting *s = &g->defaults[i], *other = NULL;
                const struct job_key *key = job_key_find(s->key);
                if (!key || key->is_list || s != find_default(g, s->key))
                        continue;
                for (size_t k = 0; k < group && !other; k++)
                        other = find_default(m->list[k], s->key);
                if (!other || strcmp(other->value, s->value) == 0)
                        continue;
                draft_error(d, m->last, 0, "groups %s and %s don't agree on %s= (%s:%u, %s:%u)", other->group, g->name, s->key,
                            other->file, other->line, s->file, s->line);
                is_good = false;
        }
        return is_good;
}

int config_groups_resolve(const struct config_groups *groups, const struct job_setting *settings, size_t n, struct diags *diags,
                          struct job_setting **ret, size_t *ret_n) {
        struct job none = {};
        struct job_draft d = {.job = &none, .diags = diags};
        struct memberships m = {};
        int r = find_memberships(groups, &d, settings, n, &m);

        for (size_t i = 1; r == 0 && i < m.n; i++)
                r = agrees(&m, i, &d) ? 0 : 1;
        if (r != 0)
                return r;
        struct job_setting *defaults = calloc(m.n_defaults + 1, sizeof(*defaults));
        if (!defaults)
                return -ENOMEM;
        *ret_n = 0;
        for (size_t i = 0; i < m.n; i++)
                for (size_t k = 0; k < m.list[i]->n_defaults; k++)
                        defaults[(*ret_n)++] = m.list[i]->defaults[k];
        *ret = defaults;
        return 0;
}
