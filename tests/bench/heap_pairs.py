"""What a pair of an allocation and a free costs in CPU time, on the barest loop there is: bare; with the heap hook; with plain uprobes on
malloc and free; under heaptrack. The hook and the uprobes are switched on and off every second within one run, and medians of
neighbours compared, as machines drift. Prints a table.

    HOOK_DRIVER=build/tests/hook_driver PROGRAMS=build/tests/programs python3 heap_pairs.py [ROUNDS]
"""
import ctypes
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measured_loop import Loop

PROGRAM = Path(os.environ["PROGRAMS"]) / "heap_pairs"
SOURCE = Path(__file__).resolve().parent.parent / "programs" / "heap_pairs.rs"
DRIVER = os.environ["HOOK_DRIVER"]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5


class Hook:
    def __init__(self, pid):
        self.process = subprocess.Popen([DRIVER, str(pid), "--hold", "--interval", "524288"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line == "ready\n":
                break

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Uprobes:
    """Counting uprobes on libc's malloc and free."""

    def __init__(self, pid):
        libc = next(line.split()[-1] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "libc.so" in line)
        listing = subprocess.run(["nm", "-D", libc], capture_output=True, text=True, check=True).stdout
        kind = int(Path("/sys/bus/event_source/devices/uprobe/type").read_text())
        path = ctypes.create_string_buffer(libc.encode())
        self.fds = []
        for name in ("malloc", "free"):
            offset = next(int(line.split()[0], 16) for line in listing.splitlines()
                          if line.split()[-1].split("@")[0] == name and line.split()[-2] == "T")
            attr = bytearray(128)
            struct.pack_into("II", attr, 0, kind, 128)
            struct.pack_into("QQ", attr, 56, ctypes.addressof(path), offset)  # uprobe_path, probe_offset
            buffer = (ctypes.c_char * 128).from_buffer(attr)
            fd = ctypes.CDLL(None, use_errno=True).syscall(298, buffer, pid, -1, -1, 8)
            if fd < 0:
                raise OSError(ctypes.get_errno(), "perf_event_open")
            self.fds.append(fd)

    def stop(self):
        for fd in self.fds:
            os.close(fd)


def toggle(tool, program):
    """Seconds with the tool, and without it before and after."""
    loop = Loop(program)
    time.sleep(0.5)
    bare, with_tool = [], []
    for _ in range(ROUNDS):
        bare.append(loop.quickest())
        running = tool(loop.process.pid)
        time.sleep(0.2)
        with_tool.append(loop.quickest())
        running.stop()
        time.sleep(0.2)
    bare.append(loop.quickest())
    loop.stop()
    changes = [on / ((before + after) / 2) for on, before, after in zip(with_tool, bare, bare[1:])]
    return statistics.median(bare), statistics.median(with_tool), statistics.median(changes)


def under_heaptrack():
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop("heaptrack", "--raw", "-o", f"{folder}/trace", PROGRAM)
        time.sleep(2)
        ns = loop.quickest()
        loop.stop()
    return ns


def show(name, bare, with_tool, change):
    print(f"{name:46}{bare:9.1f} ns{with_tool:9.1f} ns{change * 100:+10.1f} %", flush=True)


def compare(name, tool, program=PROGRAM):
    bare, with_tool, change = toggle(tool, program)
    show(name, bare, with_tool, change - 1)
    return bare


def main():
    print(f"{'':46}{'bare':>12}{'with it':>12}{'change':>12}")
    bare = compare("heap hook, a sample in 512 KiB", Hook)
    with tempfile.TemporaryDirectory() as folder:
        static = Path(folder) / "heap_pairs"
        subprocess.run([os.environ.get("RUSTC", "rustc"), "--edition", "2021", "-O", "-g", "-C", "target-feature=+crt-static",
                        "--target", "x86_64-unknown-linux-gnu", "-o", static, SOURCE], check=True)
        compare("… in a static executable, by patched functions", Hook, static)
    compare("plain uprobes on malloc and free", Uprobes)
    if shutil.which("heaptrack"):
        ns = under_heaptrack()
        show("heaptrack, from the start", bare, ns, ns / bare - 1)


main()
