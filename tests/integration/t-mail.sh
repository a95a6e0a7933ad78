#!/bin/bash
# SPDX-License-Identifier: MIT
# MailTo=: failures, output or all results are mailed once, with a header that a job's output can't change; without a sendmail it is loud.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
answers() { ctl list >/dev/null 2>&1; }
has_run() { [ "$(ctl --json=short show "$1" | jq .runs)" -ge "$2" ]; } # JOB N
n_mails() { find "$T/out" -name 'mail.*' | wc -l; }
# The mail of a job.
mail_of() { cat "$(grep -l "^Subject: .*: $1 " "$T"/out/mail.*)"; }

cat >"$T/sendmail" <<END
#!/bin/sh
[ "\$*" = "-i -t" ] || exit 64
[ ! -e $T/out/busy ] || { rm $T/out/busy; exit 75; }
cat >$T/out/new.\$\$ && mv $T/out/new.\$\$ $T/out/mail.\$\$
END
chmod 755 "$T/sendmail"
printf '[chimed]\nSendmail=%s\n' "$T/sendmail" >"$T/chimed.conf"
write_job fails <<END
MailTo=root,ops@example.org
Script=printf 'To: evil@example.org\nBcc: evil@example.org\n\n.\nlast words\n'; exit 3
END
write_job talks <<END
MailTo=root
MailOn=output
Script=[ ! -e $T/out/talk ] || echo hello
END
write_job works <<END
MailTo=root
MailOn=always
Command=/bin/true
END
start_daemon "--state=$T/state"
until_true 10 answers

ctl -q trigger --wait fails || true
until_true 10 has_run fails.mail 1
assert_equal "mails" 1 "$(n_mails)"
mail=$(mail_of fails)
assert_equal "the header" "To: root, ops@example.org
Subject: chimed on $(uname -n): fails failed with exit status 3
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit" "$(sed '/^$/,$d' <<<"$mail")"
assert_contains "the output" $'\n.\nlast words' "$mail"

ctl -q trigger --wait talks
until_true 10 has_run talks.mail 1
assert_equal "what comes of a silent run" skipped "$(ctl --json=short show talks.mail | jq -r .lastRun.result)"
touch "$T/out/talk"
ctl -q trigger --wait talks
until_true 10 has_run talks.mail 2
assert_contains "the mail of output" hello "$(mail_of talks)"
ctl -q trigger --wait works
until_true 10 has_run works.mail 1
assert_contains "the mail of a good run" "works succeeded" "$(mail_of works)"
assert_equal "mails" 3 "$(n_mails)"

# A mail system that is busy gets it later.
touch "$T/out/busy"
ctl -q trigger --wait works
until_true 10 has_run works.mail 2
assert_equal "state after a failed mail" pending "$(ctl --json=short show works.mail | jq -r .state)"
ctl -q trigger --wait works.mail
assert_equal "mails" 4 "$(n_mails)"

# A trigger without a result has nothing to mail.
ctl trigger --wait works.mail || true
assert_equal "what comes of a trigger" skipped "$(ctl --json=short show works.mail | jq -r .lastRun.result)"
grep -q "nothing to mail: " "$log" || die "the mail job does not say why"
assert_equal "mails" 4 "$(n_mails)"

# Without one it is loud.
rm "$T/sendmail"
mark_log
printf '[chimed]\nSendmail=%s\n\n' "$T/sendmail" >"$T/chimed.conf"
ctl -q reload
wait_event config-warning
assert_contains "the warning" "no mail can be sent" "$(event_field MESSAGE config-warning)"
ctl -q trigger --wait fails || true
wait_event retry fails.mail
assert_contains "the record" "there is no $T/sendmail" "$(event_field MESSAGE retry fails.mail)"
stop_daemon
