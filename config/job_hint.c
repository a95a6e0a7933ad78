// SPDX-License-Identifier: MIT
// job_hint: what to say of a key that chimed does not have: what it is called here, or the nearest name.

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/job_draft.h"
#include "config/nearest.h"

struct answer {
        const char *name, *text;
};

/* Names that admins bring from other systems, and keys of other sections. */
static const struct answer foreign[] = {
        {"AccuracySec", "is systemd's; slots here are exact, RandomizedDelay= spreads them"},
        {"OnUnitActiveSec", "is systemd's; here: Every= with Mode=fixed-rate"},
        {"OnUnitInactiveSec", "is systemd's; here: Every= (Mode=fixed-delay counts from the end of the last run)"},
        {"OnActiveSec", "is systemd's; here: InitialDelay= with Every="},
        {"OnBootSec", "is systemd's; here: OnBoot=SPAN"},
        {"OnStartupSec", "is systemd's; here: OnBoot=SPAN"},
        {"OnClockChange", "is systemd's; chimed handles clock steps by itself"},
        {"OnTimezoneChange", "is systemd's; TimeZone= is that of the schedule"},
        {"RandomizedDelaySec", "is systemd's; here: RandomizedDelay="},
        {"RandomizedOffsetSec", "is systemd's; here: RandomizedDelay="},
        {"Persistent", "is systemd's; here passed slots are always accounted for; CatchUp= says which run late"},
        {"WakeSystem", "is systemd's; chimed does not wake the machine"},
        {"RemainAfterElapse", "is systemd's; leave it out"},
        {"ExecStart", "is systemd's; here: Command= (no shell) or Script= (with a shell)"},
        {"ExecStartPre", "is systemd's; here: write the steps into Script="},
        {"ExecStartPost", "is systemd's; here: write the steps into Script="},
        {"ExecStop", "is systemd's; here: KillSignal= and KillGrace="},
        {"ExecStopPost", "is systemd's; here: write the steps into Script="},
        {"ExecReload", "is systemd's; a job is not reloaded"},
        {"Restart", "is systemd's; a job runs again at its next slot, and before that with Retries= after a failure"},
        {"RestartSec", "is systemd's; here: RetryDelay= with Retries="},
        {"RestartPreventExitStatus", "is systemd's; here: FinishExitStatus= ends the job, SkipExitStatus= the slot"},
        {"RestartForceExitStatus", "is systemd's; here: each failure is tried again with Retries="},
        {"RestartSteps", "is systemd's; here: RetryBackoff="},
        {"RestartMaxDelaySec", "is systemd's; here: RetryMaxDelay="},
        {"StartLimitBurst", "is systemd's; here: Retries= bounds a slot's attempts, StopAfterFailures= stops the job"},
        {"StartLimitIntervalSec", "is systemd's; here: Retries= bounds a slot's attempts, StopAfterFailures= stops the job"},
        {"RuntimeMaxSec", "is systemd's; here: Timeout="},
        {"TimeoutStartSec", "is systemd's; here: Timeout="},
        {"TimeoutSec", "is systemd's; here: Timeout= and KillGrace="},
        {"TimeoutStopSec", "is systemd's; here: KillGrace="},
        {"KillMode", "is systemd's; here the whole process tree is always ended"},
        {"FinalKillSignal", "is systemd's; here it is always KILL"},
        {"SendSIGKILL", "is systemd's; here KILL always follows after KillGrace="},
        {"Type", "is systemd's; a run here lasts until its process ends"},
        {"RemainAfterExit", "is systemd's; a run here lasts until its process ends"},
        {"DynamicUser", "is systemd's; here: User="},
        {"RootImage", "is systemd's; here: RootDirectory="},
        {"RootDirectoryStartOnly", "is systemd's; RootDirectory= is that of all that a run executes"},
        {"CPUSchedulingResetOnFork", "is systemd's; here: chrt --reset-on-fork in Command="},
        {"KeyringMode", "is systemd's; here each run has a session keyring of its own"},
        {"IgnoreSIGPIPE", "is systemd's; here no signal is ignored"},
        {"TimerSlackNSec", "is systemd's; here it is always 50us"},
        {"SyslogIdentifier", "is systemd's; here it is the job's name"},
        {"WantedBy", "is systemd's; a job file needs no [Install], Enabled=no turns a job off"},
        {"After", "is systemd's; jobs are not ordered by it"},
        {"Requires", "is systemd's; jobs are not ordered by it"},
        {"Wants", "is systemd's; jobs are not ordered by it"},
        {"ConditionCPUPressure", "is systemd's; here: ConditionLoadBelow=, or a test in ExecCondition="},
        {"ConditionMemoryPressure", "is systemd's; here: a test of /proc/pressure in ExecCondition="},
        {"ConditionIOPressure", "is systemd's; here: a test of /proc/pressure in ExecCondition="},
        {"ConditionPathExistsGlob", "is systemd's; here: a test in ExecCondition="},
        {"ConditionPathIsDirectory", "is systemd's; here: ExecCondition=/usr/bin/test -d PATH"},
        {"ConditionPathIsSymbolicLink", "is systemd's; here: ExecCondition=/usr/bin/test -L PATH"},
        {"ConditionPathIsMountPoint", "is systemd's; here: ExecCondition=/usr/bin/mountpoint -q PATH"},
        {"ConditionPathIsReadWrite", "is systemd's; here: ExecCondition=/usr/bin/test -w PATH"},
        {"ConditionDirectoryNotEmpty", "is systemd's; here: a test in ExecCondition="},
        {"ConditionFileNotEmpty", "is systemd's; here: ExecCondition=/usr/bin/test -s PATH"},
        {"ConditionFileIsExecutable", "is systemd's; here: ExecCondition=/usr/bin/test -x PATH"},
        {"ConditionHost", "is systemd's; here: a test in ExecCondition="},
        {"ConditionVirtualization", "is systemd's; here: ExecCondition=/usr/bin/systemd-detect-virt -q"},
        {"AssertPathExists", "is systemd's; here: ConditionPathExists="},
        {"MAILTO", "is cron's; here: MailTo=, with MailOn=output"},
        {"SHELL", "is cron's; here: Shell= for Script="},
        {"PATH", "is cron's; here: Environment=PATH=..."},
        {"HOME", "is cron's; here: WorkingDirectory=, or Environment=HOME=..."},
        {"CRON_TZ", "is cron's; here: TimeZone="},
        {"RANDOM_DELAY", "is cron's; here: RandomizedDelay="},
        {"TZ", "is the job's own: Environment=TZ=...; the schedule's is TimeZone="},
        {"Interval", "is Every= here"},
        {"Period", "is Every= here"},
        {"Schedule", "is Every=, OnCalendar= or Cron= here"},
        {"Exec", "is Command= here"},
        {"Cmd", "is Command= here"},
        {"MaxRunning", "belongs into [group NAME], of which the job is a member by MemberOf=, or into chimed.conf"},
        {"Name", "is not a key; a job's name stands in its header: [job NAME]"},
};

static const char *nearest_key(const char *name, const struct job_key *others, size_t n_others) {
        size_t n;
        const struct job_key *keys = job_keys(&n);
        struct nearest nearest = nearest_begin(name);

        for (size_t i = 0; i < n_others; i++)
                nearest_offer(&nearest, others[i].name);
        for (size_t i = 0; i < n; i++)
                nearest_offer(&nearest, keys[i].name);
        return nearest.found;
}

char *job_key_hint(const char *name, const struct job_key *others, size_t n_others, char buf[static 160]) {
        const size_t room = 160;

        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
                if (strcmp(foreign[i].name, name) == 0) {
                        snprintf(buf, room, "%s= %s", name, foreign[i].text);
                        return buf;
                }
        const char *known = nearest_key(name, others, n_others);
        if (known)
                snprintf(buf, room, "unknown key %.64s=; did you mean %s=?", name, known);
        else
                snprintf(buf, room, "unknown key %.64s=", name);
        return buf;
}
