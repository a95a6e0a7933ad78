# SPDX-License-Identifier: MIT
# bash completion for chimed and chimed-runner. tests/lint/manual compares it with --help.
# shellcheck shell=bash

_chimed() {
        local word=${COMP_WORDS[COMP_CWORD]} option=
        # "=" is a word of its own for bash: --log=js is "--log" "=" "js"
        if [ "$word" = "=" ]; then
                option=${COMP_WORDS[COMP_CWORD - 1]}
                word=
        elif ((COMP_CWORD > 1)) && [ "${COMP_WORDS[COMP_CWORD - 1]}" = "=" ]; then
                option=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        case $option in
        --log) mapfile -t COMPREPLY < <(compgen -W "journal logfmt json" -- "$word") ;;
        --cgroup)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -W "auto own none" -- "$word"; compgen -d -- "$word")
                ;;
        --jobs | --run | --state)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -d -- "$word")
                ;;
        --config | --scheduler | --connect)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
                ;;
        "")
                local options="--config= --jobs= --run= --state= --cgroup= --log= --user --check --help --version"
                [ "${COMP_WORDS[0]##*/}" != chimed ] || options+=" --connect="
                [ "${COMP_WORDS[0]##*/}" != chimed-runner ] || options+=" --scheduler= --listen --stop --reexec --read --try= --env= --quiet --set="
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
                [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
                ;;
        esac
}
complete -F _chimed chimed chimed-runner
