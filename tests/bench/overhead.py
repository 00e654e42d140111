#!/usr/bin/env python3
"""What profiling costs the target: attaches and detaches every second within one run, and compares the rounds a second of CPU time in
neighbouring halves. Prints the median of the pairs' ratios, since these machines drift.

usage: RSPROF=… PROGRAMS=… overhead.py [--pairs N] [--heap MODE] [KIND:THREADS ...]"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "live"))
from rsprof_server import Server  # noqa: E402

PROGRAMS = os.environ["PROGRAMS"]


class Counter:
    """Rounds that the target has done, with the CPU time they took: what else runs on the machine does not count."""

    def __init__(self, path, pid):
        self.file = open(path, "rb", buffering=0)
        self.clock = ~pid << 3 | 2  # clock_getcpuclockid(3)

    def read(self):
        return int.from_bytes(os.pread(self.file.fileno(), 8, 0), "little"), time.clock_gettime(self.clock)

    def rate(self, seconds):
        before, start = self.read()
        time.sleep(seconds)
        after, end = self.read()
        return (after - before) / (end - start)


def measure(kind, threads, heap, pairs):
    """Ratios of attached to bare speed, and the last status seen attached."""
    server, status, ratios = Server(), {}, []
    with tempfile.NamedTemporaryFile() as file:
        target = subprocess.Popen([PROGRAMS + "/churn", kind, file.name, str(threads), str(pairs * 10 + 30)])
        try:
            time.sleep(0.5)
            counter = Counter(file.name, target.pid)
            for _ in range(pairs):
                before = counter.rate(0.5)
                server.ask("rsprof/attach", {"pid": target.pid, "heap": heap})
                server.wait_for_state("running")
                time.sleep(1)  # symbols of what it met first are being read
                attached = counter.rate(1)
                server.ask("rsprof/hotLines", {})
                status = server.status
                server.ask("rsprof/detach", {})
                server.status = {}
                after = counter.rate(0.5)
                ratios.append(attached / ((before + after) / 2))
        finally:
            target.kill()
            target.wait()
    server.close()
    return ratios, status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--heap", default="auto")
    parser.add_argument("workloads", nargs="*", default=["cpu:2", "maps:2", "pairs:1"])
    args = parser.parse_args()
    print(f"{'workload':10} {'heap':7} {'slowdown':>9} {'quartiles':>17} {'says':>6} {'allocs/s':>10} {'interval':>9}")
    for workload in args.workloads:
        kind, threads = workload.split(":")
        ratios, status = measure(kind, int(threads), args.heap, args.pairs)
        slow = sorted((1 / ratio - 1) * 100 for ratio in ratios)
        low, _, high = statistics.quantiles(slow, n=4)
        heap = status["heap"]
        print(f"{workload:10} {heap['mode']:7} {statistics.median(slow):8.1f}% {low:7.1f}…{high:7.1f}% "
              f"{status['overhead']['fraction'] * 100:5.1f}% {heap['allocsPerSec']:10.0f} {heap['intervalBytes']:9}")


main()
