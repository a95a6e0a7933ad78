# SPDX-License-Identifier: MIT
# catalogue: reads records (JSON lines) and says which of them lack a field that the message catalogue's text names: journalctl -x
# would print its name in place of its value. Status 1 if there were any.
import json
import re
import sys

named = {}
fields = set()
for line in open(sys.argv[1], encoding="utf-8"):
    entry = re.match(r"-- ([0-9a-f]{32})$", line)
    if entry:
        fields = named[entry[1]] = set()
    elif not line.startswith("#"):
        fields.update(re.findall(r"@([A-Z_]+)@", line))

lacking = set()
for line in sys.stdin.buffer:
    if b'"MESSAGE_ID"' not in line:
        continue
    try:
        record = json.loads(line)
    except ValueError:  # a line that is being written
        continue
    for field in named.get(record["MESSAGE_ID"], ()):
        if field not in record:
            lacking.add(f"{record.get('CHIMED_EVENT')}: no {field}, which its text names: {record.get('MESSAGE')}")
print("\n".join(sorted(lacking)))
sys.exit(1 if lacking else 0)
