# SPDX-License-Identifier: MIT
# fish completion for chimectl: verbs, options, job names. tests/lint/manual compares it with the tables of daemon/ctl.

function __chimectl_jobs
    COLUMNS=1000 NO_COLOR=1 chimectl --no-legend --no-pager list 2>/dev/null | string sub -s 3 | string split -f 1 ' '
    if string match -q '@*' -- (commandline -ct)
        COLUMNS=1000 NO_COLOR=1 chimectl --no-legend --no-pager list --groups 2>/dev/null | string sub -s 3 | string split -f 1 ' ' | string replace -r '^' '@'
    end
end

complete -c chimectl -f
complete -c chimectl -l socket -r -F -d "the socket of chimed"
complete -c chimectl -l user -d "your own instance"
complete -c chimectl -l json -f -a "pretty short off" -d "the answer as JSON"
complete -c chimectl -s q -l quiet -d "say nothing of what was done"
complete -c chimectl -l no-legend -d "no headers, no summary"
complete -c chimectl -l no-pager -d "no pager"
complete -c chimectl -s h -l help -d "print the options"
complete -c chimectl -l version -d "print the version"

set -l none __fish_use_subcommand
complete -c chimectl -n $none -a list -d "jobs: when next, how last"
complete -c chimectl -n $none -a show -d "one job"
complete -c chimectl -n $none -a status -d "one job"
complete -c chimectl -n $none -a why -d "why it does not run"
complete -c chimectl -n $none -a next -d "the next slots"
complete -c chimectl -n $none -a history -d "runs, and slots that did not run"
complete -c chimectl -n $none -a log -d "what it wrote, from the journal"
complete -c chimectl -n $none -a audit -d "check that the ledger has each slot once"
complete -c chimectl -n $none -a watch -d "what happens, live"
complete -c chimectl -n $none -a trigger -d "run it now"
complete -c chimectl -n $none -a cancel -d "stop its schedule and end its run"
complete -c chimectl -n $none -a stop -d "stop its schedule and end its run"
complete -c chimectl -n $none -a start -d "arm it again after cancel"
complete -c chimectl -n $none -a pause -d "stop its schedule, let its run finish"
complete -c chimectl -n $none -a resume -d "go on after pause"
complete -c chimectl -n $none -a wait -d "wait until runs of it have ended"
complete -c chimectl -n $none -a set-interval -d "another interval"
complete -c chimectl -n $none -a check -d "read the job files and tell what is wrong"
complete -c chimectl -n $none -a reload -d "have the job files read now"
complete -c chimectl -n $none -a cat -d "its settings and where they come from"
complete -c chimectl -n $none -a try -d "run it in this terminal, as chimed would"
complete -c chimectl -n $none -a env -d "what its run would get"
complete -c chimectl -n $none -a explain -d "what an expression means, and when it comes"
complete -c chimectl -n $none -a simulate -d "what the jobs would do in a period"
complete -c chimectl -n $none -a import -d "job files made of a crontab or a timer"
complete -c chimectl -n $none -a help -d "print the options of a verb"

set -l seen __fish_seen_subcommand_from
complete -c chimectl -n "not $none; and not $seen check reload explain import help" -a "(__chimectl_jobs)" -d job
complete -c chimectl -n "$seen list" -l groups -d "the groups, instead of jobs"
complete -c chimectl -n "$seen why" -l at -x -d "the slot of this instant"
complete -c chimectl -n "$seen next explain wait history log" -s n -l number -x -d "how many"
complete -c chimectl -n "$seen history log audit" -l since -x -d "not what was before this"
complete -c chimectl -n "$seen history log" -l until -x -d "not what was after this"
complete -c chimectl -n "$seen history" -l missed -d "only slots that did not run"
complete -c chimectl -n "$seen history" -l failed -d "only runs that failed"
complete -c chimectl -n "$seen log" -l run -x -d "only this run"
complete -c chimectl -n "$seen next explain simulate" -l from -x -d "after this instant"
complete -c chimectl -n "$seen next explain" -l cron -d "read it as a cron expression"
complete -c chimectl -n "$seen next explain" -l zone -x -a "UTC (string match -rv '^#' </usr/share/zoneinfo/zone1970.tab | string split -f 3 \t)" -d "the time zone of what names none"
complete -c chimectl -n "$seen next explain" -l gap -x -a "run-after skip" -d "times that the clock skips"
complete -c chimectl -n "$seen next explain" -l fold -x -a "first second both" -d "times that come twice"
complete -c chimectl -n "$seen watch" -l kinds -x -d "only these kinds of events" \
    -a "state armed started output ended missed withheld merged caught-up dropped end reload clock"
complete -c chimectl -n "$seen trigger" -l wait -d "wait for the end of the run"
complete -c chimectl -n "$seen trigger log" -s f -l follow -d "print its output as it comes"
complete -c chimectl -n "$seen trigger" -l if-running -x -a "join queue reject replace parallel" -d "if a run is in flight"
complete -c chimectl -n "$seen trigger" -l schedule -x -a "keep rebase" -d "what becomes of the planned times"
complete -c chimectl -n "$seen trigger" -l force -d "also if it is cancelled or disabled"
complete -c chimectl -n "$seen trigger try" -l set -x -d "a parameter for the run"
complete -c chimectl -n "$seen trigger wait" -l timeout -x -d "wait no longer"
complete -c chimectl -n "$seen cancel stop" -l run -f -d "only the run in flight"
complete -c chimectl -n "$seen cancel stop pause" -l reason -x -d why
complete -c chimectl -n "$seen pause" -l for -x -d "go on by itself after this"
complete -c chimectl -n "$seen wait" -l runs -x -d "until its count of runs"
complete -c chimectl -n "$seen wait" -l successes -x -d "until its count of good runs"
complete -c chimectl -n "$seen wait" -l finished -d "until nothing of it is in flight"
complete -c chimectl -n "$seen set-interval" -l reset -d "back to its definition"
complete -c chimectl -n "$seen check cat try env simulate" -l config -r -F -d "settings file"
complete -c chimectl -n "$seen check cat try env simulate" -l jobs -x -a "(__fish_complete_directories)" -d "folder with job files"
complete -c chimectl -n "$seen import; and not $seen crontab timer" -a "crontab timer"
complete -c chimectl -n "$seen import; and $seen crontab timer" -F
complete -c chimectl -n "$seen import" -l system -d "its lines have a user"
complete -c chimectl -n "$seen import" -l output -x -a "(__fish_complete_directories)" -d "a file for each job, into this folder"
complete -c chimectl -n "$seen simulate" -l to -x -d "up to this instant"
complete -c chimectl -n "$seen simulate" -l took -x -d "how long each run takes"
complete -c chimectl -n "$seen simulate" -l timeline -d "draw a row a job"
complete -c chimectl -n "$seen simulate" -l svg -r -F -d "the same as a picture"
complete -c chimectl -n "$seen env" -l export -d "only the variables"
