# SPDX-License-Identifier: MIT
# bash completion for chimectl: verbs, options, job names. tests/lint/manual compares it with the tables of daemon/ctl.
# shellcheck shell=bash

# The options of a verb ("" for those of all); "=" at the end where a value follows.
_chimectl_options() { # VERB
        echo "--socket= --user --json --quiet --no-legend --no-pager --help --version"
        case $1 in
        list) echo "--groups" ;;
        why) echo "--at=" ;;
        next | explain) echo "--number= --from= --cron --zone= --gap= --fold=" ;;
        history) echo "--since= --until= --missed --failed --number=" ;;
        log) echo "--run= --follow --number= --since= --until=" ;;
        audit) echo "--since=" ;;
        watch) echo "--kinds=" ;;
        trigger) echo "--wait --follow --if-running= --schedule= --force --timeout= --set=" ;;
        cancel | stop) echo "--run --reason=" ;;
        pause) echo "--for= --reason=" ;;
        wait) echo "--number= --runs= --successes= --finished --timeout=" ;;
        set-interval) echo "--reset" ;;
        check | cat) echo "--config= --jobs=" ;;
        try) echo "--config= --jobs= --set=" ;;
        env) echo "--config= --jobs= --export" ;;
        simulate) echo "--from= --to= --took= --timeline --svg= --config= --jobs=" ;;
        import) echo "--system --output=" ;;
        esac
}

_chimectl_jobs() {
        COLUMNS=1000 NO_COLOR=1 chimectl "${@}" --no-legend --no-pager list 2>/dev/null | cut -c 3- | cut -d ' ' -f 1
}

# The groups, where the word begins as one.
_chimectl_groups() {
        COLUMNS=1000 NO_COLOR=1 chimectl "${@}" --no-legend --no-pager list --groups 2>/dev/null | cut -c 3- | cut -d ' ' -f 1 | sed 's/^/@/'
}

_chimectl() {
        local verbs="list show status why next history log audit watch trigger cancel stop start pause resume wait set-interval check reload cat try env explain simulate import help"
        local word=${COMP_WORDS[COMP_CWORD]} option='' verb='' where=() i
        # "=" is a word of its own for bash: --json=sh is "--json" "=" "sh"
        if [ "$word" = "=" ]; then
                option=${COMP_WORDS[COMP_CWORD - 1]}
                word=
        elif ((COMP_CWORD > 1)) && [ "${COMP_WORDS[COMP_CWORD - 1]}" = "=" ]; then
                option=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                --socket) [ "${COMP_WORDS[i + 1]:-}" != "=" ] || where+=("--socket=${COMP_WORDS[i + 2]:-}") ;;
                --user) where+=(--user) ;;
                -* | =) ;;
                *) [ -n "$verb" ] || [ "${COMP_WORDS[i - 1]}" = "=" ] || verb=${COMP_WORDS[i]} ;;
                esac
        done
        case $option in
        --json) mapfile -t COMPREPLY < <(compgen -W "pretty short off" -- "$word") ;;
        --if-running) mapfile -t COMPREPLY < <(compgen -W "join queue reject replace parallel" -- "$word") ;;
        --gap) mapfile -t COMPREPLY < <(compgen -W "run-after skip" -- "$word") ;;
        --fold) mapfile -t COMPREPLY < <(compgen -W "first second both" -- "$word") ;;
        --zone) mapfile -t COMPREPLY < <(compgen -W "UTC $(grep -sv '^#' /usr/share/zoneinfo/zone1970.tab | cut -f 3)" -- "$word") ;;
        --schedule) mapfile -t COMPREPLY < <(compgen -W "keep rebase" -- "$word") ;;
        --kinds)
                mapfile -t COMPREPLY < <(compgen -W "state armed started output ended missed withheld merged caught-up dropped end reload
                        clock" -- "$word")
                ;;
        --jobs | --output)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -d -- "$word")
                ;;
        --config | --socket | --svg)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
                ;;
        "")
                if [[ $word == -* ]]; then
                        mapfile -t COMPREPLY < <(compgen -W "$(_chimectl_options "$verb")" -- "$word")
                        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
                elif [ -z "$verb" ] || [ "$verb" = help ]; then
                        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
                elif [ "$verb" = import ]; then
                        compopt -o filenames
                        mapfile -t COMPREPLY < <([ "${COMP_WORDS[COMP_CWORD - 1]}" != import ] || compgen -W "crontab timer" -- "$word"
                                [ "${COMP_WORDS[COMP_CWORD - 1]}" = import ] || compgen -f -- "$word")
                elif [[ $word == @* ]]; then
                        mapfile -t COMPREPLY < <(compgen -W "$(_chimectl_groups "${where[@]}")" -- "$word")
                elif [ "$verb" != check ] && [ "$verb" != reload ] && [ "$verb" != explain ]; then
                        mapfile -t COMPREPLY < <(compgen -W "$(_chimectl_jobs "${where[@]}")" -- "$word")
                fi
                ;;
        esac
}
complete -F _chimectl chimectl
