// SPDX-License-Identifier: MIT
// control_rights: a right includes those before it in enum api_right.

#include "daemon/scheduler/control_rights.h"

static bool has_group(const struct control_peer *peer, gid_t gid) {
        if (peer->gid == gid)
                return true;
        for (size_t i = 0; i < peer->n_groups; i++)
                if (peer->groups[i] == gid)
                        return true;
        return false;
}

bool control_is_admin(const struct control_peer *peer, uid_t own_uid, gid_t admin_gid) {
        return peer->uid == 0 || peer->uid == own_uid || (admin_gid != (gid_t)-1 && has_group(peer, admin_gid));
}

enum api_right control_right_of(const struct control_peer *peer, const struct job_when *when) {
        enum api_right right = API_RIGHT_SEE;
        for (size_t i = 0; i < JOB_ALLOW_MAX && when->allow_kinds[i] != 0; i++) {
                unsigned kind = when->allow_kinds[i];
                uint32_t id = when->allow_ids[i];
                if (kind & JOB_ALLOW_GROUP ? !has_group(peer, id) : peer->uid != id)
                        continue;
                if (kind & JOB_ALLOW_CONTROL)
                        return API_RIGHT_CONTROL;
                if (kind & JOB_ALLOW_TRIGGER)
                        right = API_RIGHT_TRIGGER;
        }
        return right;
}

const char *control_holders(enum api_right right, bool is_group) {
        static const char *const holders[][2] = {
                [API_RIGHT_SEE] = {"everybody who can connect", "everybody who can connect"},
                [API_RIGHT_TRIGGER] = {"root, group chimed or who the job's Allow= names (without Allow=, its User=)",
                                       "root, group chimed or who may trigger each member"},
                [API_RIGHT_CONTROL] = {"root, group chimed or who the job's Allow=control: names",
                                       "root, group chimed or who the Allow=control: of each member names"},
                [API_RIGHT_ADMIN] = {"root or group chimed", "root or group chimed"},
        };
        return holders[right][is_group];
}

const char *control_refusal(bool is_root, size_t n_clients, size_t n_of_uid) {
        if (n_clients >= CONTROL_CLIENTS_MAX)
                return "there are too many connections";
        if (!is_root && n_clients >= CONTROL_CLIENTS_MAX - CONTROL_ROOT_RESERVE)
                return "the last connections are kept for root";
        return n_of_uid >= CONTROL_CLIENTS_UID_MAX ? "this user has too many connections" : NULL;
}
