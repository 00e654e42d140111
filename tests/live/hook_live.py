"""What tests of the heap hook share: its driver, and programs that must never notice."""
import contextlib
import os
import random
import subprocess
import time
from pathlib import Path

import rsprof_live as live

DRIVER = os.environ.get("HOOK_DRIVER", live.PROGRAMS.parent / "hook_driver")
ROUNDS = float(os.environ.get("HOOK_ROUNDS", 1))
EPERM, ESRCH, EIO, ENOMEM, EBUSY, ENOSYS = 1, 3, 5, 12, 16, 38


def rounds(count):
    return max(1, int(count * ROUNDS))


@contextlib.contextmanager
def target(name, *arguments):
    """A program that must end sound when it is told to."""
    command = [live.PROGRAMS / name, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
            process.stdin.close()
            output = process.stdout.read()
            code = process.wait(timeout=60)
            assert code == 0 and output.endswith("sound\n"), f"{command}: exit code {code}\n{output[-300:]}"
        finally:
            process.kill()


def wait_ready(process):
    assert process.stdout.readline() == "ready\n"


def drive(pid, *arguments, code=0):
    """The driver's numbers."""
    command = [DRIVER, str(pid), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300 * max(1, ROUNDS))
    assert done.returncode == code, f"{command}: exit code {done.returncode} instead of {code}\n{done.stderr}"
    return {name: int(value) for name, value in (line.split() for line in done.stdout.splitlines() if " " in line)}


@contextlib.contextmanager
def driver(pid, *arguments):
    command = [DRIVER, str(pid), "--hold", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_ready(process):
    for line in process.stdout:
        if line == "ready\n":
            return
    raise AssertionError("the driver ended before it was ready")


def kill_drivers(process, attach_seconds):
    """At random moments: every other driver most probably while it attaches. The target lives on, and can be hooked again."""
    moments = random.Random(7)
    for i in range(rounds(60)):
        with driver(process.pid, "--interval", 5000, *(["--no-uprobes"] if i % 4 else [])) as attached:
            if i % 2:
                time.sleep(moments.random() * attach_seconds)
            else:
                await_ready(attached)
                time.sleep(moments.random() * 0.05)
    assert process.poll() is None
    seen = drive(process.pid, "--seconds", 0.3, "--no-uprobes", "--interval", 0)
    assert seen["samples"] > 1000, seen


def stub_mappings(pid):
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="ascii")
    return [line for line in maps.splitlines() if "rsprof-hook" in line]


def make_old(pid):
    """Makes the stub that is there one of another build (struct hook_header)."""
    code = next(line for line in stub_mappings(pid) if "r-xp" in line)
    build_at = int(code.split("-")[1].split()[0], 16) + 16
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(build_at)
        build = memory.read(8)
        memory.seek(build_at)
        memory.write(bytes([build[0] ^ 1]) + build[1:])


def build_nostd(folder, linker, *options):
    """heap_nostd.rs, linked by a C compiler with its libc."""
    folder, here = Path(folder), Path(__file__).parent
    rustc = os.environ.get("RUSTC", "rustc")
    library, program = folder / "libnostd.a", folder / "nostd"
    subprocess.run([rustc, "--edition", "2021", "-O", "-g", "-C", "panic=abort", *options, "-o", library, here / "heap_nostd.rs"],
                   check=True)
    subprocess.run([*linker, "-g", library, "-Wl,--gc-sections", "-o", program], check=True)
    return program
