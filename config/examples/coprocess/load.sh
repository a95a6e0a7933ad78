#!/bin/sh
# SPDX-License-Identifier: MIT
# A coprocess in plain shell that yields metrics: how busy the processors were since the last tick, and what the load is.
# What it remembers between the ticks is in two variables; it starts no program for a tick.
#
#   load.sh

busy_then=0 all_then=0
while read -r _; do # the line says which tick it is; that does not matter here
        read -r _ user nice system idle wait irq softirq steal _ </proc/stat
        read -r load _ </proc/loadavg
        busy=$((user + nice + system + irq + softirq + ${steal:-0}))
        all=$((busy + idle + wait))
        [ $all -gt $all_then ] || all_then=$((all - 1))
        echo "busy=$((100 * (busy - busy_then) / (all - all_then)))% load=$load"
        busy_then=$busy all_then=$all
done
