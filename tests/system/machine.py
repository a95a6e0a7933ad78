# SPDX-License-Identifier: MIT
"""machine: a virtual machine with clocks and a power switch of its own, and chimed in it. For the vm-* tests beside it.

The machine is QEMU with Debian's kernel for clouds, an initrd of busybox and the programs of a build, and one disk for the ledger. Commands go in over a
virtio port. What jobs and records say comes out over a serial line into a file as it is said: what has run is known even when the power is cut.
No clock of this machine is ever set: the program inside that sets clocks refuses to run outside.
"""
import base64
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BOOT_S, CALL_S, CUT_S = 120, 60, 10
DISK_MB = 64
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk", "virtio_console")
SECOND, MINUTE, HOUR, DAY = 10**6, 60 * 10**6, 3600 * 10**6, 86400 * 10**6

INIT = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev; mount -t tmpfs t /run; mount -t cgroup2 c /sys/fs/cgroup
for module in /modules/*; do insmod $module; done
stty -F /dev/ttyS1 raw -echo
until [ -b /dev/vda ] && [ -c /dev/vport*p1 ]; do sleep 0.02; done
mount -t ext4 /dev/vda /disk || echo "no disk"
exec 3<>"$(echo /dev/vport*p1)"
while :; do
        while read -r tag text <&3; do
                echo "$text" | base64 -d >/run/command
                sh /run/command </dev/null >/run/output 2>&1 3>&-
                echo "$tag $? $(base64 /run/output | tr -d '\\n')" >&3
        done
        sleep 0.02
done
"""


class Skip(Exception):
    """The reason why this machine can't hold another."""


class Failed(Exception):
    """What is not as it must be."""


def call(*command, **options):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options).stdout


def wait_until(what, is_so, seconds):
    end = time.monotonic() + seconds
    while True:
        found = is_so()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed("not within %d s: %s" % (seconds, what))
        time.sleep(0.01)


def kernel_package():
    for line in call("apt-cache", "depends", "linux-image-cloud-amd64").splitlines():
        match = re.match(r" *Depends: (linux-image-\S+)", line)
        if match:
            return match.group(1)
    raise Skip("apt knows no kernel for clouds")


def fetch_kernel(folder):
    """The kernel and its modules, once a build folder."""
    if glob.glob(folder + "/boot/vmlinuz-*"):
        return
    for program in ("apt-get", "apt-cache", "dpkg"):
        if not shutil.which(program):
            raise Skip("needs %s, for a kernel" % program)
    os.makedirs(folder, exist_ok=True)
    try:
        call("apt-get", "-qq", "download", kernel_package(), cwd=folder, stderr=subprocess.DEVNULL)
        (package,) = glob.glob(folder + "/*.deb")
        call("dpkg", "-x", package, folder)
    except (subprocess.CalledProcessError, ValueError):
        raise Skip("no kernel could be fetched") from None
    os.unlink(package)


def libraries(program):
    """The files that a program is linked to; none where it is static."""
    found = subprocess.run(["ldd", program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", found.stdout)


def build_initrd(build, kernel, folder):
    """A root in memory: busybox, the programs, the libraries that they need."""
    root = folder + "/root"
    for name in ("bin", "dev", "disk", "etc", "modules", "proc", "run", "sys", "tmp"):
        os.makedirs(root + "/" + name)
    with open(root + "/etc/passwd", "w") as f:
        f.write("root:x:0:0:root:/:/bin/sh\n")
    with open(root + "/etc/group", "w") as f:
        f.write("root:x:0:\n")
    with open(root + "/init", "w") as f:
        f.write(INIT)
    os.chmod(root + "/init", 0o755)
    shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
    programs = [build + "/" + name for name in ("chimed", "chimed-runner", "chimectl", "tests/vm_guest")]
    for program in programs:
        shutil.copy(program, root + "/bin/")
        call("strip", "-g", root + "/bin/" + os.path.basename(program))
    for library in {path for program in programs for path in libraries(program)}:
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)
    for n, name in enumerate(MODULES):
        for path in glob.glob("%s/lib/modules/**/%s.ko*" % (kernel, name), recursive=True):
            shutil.copy(path, "%s/modules/%02d-%s" % (root, n, os.path.basename(path)))
    command = "find . | cpio -o -H newc --quiet | gzip -1 >../initrd"
    subprocess.run(command, shell=True, check=True, cwd=root)
    shutil.rmtree(root)


