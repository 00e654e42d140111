"""What a heap sample costs the target whose stack the hook knows, and the end of its block: each allocation sampled, against none
hooked, in turn, in CPU time of the target. Between allocations the program touches memory, so that the hook finds caches as programs
leave them. Prints a table.

    RSPROF=build/server/rsprof PROGRAMS=build/tests/programs python3 heap_known.py [ROUNDS]
"""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measured_loop import Loop

PROGRAM = Path(os.environ["PROGRAMS"]) / "heap_known"
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
MEASURED_SEC = 2
KNOWN_AFTER_SEC = 2  # by then all stacks are


def attached(loop):
    command = [os.environ["RSPROF"], "snapshot", str(loop.process.pid), "--duration", str(KNOWN_AFTER_SEC + MEASURED_SEC + 1),
               "--heap-interval", "1", "--budget", "100", "-o", os.devnull]
    with subprocess.Popen(command) as rsprof:
        time.sleep(KNOWN_AFTER_SEC)
        ns = loop.quickest(MEASURED_SEC)
        assert rsprof.wait() == 0
    return ns


def main():
    print(f"{'memory touched':>16}{'frames':>8}{'round':>12}{'a sample and its end':>24}")
    for kib in (16, 128, 1024):
        for frames in (4, 32):
            loop = Loop(PROGRAM, str(kib), str(frames))
            time.sleep(0.5)
            pairs = [(loop.quickest(MEASURED_SEC), attached(loop)) for _ in range(ROUNDS)]
            loop.stop()
            bare = statistics.median(pair[0] for pair in pairs)
            cost = statistics.median(pair[1] - pair[0] for pair in pairs)
            print(f"{kib:12} KiB{frames:8}{bare:9.0f} ns{cost:21.0f} ns")


main()
