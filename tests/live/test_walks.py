"""Stacks are walked to their end, whatever runs: work stealing, futures, many threads, assembly, however it was built; those that are
too deep keep their innermost frames."""
import os
import subprocess
import tempfile
from pathlib import Path

import rsprof_live as live

RUSTC = os.environ.get("RUSTC", "rustc")
LINES = live.marked_lines("walks")
TRIES = 3  # where the machine is busy, samples may be taken before the unwind tables are there


def look_at(program, kind):
    """A snapshot of the program at work."""
    with live.running([program, kind]) as process:
        return live.snapshot(process.pid, "--heap", "off", "--cpu-freq", "1997", seconds=3)


def total_of(result, mark):
    return live.line_of(result, "walks", LINES[mark])["cpu"]["total"]


def check(program, kind, complete):
    """Nearly all stacks are complete, and nearly all have the line that calls the work."""
    for _ in range(TRIES):
        result = look_at(program, kind)
        if result["status"]["cpu"]["stacksComplete"] >= complete:
            break
    status = result["status"]["cpu"]
    assert status["stacksComplete"] >= complete, status
    assert total_of(result, kind) > 0.95, (total_of(result, kind), status)


def walked(kind, complete=0.999, build=None, flags=()):
    """A test of one kind of stacks, in a build of its own if it has flags."""
    def test():
        with tempfile.TemporaryDirectory() as folder:
            program = live.PROGRAMS / "walks"
            if flags:
                program = Path(folder) / "walks"
                subprocess.run([RUSTC, "--edition", "2021", "-g", *flags, "-o", program, live.SOURCES / "walks.rs"], check=True)
            check(program, kind, complete)
    test.__name__ = kind + (f"_{build}" if build else "")
    return test


def a_stack_that_is_too_deep_keeps_its_innermost_frames_and_is_counted():
    cpu = look_at(live.PROGRAMS / "walks", "deep")
    status = cpu["status"]["cpu"]
    assert status["stacksComplete"] < 0.01 and status["samples"] > 100, status
    assert total_of(cpu, "hot") > 0.5 and total_of(cpu, "deep") > 0.95, (total_of(cpu, "hot"), total_of(cpu, "deep"))


FAT = ("-O", "-C", "lto=fat", "-C", "codegen-units=1", "-C", "panic=abort")
live.main(
    walked("steal"),
    walked("poll"),
    walked("threads"),
    walked("assembly", 0.997),  # one instruction there, before the old stack pointer is stored, cannot be walked from
    walked("steal", build="fat_lto_panic_abort", flags=FAT),
    walked("poll", build="fat_lto_panic_abort", flags=FAT),
    walked("steal", 0.995, build="not_optimized", flags=("-C", "opt-level=0")),
    walked("poll", 0.995, build="not_optimized", flags=("-C", "opt-level=0")),
    a_stack_that_is_too_deep_keeps_its_innermost_frames_and_is_counted,
)
