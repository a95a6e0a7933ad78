# SPDX-License-Identifier: MIT
# journald_sockets: runs journald with sockets that are held here, as PID 1 holds them, and starts it anew when it dies; so a journald
# that is killed loses nothing of what others send meanwhile.
#
#   journald_sockets.py JOURNALD FILE    its process id is in FILE
import os
import socket
import sys
import time

KINDS = (("socket", socket.SOCK_DGRAM), ("stdout", socket.SOCK_STREAM), ("dev-log", socket.SOCK_DGRAM))
FIRST = 3  # descriptor, by sd_listen_fds(3)

held = []
os.umask(0)
for name, kind in KINDS:
    s = socket.socket(socket.AF_UNIX, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    s.bind("/run/systemd/journal/" + name)
    if kind == socket.SOCK_STREAM:
        s.listen(64)
    held.append(s)
os.umask(0o022)
while True:
    pid = os.fork()
    if pid == 0:
        high = [os.dup2(s.fileno(), 20 + i) for i, s in enumerate(held)]
        for i, fd in enumerate(high):
            os.dup2(fd, FIRST + i)
        os.closerange(FIRST + len(held), 64)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(held)))
        os.execv(sys.argv[1], sys.argv[1:2])
    with open(sys.argv[2] + ".new", "w", encoding="ascii") as f:
        f.write(f"{pid}\n")
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    os.waitpid(pid, 0)
    time.sleep(0.1)
