#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A coprocess in Python that keeps a cache fresh: the digests of all files below a folder, in a JSON file.

It stays between the ticks and remembers what it has read: a tick reads only the files that have changed since. A trigger with the
parameter ALL=yes reads all anew. Ends when its standard input does, or when the folder is gone: the job is finished then.

    catalogue.py FOLDER CACHE
"""

import hashlib
import json
import os
import sys


class Catalogue:
    def __init__(self, folder, cache):
        self.folder, self.cache = folder, cache
        self.known = {}  # name: (time, size, digest)

    def refresh(self):
        """Reads what has changed. Returns how many files were read, and whether there is anything new."""
        found, n_read = {}, 0
        for where, folders, names in os.walk(self.folder):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(where, name)
                try:
                    state = os.stat(path)
                    entry = self.known.get(path)
                    if not entry or entry[:2] != (state.st_mtime_ns, state.st_size):
                        with open(path, "rb") as file:
                            digest = hashlib.sha256(file.read()).hexdigest()
                        entry = (state.st_mtime_ns, state.st_size, digest)
                        n_read += 1
                    found[path] = entry
                except OSError as error:  # gone meanwhile, or not ours to read: tell, and go on
                    print(f"{path}: {error.strerror}", file=sys.stderr)
        is_new = found != self.known
        self.known = found
        return n_read, is_new

    def write(self):
        """The new file takes the place of the old one: a reader never sees half of it."""
        with open(self.cache + ".new", "w", encoding="utf-8") as file:
            json.dump({path: entry[2] for path, entry in self.known.items()}, file)
        os.rename(self.cache + ".new", self.cache)

    def answer(self, request):
        if request["parameters"].get("ALL") == "yes":
            self.known = {}
        n_read, is_new = self.refresh()
        if not is_new:
            return {"status": "skipped", "value": "nothing new"}
        self.write()
        return {"status": "success", "value": {"files": len(self.known), "read": n_read}}


def main():
    catalogue = Catalogue(sys.argv[1], sys.argv[2])
    for line in sys.stdin:  # one line a tick, and one line back
        if not os.path.isdir(catalogue.folder):
            break
        try:
            answer = catalogue.answer(json.loads(line))
        except OSError as error:
            answer = {"status": "failed", "message": f"{error.filename}: {error.strerror}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
