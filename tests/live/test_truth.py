"""A program whose CPU shares and live heap are known by construction comes out as it was built."""
import os
import time

import rsprof_live as live


def cpu_shares_of_a_plain_an_inlined_and_a_recursive_call_are_within_2_points():
    lines = live.marked_lines("shares")
    with live.program("shares", "--delay", 0) as process:
        result = live.snapshot(process.pid, "--heap", "off", "--cpu-freq", "997", seconds=8)
    samples = result["status"]["cpu"]["samples"]
    for mark, truth in (("plain", 0.5), ("inlined", 0.3), ("recursion-leaf", 0.2), ("recursion-call", 0.2)):
        live.close_share(f"total of {mark}", live.line_of(result, "shares", lines[mark])["cpu"]["total"], truth, samples, 0.02)
    spin = sum(live.line_of(result, "shares", lines[mark])["cpu"]["self"] for mark in ("spin-loop", "spin"))
    live.close("self of the loop that all three call", spin, 1.0, 0.05)
    assert result["status"]["cpu"]["stacksComplete"] > 0.99, result["status"]["cpu"]
    assert 0 < result["status"]["cpu"]["processCores"] < 1.3, result["status"]["cpu"]


def live_heap_of_big_blocks_small_boxes_and_strings_is_within_5_percent():
    lines = live.marked_lines("shares")
    for mode in os.environ.get("HEAP_MODES", "auto uprobe").split():
        with live.program("shares", "--delay", 2) as process:
            result = live.snapshot(process.pid, "--heap", mode, seconds=5)
        for mark, blocks, size in (("big", 64, 1 << 20), ("small", 100_000, 32), ("strings", 1000, 4000)):
            heap = live.line_of(result, "shares", lines[mark])["heap"]
            # A burst is sampled, and says how well: three standard errors. Uprobes are exact.
            tolerance = max(0.05, 3 * heap["relStdErr"])
            assert tolerance <= 0.25, f"{mode}: {mark} is known to ± {heap['relStdErr']} only"
            live.close(f"{mode}: live bytes of {mark}", heap["liveBytes"], blocks * size, tolerance * blocks * size)
            live.close(f"{mode}: live blocks of {mark}", heap["liveBlocks"], blocks, tolerance * blocks)
        assert result["status"]["heap"]["processHeapBytes"] > 64 << 20, result["status"]["heap"]


def detach_leaves_the_target_running_and_untouched():
    with live.program("shares", "--delay", 0) as process:
        time.sleep(0.3)  # until the kernel has mapped it
        before = executable_memory(process.pid)
        live.snapshot(process.pid, "--heap", "uprobe", seconds=1)
        assert process.poll() is None, "the target ended"
        assert executable_memory(process.pid) == before, "the target's code changed"


def executable_memory(pid):
    """The bytes of the program's own code."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            if " r-xp " in line and line.rstrip().endswith("/shares"):
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                memory.seek(start)
                return memory.read(end - start)
    raise AssertionError("no code mapping")


live.main(cpu_shares_of_a_plain_an_inlined_and_a_recursive_call_are_within_2_points,
          live_heap_of_big_blocks_small_boxes_and_strings_is_within_5_percent,
          detach_leaves_the_target_running_and_untouched)
