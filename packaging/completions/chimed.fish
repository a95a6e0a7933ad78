# SPDX-License-Identifier: MIT
# fish completion for chimed and chimed-runner. tests/lint/manual compares it with --help.

for program in chimed chimed-runner
    complete -c $program -f
    complete -c $program -l config -r -F -d "settings file"
    complete -c $program -l jobs -x -a "(__fish_complete_directories)" -d "folder with job files"
    complete -c $program -l run -x -a "(__fish_complete_directories)" -d "folder for the lock"
    complete -c $program -l state -x -a "(__fish_complete_directories)" -d "folder for the ledger"
    complete -c $program -l cgroup -x -a "auto own none (__fish_complete_directories)" -d "where cgroups of runs are made"
    complete -c $program -l log -x -a "journal logfmt json" -d "where records go"
    complete -c $program -l user -d "a user's own instance"
    complete -c $program -l check -d "read the files, print errors and warnings"
    complete -c $program -l help -d "print the options"
    complete -c $program -l version -d "print the version"
end
complete -c chimed -l connect -r -F -d "be the scheduler of a runner that listens"
complete -c chimed-runner -l scheduler -r -F -d "program to start as scheduler"
complete -c chimed-runner -l listen -d "serve the scheduler that connects"
complete -c chimed-runner -l stop -d "end the runner of the run folder"
complete -c chimed-runner -l reexec -d "have it execute its program anew"
complete -c chimed-runner -l read -d "be the reader"
complete -c chimed-runner -l try -x -d "run this job here"
complete -c chimed-runner -l env -x -d "print what its run would get"
complete -c chimed-runner -l quiet -d "do not say how it ended"
complete -c chimed-runner -l set -x -d "a parameter of the run"
