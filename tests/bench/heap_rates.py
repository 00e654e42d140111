"""How near live heap is to the truth beside churn, and what it gains to sample each site at a rate of its own: the error of known
lines, seen and as rsprof states it, and the one that follows for one rate for all that costs as many samples: n blocks of S bytes,
each sampled with p = 1 − exp(−S / interval), have the relative error √((1 − p) / (p n)). Stated errors are medians over runs, those
seen are root mean squares over runs. Blocks of the line `burst` come all at once, at a stack that was never seen before. Prints a table.

    RSPROF=build/server/rsprof PROGRAMS=build/tests/programs python3 heap_rates.py [ROUNDS]
"""
import math
import statistics
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "live"))

import rsprof_live as live  # noqa: E402
from hook_live import target  # noqa: E402

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
SITES = {"small": (100_000, 64), "medium": (5_000, 2_000), "large": (200, 100_000),
         "burst": (100_000, 64)}  # heap_sites.rs: blocks, bytes
SNAPSHOT_SEC, BURST_AT_SEC = 12, 9

CHURN = (
    ("1 million a second, 1 thread", 1, 1_000_000, False),
    ("1 million a second, 8 threads", 8, 1_000_000, False),
    ("1 million a second, 64 threads", 64, 1_000_000, False),
    ("all they can, 2 threads", 2, 0, False),
    ("all they can, 8 threads", 8, 0, False),
    ("all they can, 64 threads", 64, 0, False),
    ("1 million a second, 8 threads; a burst", 8, 1_000_000, True),
    ("all they can, 2 threads; a burst", 2, 0, True),
)


def run(threads, per_sec, burst):
    """The mean interval in use, what allocates, and for each line the stated error and the one there was."""
    lines = live.marked_lines("heap_sites")
    with target("heap_sites", threads, per_sec) as process:
        timer = threading.Timer(BURST_AT_SEC, print, ["1"], {"file": process.stdin, "flush": True})
        if burst:
            timer.start()
        result = live.snapshot(process.pid, seconds=SNAPSHOT_SEC)
    heap = result["status"]["heap"]
    errors = {}
    for site, (blocks, size) in SITES.items():
        if site == "burst" and not burst:
            continue
        seen = live.line_of(result, "heap_sites", lines[site])["heap"]
        errors[site] = (seen["relStdErr"], seen["liveBytes"] / (blocks * size) - 1)
    return heap["intervalBytes"], heap["allocsPerSec"], errors


def one_rate(interval, blocks, size):
    p = -math.expm1(-size / interval)
    return math.sqrt((1 - p) / (p * blocks))


def main():
    print(f"{'churn':38}{'allocs/s':>9}{'interval':>12}  {'line':8}{'stated':>8}{'seen':>8}{'one rate':>10}")
    for name, *churn in CHURN:
        runs = [run(*churn) for _ in range(ROUNDS)]
        interval, allocs = (statistics.median(run[i] for run in runs) for i in (0, 1))
        head = f"{name:38}{allocs / 1e6:7.1f} M{interval / 1024:8.0f} KiB"
        for site in runs[0][2]:
            blocks, size = SITES[site]
            stated = statistics.median(errors[site][0] for _, _, errors in runs)
            seen = math.sqrt(statistics.fmean(errors[site][1] ** 2 for _, _, errors in runs))
            print(f"{head:59}  {site:8}{stated:8.1%}{seen:8.1%}{one_rate(interval, blocks, size):10.1%}")
            head = ""


main()