class Machine:
    """One machine with its disk; the methods that act on it need it up."""

    def __init__(self, build):
        for program in ("qemu-system-x86_64", "busybox", "cpio", "mkfs.ext4"):
            if not shutil.which(program):
                raise Skip("needs " + program)
        if libraries(shutil.which("busybox")):
            raise Skip("needs a static busybox")
        kernel = build + "/vm-kernel"
        fetch_kernel(kernel)
        self.vmlinuz = glob.glob(kernel + "/boot/vmlinuz-*")[0]
        self.folder = tempfile.mkdtemp(prefix="chimed-vm-")
        self.process = self.port = None
        self.n_calls = self.n_boots = 0
        try:
            build_initrd(build, kernel, self.folder)
            self.new_disk()
        except BaseException:
            self.remove()
            raise

    def new_disk(self):
        path = self.folder + "/disk"
        with open(path, "wb") as f:
            f.truncate(DISK_MB << 20)
        call("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", path)

    # ---- power ----

    def boot(self, rtc="utc", clock="host"):
        """rtc: what its clock of the hardware says, YYYY-MM-DDTHH:MM:SS; clock: "vm" lets it stand while the machine is paused."""
        self.n_boots += 1
        for name in ("port", "qmp"):
            if os.path.exists(self.folder + "/" + name):
                os.unlink(self.folder + "/" + name)
        command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35", "-smp", "1", "-m", "512"]
        command += ["-display", "none", "-nodefaults", "-no-reboot", "-nic", "none", "-kernel", self.vmlinuz, "-initrd", self.folder + "/initrd"]
        command += ["-append", "console=ttyS0 panic=-1 quiet chimed.vm=yes", "-rtc", "base=%s,clock=%s" % (rtc, clock)]
        command += ["-drive", "file=%s/disk,format=raw,if=virtio,cache=writeback" % self.folder, "-device", "virtio-serial-pci"]
        command += ["-serial", "file:%s/console" % self.folder, "-chardev", "file,id=told,append=on,path=%s/told" % self.folder]
        command += ["-serial", "chardev:told", "-qmp", "unix:%s/qmp,server=on,wait=off" % self.folder]
        command += ["-chardev", "socket,id=port,path=%s/port,server=on,wait=off" % self.folder, "-device", "virtserialport,chardev=port,nr=1"]
        with open(self.folder + "/qemu", "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def is_listening():
            if self.process.poll() is not None:
                with open(self.folder + "/qemu") as f:
                    raise Skip("QEMU does not start: " + f.read().strip()[-200:])
            return os.path.exists(self.folder + "/port") and os.path.exists(self.folder + "/qmp")

        wait_until("QEMU's sockets", is_listening, 20)
        self.port = socket.socket(socket.AF_UNIX)
        self.port.connect(self.folder + "/port")
        self.run("true", BOOT_S)

    def cut(self):
        """The power goes, at once."""
        if not self.process:
            return
        if self.port:
            self.port.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(CUT_S)
        self.process = self.port = None

    def remove(self):
        self.cut()
        if not os.environ.get("CHIMED_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def qmp(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(CALL_S)
            s.connect(self.folder + "/qmp")
            f = s.makefile("rw")
            f.readline()
            for text in ("qmp_capabilities", command):
                f.write(json.dumps({"execute": text}) + "\n")
                f.flush()
                reply = json.loads(f.readline())
                while "return" not in reply and "error" not in reply:
                    reply = json.loads(f.readline())
        if "error" in reply:
            raise Failed("%s: %s" % (command, reply["error"]))
        return reply["return"]

    def suspend(self, seconds):
        """Suspend to RAM: MONOTONIC stands still, the other clocks go on."""
        self.run("(sleep 0.3; echo mem >/sys/power/state) >/run/suspend 2>&1 &")
        wait_until("suspended", lambda: self.qmp("query-status")["status"] == "suspended", 20)
        time.sleep(seconds)
        self.qmp("system_wakeup")
        self.run("true")

    def pause(self, seconds):
        """The processors stand still: no clock inside goes on."""
        self.qmp("stop")
        time.sleep(seconds)
        self.qmp("cont")

    # ---- inside ----

    def send(self, script):
        self.n_calls += 1
        tag = "%d.%d" % (self.n_boots, self.n_calls)
        self.port.sendall(("%s %s\n" % (tag, base64.b64encode(script.encode()).decode())).encode())
        return tag

    def run(self, script, seconds=CALL_S, is_checked=True):
        """What a script of the shell inside prints; its status must be 0."""
        tag = self.send(script)
        end, text = time.monotonic() + seconds, b""
        while not text.endswith(b"\n"):
            self.port.settimeout(max(end - time.monotonic(), 0.01))
            try:
                part = self.port.recv(1 << 16)
            except socket.timeout:
                raise Failed("no answer within %d s to: %s" % (seconds, script)) from None
            if not part:
                raise Failed("the machine went away during: " + script)
            text += part
        found, status, output = (text.decode().rstrip("\n").split(" ") + [""])[:3]
        output = base64.b64decode(output).decode(errors="replace")
        if found != tag:
            raise Failed("an answer to another question than: " + script)
        if status != "0" and is_checked:
            raise Failed("status %s of %s: %s" % (status, script, output[-500:]))
        return output

    def now(self):
        """REALTIME, BOOTTIME and MONOTONIC in microseconds."""
        return tuple(int(word) for word in self.run("vm_guest now").split())

    def step(self, by_us):
        """Sets the wall clock; returns REALTIME and BOOTTIME just before."""
        return tuple(int(word) for word in self.run("vm_guest set %d" % by_us).split())

    def set_to(self, rt_us):
        return self.step(rt_us - self.now()[0])

    def told(self):
        """The lines that came out so far."""
        if not os.path.exists(self.folder + "/told"):
            return []
        with open(self.folder + "/told", errors="replace") as f:
            return f.read().split("\n")[:-1]
