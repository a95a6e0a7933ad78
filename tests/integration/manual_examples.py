# SPDX-License-Identifier: MIT
# manual_examples: writes the displays of manual pages (.Bd -literal, .Dl) into a folder, a file each, and a line for each to standard
# output: FILE|KIND|MARK|PAGE:LINE. The kind is told by how it begins: jobs, settings, python, c, data or shell; what is shell is example
# in the section EXAMPLES. The mark is the comment right before the display, where there is one.
#
#   manual_examples.py FOLDER PAGE...
import os
import re
import sys

KINDS = (
    ("jobs", re.compile(r"(#.*\n|\n)*\[(job |group |calendar |defaults\])")),
    ("settings", re.compile(r"\[chimed\]")),
    ("python", re.compile(r"import [a-z]")),
    ("c", re.compile(r"#include ")),
    ("shell", re.compile(r"(chimectl|chimed|/usr/libexec/chimed/|crontab|systemctl|journalctl|env|mkdir|sqlite3|printf|ps|s=|varlinkctl|rm) ?")),
)
PLAIN = {r"\e": "\\", r"\-": "-", r"\&": "", r"\(dq": '"', r"\(aq": "'"}


def plain(text, place):
    if re.search(r"\\\n", text):
        sys.exit(f"{place}: a backslash at the end of a line is lost; \\e is one")
    return re.sub(r"\\(\(..|.)", lambda m: PLAIN[m[0]], text)


def displays(page):
    """Yields (line, section, mark, raw text) of each display."""
    section, mark, begin, text = "", "", 0, None
    for number, line in enumerate(open(page, encoding="utf-8"), 1):
        if text is not None:
            if line.startswith(".Ed"):
                yield begin, section, mark, "".join(text)
                mark, text = "", None
            else:
                text.append(line)
        elif line.startswith(".Bd -literal"):
            begin, text = number, []
        elif line.startswith(".Dl ") and " Ar " not in line:
            yield number, section, mark, line[4:]
            mark = ""
        elif line.startswith('.\\" '):
            mark = line[4:].strip()
        elif not line.startswith(".Pp"):
            mark = ""
            section = line[4:].strip() if line.startswith(".Sh ") else section


def kind_of(text, section, mark):
    if mark.startswith("file:"):
        return "file"
    if mark.startswith("prints"):
        return "printed"
    kind = next((name for name, pattern in KINDS if pattern.match(text)), "data")
    return "example" if kind == "shell" and section == "EXAMPLES" else kind


folder, n = sys.argv[1], 0
for page in sys.argv[2:]:
    for line, section, mark, text in displays(page):
        place = f"{os.path.basename(page)}:{line}"
        path = f"{folder}/{n}"
        n += 1
        with open(path, "w", encoding="utf-8") as out:
            out.write(plain(text, place))
        print(path, kind_of(text, section, mark), mark, place, sep="|")
