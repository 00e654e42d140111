"""What it gains to sample each site at a rate of its own: the standard error of known lines beside churn, as rsprof states it, and
as it follows for one rate for all that costs as many samples: n blocks of S bytes, each sampled with p = 1 − exp(−S / interval),
have the relative error √((1 − p) / (p n)). Medians over runs. Prints a table.

    RSPROF=build/server/rsprof PROGRAMS=build/tests/programs python3 heap_rates.py [ROUNDS]
"""
import math
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "live"))

import rsprof_live as live  # noqa: E402
from hook_live import target  # noqa: E402

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
SITES = {"small": (100_000, 64), "medium": (5_000, 2_000), "large": (200, 100_000)}  # heap_sites.rs: blocks, bytes


def run(threads, per_sec):
    """The mean interval in use, and the stated error of each line."""
    lines = live.marked_lines("heap_sites")
    with target("heap_sites", threads, per_sec) as process:
        result = live.snapshot(process.pid, seconds=12)
    interval = result["status"]["heap"]["intervalBytes"]
    return interval, [live.line_of(result, "heap_sites", lines[site])["heap"]["relStdErr"] for site in SITES]


def one_rate(interval, blocks, size):
    p = -math.expm1(-size / interval)
    return math.sqrt((1 - p) / (p * blocks))


def main():
    print(f"{'churn':32}{'interval':>12}  {'line':8}{'own rates':>10}{'one rate':>10}{'ratio':>7}")
    for name, threads, per_sec in (("1 million a second", 1, 1_000_000), ("2 threads, all that they can", 2, 0)):
        runs = [run(threads, per_sec) for _ in range(ROUNDS)]
        interval = statistics.median(interval for interval, _ in runs)
        for i, (site, (blocks, size)) in enumerate(SITES.items()):
            own, one = statistics.median(stated[i] for _, stated in runs), one_rate(interval, blocks, size)
            print(f"{name:32}{interval / 1024:8.0f} KiB  {site:8}{own:10.1%}{one:10.1%}{one / own:7.1f}")
            name = ""


main()
