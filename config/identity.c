// SPDX-License-Identifier: MIT
// identity: User= and Group= to numbers, groups, home and shell, through the system's name services.
// An answer is remembered as found, refused or unknown, so that a bad user of a thousand jobs is asked for once, too.

#include "config/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEDULER_USER "chimed"
#define BUFFER_FIRST   4096
#define BUFFER_MAX     (16 * 1024 * 1024)
#define GROUPS_MAX     65536
#define ID_MAX         (UINT32_MAX - 1)
#define ID_RESERVED    65535u /* (uid_t)-1 of 16-bit times */

/* One pair of User= and Group= and its answer. */
struct identity_entry {
        char *user, *group; /* NULL: not set */
        char *refusal;      /* NULL: found */
        bool is_own;        /* the caller's own: nothing to switch */
        uid_t uid;
        gid_t gid;
        gid_t *groups;
        size_t n_groups;
        char *login_name, *home, *login_shell; /* NULL: not in the data base */
};

/* A user or group of Allow= and its answer. */
struct identity_name {
        char *name;
        bool is_group;
        int result; /* of id_find() */
        uint32_t id;
};

static void entry_done(struct identity_entry *e) {
        free(e->user);
        free(e->group);
        free(e->refusal);
        free(e->groups);
        free(e->login_name);
        free(e->home);
        free(e->login_shell);
}

void identity_cache_done(struct identity_cache *cache) {
        for (size_t i = 0; i < cache->n; i++)
                entry_done(&cache->list[i]);
        for (size_t i = 0; i < cache->n_names; i++)
                free(cache->names[i].name);
        free(cache->names);
        free(cache->list);
        *cache = (struct identity_cache){};
}

/* Sets the refusal. 0 or -ENOMEM. */
__attribute__((format(printf, 2, 3))) static int refuse(struct identity_entry *e, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&e->refusal, format, arguments) < 0)
                e->refusal = NULL;
        va_end(arguments);
        return e->refusal ? 0 : -ENOMEM;
}

/* True if text is a number; *ret_id is UINT32_MAX where it names nobody. */
static bool is_number(const char *text, uint32_t *ret_id) {
        uint64_t v = 0;

        if (!*text || text[strspn(text, "0123456789")])
                return false;
        for (; *text && v <= UINT32_MAX; text++)
                v = v * 10 + (uint64_t)(*text - '0');
        *ret_id = v > ID_MAX || v == ID_RESERVED ? UINT32_MAX : (uint32_t)v;
        return true;
}

/* Asks once more with a larger buffer as long as the answer does not fit. */
static int buffer_grow(char **buffer, size_t *size) {
        size_t wanted = *size ? *size * 4 : BUFFER_FIRST;
        char *grown = wanted <= BUFFER_MAX ? realloc(*buffer, wanted) : NULL;

        if (!grown)
                return -ENOMEM;
        *buffer = grown;
        *size = wanted;
        return 0;
}

/* Looks a user up by name, or by uid where name is NULL. 0, 1 if there is none, or a negative error. */
static int user_find(const char *name, uid_t uid, struct passwd *ret, char **ret_buffer) {
        char *buffer = NULL;
        size_t size = 0;
        struct passwd *found = NULL;
        int r;

        do {
                r = buffer_grow(&buffer, &size);
                if (r == 0)
                        r = -(name ? getpwnam_r(name, ret, buffer, size, &found) : getpwuid_r(uid, ret, buffer, size, &found));
        } while (r == -ERANGE);
        if (r == 0 && found) {
                *ret_buffer = buffer;
                return 0;
        }
        free(buffer);
        return r == 0 || r == -ENOENT || r == -ESRCH ? 1 : r;
}

static int group_find(const char *name, gid_t *ret_gid) {
        char *buffer = NULL;
        size_t size = 0;
        struct group entry, *found = NULL;
        int r;

        do {
                r = buffer_grow(&buffer, &size);
                if (r == 0)
                        r = -getgrnam_r(name, &entry, buffer, size, &found);
        } while (r == -ERANGE);
        if (r == 0 && found)
                *ret_gid = entry.gr_gid;
        free(buffer);
        return r == 0 && found ? 0 : r == 0 || r == -ENOENT || r == -ESRCH ? 1 : r;
}

