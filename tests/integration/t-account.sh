#!/bin/bash
# SPDX-License-Identifier: MIT
# The arithmetic of account.py finds a hole, a double, a wrong count and a slot off the grid; so its "complete" means something.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

run_of() { # SLOT
        printf '{"CHIMED_JOB":"j","CHIMED_EVENT":"started","CHIMED_RUN_ID":"x-%d","CHIMED_SLOT_USEC":"%d"}\n' "$1" $(($1 * 1000000))
}
missed() { # FIRST LAST COUNT
        printf '{"CHIMED_JOB":"j","CHIMED_EVENT":"missed","CHIMED_REASON":"overlap","CHIMED_COUNT":"%d",' "$3"
        printf '"CHIMED_FIRST_SLOT":"1970-01-01T00:00:%02dZ","CHIMED_LAST_SLOT":"1970-01-01T00:00:%02d.000000Z"}\n' "$1" "$2"
}
tried_again() { # SLOT
        run_of "$1" | sed 's/started",/retry","CHIMED_RESULT":"start-failed",/'
}
account() { python3 "$here/account.py" --job=j --period=1000000 "$@"; }
must_fail() { # WHAT IT SAYS; records on standard input
        local said status=0
        said=$(account) || status=$?
        assert_equal "status for '$1'" 1 "$status"
        assert_contains "what is said" "$1" "$said"
}
{ run_of 1 && missed 2 3 2 && run_of 4; } | account
{ run_of 1 && run_of 1; } | account --may-retell
{ run_of 1 && tried_again 2 && missed 2 2 1; } | account
{ run_of 1 && tried_again 2 && run_of 2; } | account
{ run_of 1 && tried_again 2 && run_of 3; } | must_fail "slot 1 has no outcome"
{ run_of 1 && missed 3 3 1; } | must_fail "slot 1 has no outcome"
{ run_of 1 && missed 1 2 2; } | must_fail "slot 0 twice"
{ run_of 1 && missed 2 4 2; } | must_fail "says it holds 2"
{ run_of 1 && run_of 1; } | must_fail "slot 0 twice"
{ run_of 1 && run_of 2 | sed s/2000000/2400000/; } | must_fail "off the grid"
must_fail "no slots at all" </dev/null
