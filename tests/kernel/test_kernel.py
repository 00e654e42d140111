"""rsprof on kernels older than the machine's: those of Debian's suites, in an emulated machine that holds nothing but rsprof, a
Rust program and guest.sh. RSPROF_CACHE: where the kernels are kept. usage: test_kernel.py SUITE
Ends with 77 where the mirror does not serve the suite."""
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "live"))
import rsprof_live as live  # noqa: E402 pylint: disable=wrong-import-position

CACHE = Path(os.environ.get("RSPROF_CACHE", Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rsprof-tests"))
NOT_SERVED = 77
BOOT_LIMIT = 300  # seconds; some 25 are needed
TOOLS = ("sh", "mount", "ls", "grep", "sleep", "kill", "cat", "poweroff")


def kernel_of(suite):
    """The path of the suite's kernel."""
    folder = CACHE / "kernels" / suite
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code = subprocess.run(["sh", HERE / "fetch-kernel.sh", suite, folder], check=False).returncode
    if code:
        print(f"NOT RUN: the mirror does not serve the kernel of {suite} (exit code {code})")
        sys.exit(NOT_SERVED if code == NOT_SERVED else 1)
    return folder / "vmlinuz"


def libraries_of(program):
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", output)


def pack(folder):
    """A file system with what guest.sh needs, as the kernel unpacks it."""
    root = folder / "root"
    files = {"/init": HERE / "guest.sh", "/bin/busybox": "/bin/busybox", "/bin/rsprof": live.RSPROF,
             "/shape": live.PROGRAMS / "shape"}
    files |= {path: path for program in (live.RSPROF, live.PROGRAMS / "shape") for path in libraries_of(program)}
    for target, source in files.items():
        path = root / target[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(source).read_bytes())
        path.chmod(0o755)
    for tool in TOOLS:
        (root / "bin" / tool).symlink_to("busybox")
    for mount_point in ("proc", "sys", "dev"):
        (root / mount_point).mkdir()
    archive = folder / "initramfs"
    with open(archive, "wb") as out:
        names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        subprocess.run(["cpio", "--create", "--format=newc", "--quiet"], input=names.encode(), stdout=out, cwd=root, check=True)
    return archive


def boot(kernel):
    """Runs guest.sh; gives what it wrote and what the kernel said."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # QEMU 7.2 may corrupt registers in cmpxchg16b when CPUs run in parallel: kernels do without it where it is not there.
        command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64,-cx16", "-smp", "2", "-m", "1G", "-nodefaults",
                   "-no-user-config", "-no-reboot", "-display", "none", "-serial", f"file:{folder}/console",
                   "-serial", f"file:{folder}/output", "-kernel", kernel, "-initrd", pack(folder),
                   "-append", "console=ttyS0 panic=-1 mitigations=off"]
        try:
            subprocess.run(command, timeout=BOOT_LIMIT, check=True)
        except subprocess.TimeoutExpired:
            print(f"the machine did not end within {BOOT_LIMIT} s")
        return (folder / "output").read_text().replace("\r", ""), (folder / "console").read_text(errors="replace")


class Guest:
    """What rsprof did on one kernel."""

    def __init__(self, suite):
        output, self.console = boot(kernel_of(suite))
        steps = re.findall(r"^snapshot (\w+)\ncode (\d+)\n(.*?)out\n(.*?)end\n", output, re.S | re.M)
        self.steps = {name: (int(code), err, out) for name, code, err, out in steps}

    def step(self, name):
        assert name in self.steps, f"no answer of the machine; its kernel's last words:\n{self.console[-3000:]}"
        return self.steps[name]

    def is_linux(self, version):
        assert re.search(rf"Linux version {re.escape(version)}\.", self.console), self.console[:300]

    def profiles_cpu_and_heap_by(self, mode):
        code, err, out = self.step(mode)
        assert code == 0 and err == "", (code, err)
        result = json.loads(out)
        status, marks = result["status"], live.marked_lines("shape")
        assert status["hints"] == [] and status["heap"]["mode"] == mode and status["state"] == "running", status
        hot = live.line_of(result, "shape", marks["hot"])
        assert hot["cpu"]["self"] > 0.5 and status["cpu"]["lost"] == 0, (hot, status)
        call = live.line_of(result, "shape", marks["call"])  # seen only where stacks are walked
        assert call["cpu"]["total"] > 0.5, (call, status)
        kept = live.line_of(result, "shape", marks["keep"])["heap"]
        assert abs(kept["selfLiveBytes"] - (8 << 20)) < 0.05 * (8 << 20), kept

    def refuses_and_says_what_is_needed(self):
        for code, err, out in (self.step("hook"), self.step("uprobe")):
            assert code == 1 and out == "", (code, out)
            assert re.fullmatch(r"rsprof: This kernel cannot .*\n +rsprof needs Linux \d.*\n", err), err


# What each kernel can do, exactly.
EVERYTHING = (lambda guest: guest.profiles_cpu_and_heap_by("hook"), lambda guest: guest.profiles_cpu_and_heap_by("uprobe"))
NOTHING = (Guest.refuses_and_says_what_is_needed,)
KERNELS = {"bullseye": ("5.10", NOTHING), "bookworm": ("6.1", EVERYTHING), "trixie": ("6.12", EVERYTHING)}


def test_of(suite):
    version, checks = KERNELS[suite]

    def test():
        guest = Guest(suite)
        guest.is_linux(version)
        for check in checks:
            check(guest)
    test.__name__ = f"linux_{version}_of_{suite}"
    return test


live.main(test_of(sys.argv[1]))