static int groups_find(struct identity_entry *e, const char *name) {
        int n = 32, r = -1;

        while (r < 0 && n <= GROUPS_MAX) {
                int room = n;
                gid_t *groups = realloc(e->groups, (size_t)room * sizeof(*groups));
                if (!groups)
                        return -ENOMEM;
                e->groups = groups;
                r = getgrouplist(name, e->gid, groups, &n);
                if (r >= 0)
                        e->n_groups = (size_t)n;
                else if (n <= room)
                        n = room * 2;
        }
        return r < 0 ? refuse(e, "user %s is in more than %d groups", name, GROUPS_MAX) : 0;
}

static int copy_text(const char *text, char **ret) {
        *ret = text && *text ? strdup(text) : NULL;
        return *ret || !text || !*text ? 0 : -ENOMEM;
}

static int account_take(struct identity_entry *e, const struct passwd *account) {
        e->uid = account->pw_uid;
        e->gid = account->pw_gid;
        int r = copy_text(account->pw_name, &e->login_name);
        if (r == 0)
                r = copy_text(account->pw_dir, &e->home);
        if (r == 0)
                r = copy_text(account->pw_shell, &e->login_shell);
        return r;
}

/* A number may have several names, and each would be the scheduler. */
static int scheduler_check(struct identity_entry *e) {
        struct passwd account;
        char *buffer = NULL;
        int r = user_find(SCHEDULER_USER, 0, &account, &buffer);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(e, "user " SCHEDULER_USER " could not be looked up: %s", strerror(-r));
        bool is_same = r == 0 && account.pw_uid == e->uid;
        free(buffer);
        return is_same ? refuse(e, "User=%s is the scheduler's own; jobs may not run as it", e->user) : 0;
}

/* Who: User=, or the caller where only Group= is set. */
static int user_resolve(struct identity_entry *e) {
        struct passwd account;
        char *buffer = NULL;
        uint32_t uid = geteuid();
        bool is_by_id = !e->user || is_number(e->user, &uid);

        if (uid == UINT32_MAX)
                return refuse(e, "User=%s: no user can have that number", e->user);
        int r = user_find(is_by_id ? NULL : e->user, uid, &account, &buffer);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(e, "User=%s could not be looked up: %s", e->user ? e->user : "", strerror(-r));
        if (r == 0) {
                r = account_take(e, &account);
                free(buffer);
                return r == 0 && e->user ? scheduler_check(e) : r;
        }
        e->uid = uid;
        e->gid = e->user ? (gid_t)-1 : getegid();
        if (!is_by_id)
                return refuse(e, "user %s is not known", e->user);
        if (!e->group && e->user)
                return refuse(e, "user %s is not in the data base, so Group= must be given", e->user);
        return 0;
}

static int group_resolve(struct identity_entry *e) {
        uint32_t gid;

        if (!e->group)
                return 0;
        if (is_number(e->group, &gid)) {
                if (gid == UINT32_MAX)
                        return refuse(e, "Group=%s: no group can have that number", e->group);
                e->gid = gid;
                return 0;
        }
        int r = group_find(e->group, &e->gid);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(e, "Group=%s could not be looked up: %s", e->group, strerror(-r));
        return r > 0 ? refuse(e, "group %s is not known", e->group) : 0;
}

static int entry_resolve(struct identity_entry *e) {
        int r = user_resolve(e);

        if (r == 0 && !e->refusal)
                r = group_resolve(e);
        if (r < 0 || e->refusal)
                return r;
        if (geteuid() != 0) {
                if (e->uid != geteuid())
                        return refuse(e, "User=%s: only root can run jobs as other users", e->user);
                if (e->group && e->gid != getegid())
                        return refuse(e, "Group=%s: only root can run jobs with other groups", e->group);
                e->is_own = true;
                return 0;
        }
        return e->login_name ? groups_find(e, e->login_name) : 0;
}

static bool is_same_text(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Finds the pair, the one used last first, or asks for it. */
static int cache_find(struct identity_cache *cache, const char *user, const char *group, const struct identity_entry **ret) {
        struct identity_entry entry = {};

        for (size_t i = cache->n; i-- > 0;)
                if (is_same_text(cache->list[i].user, user) && is_same_text(cache->list[i].group, group)) {
                        entry = cache->list[i];
                        cache->list[i] = cache->list[cache->n - 1];
                        cache->list[cache->n - 1] = entry;
                        *ret = &cache->list[cache->n - 1];
                        return 0;
                }
        struct identity_entry *list = realloc(cache->list, (cache->n + 1) * sizeof(*list));
        if (!list)
                return -ENOMEM;
        cache->list = list;
        int r = copy_text(user, &entry.user);
        if (r == 0)
                r = copy_text(group, &entry.group);
        if (r == 0)
                r = entry_resolve(&entry);
        if (r < 0) {
                entry_done(&entry);
                return r;
        }
        list[cache->n] = entry;
        *ret = &list[cache->n++];
        return 0;
}

static int identity_take(struct job_what *what, const struct identity_entry *e) {
        int r = copy_text(e->login_name, &what->login_name);

        if (r == 0)
                r = copy_text(e->home, &what->home);
        if (r == 0)
                r = copy_text(e->login_shell, &what->login_shell);
        if (r == 0 && e->n_groups > 0) {
                what->groups = malloc(e->n_groups * sizeof(*e->groups));
                if (!what->groups)
                        return -ENOMEM;
                memcpy(what->groups, e->groups, e->n_groups * sizeof(*e->groups));
                what->n_groups = e->n_groups;
        }
        what->uid = e->uid;
        what->gid = e->gid;
        what->has_identity = true;
        return r;
}

/* The number of a user or group. 0, 1 if there is none, or a negative error. */
static int id_find(const char *name, bool is_group, uint32_t *ret) {
        struct passwd account;
        char *buffer = NULL;
        int r;

        if (is_number(name, ret))
                return *ret == UINT32_MAX;
        if (is_group)
                return group_find(name, ret);
        r = user_find(name, 0, &account, &buffer);
        if (r == 0)
                *ret = account.pw_uid;
        free(buffer);
        return r;
}

/* Finds the name or asks for it. */
static int cache_find_name(struct identity_cache *cache, const char *name, bool is_group, const struct identity_name **ret) {
        for (size_t i = cache->n_names; i-- > 0;)
                if (cache->names[i].is_group == is_group && strcmp(cache->names[i].name, name) == 0) {
                        *ret = &cache->names[i];
                        return 0;
                }
        struct identity_name *names = realloc(cache->names, (cache->n_names + 1) * sizeof(*names));
        if (!names)
                return -ENOMEM;
        cache->names = names;
        struct identity_name entry = {.name = strdup(name), .is_group = is_group};
        entry.result = entry.name ? id_find(name, is_group, &entry.id) : -ENOMEM;
        if (entry.result == -ENOMEM) {
                free(entry.name);
                return -ENOMEM;
        }
        names[cache->n_names] = entry;
        *ret = &names[cache->n_names++];
        return 0;
}

static void tell_unknown(const struct job_mention *mention, const char *what, const struct identity_name *found,
                         const char *right, struct diags *diags) {
        if (found->result < 0)
                diags_add(diags, false, mention->file, mention->line, mention->column, "%s %s could not be looked up: %s", what,
                          mention->name, strerror(-found->result));
        else
                diags_add(diags, false, mention->file, mention->line, mention->column, "%s %s is not known; %s", what,
                          mention->name, right);
}

/* One right of Allow= to its number. 0, 1 (told), -ENOMEM. */
static int right_resolve(struct identity_cache *cache, struct job *job, const struct job_mention *right, struct diags *diags) {
        const char *what = right->kind & JOB_ALLOW_GROUP ? "group" : "user";
        const struct identity_name *found;
        int r = cache_find_name(cache, right->name, right->kind & JOB_ALLOW_GROUP, &found);

        if (r < 0)
                return r;
        if (found->result == 0) {
                if (found->id != 0 || right->kind & JOB_ALLOW_GROUP) /* root may anyway */
                        job_when_allow(&job->when, right->kind, found->id);
                return 0;
        }
        tell_unknown(right, what, found, "write a user, %GROUP for a group, or a number", diags);
        return 1;
}

static int rights_resolve(struct identity_cache *cache, struct job *job, struct diags *diags) {
        int result = 0;

        if (!job->has_allow && job->what.has_identity && job->what.uid != 0)
                job_when_allow(&job->when, JOB_ALLOW_TRIGGER, job->what.uid);
        for (size_t i = 0; i < job->rights.n; i++) {
                int r = right_resolve(cache, job, &job->rights.list[i], diags);
                if (r < 0)
                        return r;
                result |= r;
        }
        return result;
}

/* Adds a group to those that it is in; each stands once. */
static int group_add(struct job_what *what, gid_t gid) {
        for (size_t i = 0; i < what->n_groups; i++)
                if (what->groups[i] == gid)
                        return 0;
        gid_t *groups = reallocarray(what->groups, what->n_groups + 1, sizeof(*groups));
        if (!groups)
                return -ENOMEM;
        what->groups = groups;
        groups[what->n_groups++] = gid;
        return 0;
}

static bool is_own_group(gid_t gid) {
        return gid == getegid() || group_member(gid);
}

/* One name of SupplementaryGroups=. A user's own instance changes no groups, so only what it has can be asked for. 0, 1 (told), -ENOMEM. */
static int supplementary_resolve(struct identity_cache *cache, struct job *job, const struct job_mention *group,
                                 struct diags *diags) {
        const struct identity_name *found;
        int r = cache_find_name(cache, group->name, true, &found);

        if (r < 0)
                return r;
        if (found->result == 0 && geteuid() == 0)
                return group_add(&job->what, found->id);
        if (found->result == 0 && is_own_group(found->id))
                return 0;
        if (found->result == 0)
                diags_add(diags, false, group->file, group->line, group->column,
                          "group %s: only root can run jobs with other groups", group->name);
        else
                tell_unknown(group, "group", found, "write its name or number", diags);
        return 1;
}

static int supplementaries_resolve(struct identity_cache *cache, struct job *job, struct diags *diags) {
        int result = 0;

        for (size_t i = 0; i < job->groups.n; i++) {
                int r = supplementary_resolve(cache, job, &job->groups.list[i], diags);
                if (r < 0)
                        return r;
                result |= r;
        }
        return result;
}

static int user_and_group_resolve(struct identity_cache *cache, struct job *job, struct diags *diags) {
        const struct identity_entry *entry;

        if (!job->what.user && !job->what.group && job->groups.n == 0)
                return 0;
        int r = cache_find(cache, job->what.user, job->what.group, &entry);
        if (r < 0)
                return r;
        if (entry->refusal) {
                diags_add(diags, false, job->file, job->line, 0, "job %s: %s", job->name, entry->refusal);
                return 1;
        }
        r = entry->is_own ? 0 : identity_take(&job->what, entry);
        return r == 0 ? supplementaries_resolve(cache, job, diags) : r;
}

/* What only root can do for its jobs. */
static int root_check(const struct job *job, struct diags *diags) {
        if (!job->what.root_directory || geteuid() == 0)
                return 0;
        diags_add(diags, false, job->file, job->line, 0, "job %s: RootDirectory= is for root; only it can change what / is",
                  job->name);
        return 1;
}

int identity_resolve(struct identity_cache *cache, struct job *job, struct diags *diags) {
        int r = user_and_group_resolve(cache, job, diags);

        if (r < 0)
                return r;
        r |= root_check(job, diags);
        int rights_result = rights_resolve(cache, job, diags);
        return rights_result < 0 ? rights_result : r | rights_result;
}
