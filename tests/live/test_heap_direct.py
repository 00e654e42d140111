"""Allocators that are called directly, with no word in between: static executables of glibc and musl, and a linked-in jemalloc.
Their functions begin with a jump to the stub while they are hooked."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import rsprof_live as live
from hook_live import await_ready, build_nostd, drive, driver, kill_drivers, make_old, rounds, stub_mappings, target, wait_ready

HERE = Path(__file__).parent
RUSTC = [os.environ.get("RUSTC", "rustc"), "--edition", "2021", "-O", "-g", "-A", "unexpected_cfgs"]
STATIC = ["-C", "target-feature=+crt-static", "--target", "x86_64-unknown-linux-gnu"]
FUNCTIONS = ("malloc", "calloc", "realloc", "realloc_null", "reallocarray", "posix_memalign", "aligned_alloc", "memalign", "valloc")
BLOCKS, BYTES = 20_000, 1000


def build(folder, name, command):
    program = Path(folder) / name
    subprocess.run([*command, "-o", program], check=True)
    return program


def static(folder, name):
    return build(folder, name, [*RUSTC, *STATIC, live.SOURCES / f"{name}.rs"])


def static_churn(folder):
    return static(folder, "heap_churn")


def held_heap(program, function, interval):
    """The driver's numbers, once the program has allocated while it was hooked."""
    with target(program, function) as process:
        wait_ready(process)
        with driver(process.pid, "--no-uprobes", "--interval", interval) as attached:
            await_ready(attached)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "held\n"
            attached.stdin.close()
            output = attached.stdout.read()
    return {name: int(value) for name, value in (line.split() for line in output.splitlines() if " " in line)}


def every_function_counts_once():
    """Allocators are made of calls of their own functions: exact, and sampled, where the estimate's standard error is 2.2 %."""
    with tempfile.TemporaryDirectory() as folder:
        for libc, compiler in (("glibc", "gcc"), ("musl", "musl-gcc")):
            program = build(folder, libc, [compiler, "-O2", "-g", "-static", "-pthread", HERE / "hook_functions.c"])
            for function in FUNCTIONS:
                exact = held_heap(program, function, 0)
                assert abs(exact["live_bytes"] - BLOCKS * BYTES) < 20_000, (libc, function, exact)
                sampled = held_heap(program, function, 10_000)
                assert abs(sampled["live_bytes"] / (BLOCKS * BYTES) - 1) < 0.12, (libc, function, sampled)
                assert sampled["freed_unseen"] == 0, (libc, function, sampled)


def linked_in_allocators_are_seen():
    """jemalloc with calls that the linker has made direct."""
    libraries = Path("/usr/lib/x86_64-linux-gnu")
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, "jemalloc", [
            *RUSTC, "--cfg", "jemalloc", "-C", "lto=fat", "-C", "relocation-model=static", "-L", libraries, "-lstatic=jemalloc",
            "-lstdc++", HERE / "hook_allocator.rs"])
        with target(program) as process:
            wait_ready(process)
            seen = drive(process.pid, "--seconds", 3, "--interval", 0)
        assert abs(seen["live_bytes"] - 10_024_000) < 30_000, seen
        assert seen["patches"] > 0 and seen["samples"] > 2000 and seen["freed_unseen"] == 0, seen


def attach_and_detach_over_and_over():
    with tempfile.TemporaryDirectory() as folder, target(static_churn(folder), 4, "--respawn") as process:
        drive(process.pid, "--cycles", rounds(100), "--seconds", 0.005, "--tick-ms", 2, "--no-uprobes", "--interval", 1000)


def killed_at_any_moment():
    with tempfile.TemporaryDirectory() as folder, target(static_churn(folder), 8) as process:
        kill_drivers(process, attach_seconds=0.05)


def children_signals_and_system_calls_are_undisturbed():
    with tempfile.TemporaryDirectory() as folder:
        program = static(folder, "heap_trials")
        for trial in ("fork", "signals", "wait"):
            with target(program, trial) as process:
                wait_ready(process)
                drive(process.pid, "--seconds", 0.3, "--interval", 100)
                drive(process.pid, "--cycles", rounds(30), "--seconds", 0.01, "--tick-ms", 5, "--no-uprobes", "--interval", 0)


def stubs_of_other_builds_are_taken_over():
    with tempfile.TemporaryDirectory() as folder, target(static_churn(folder), 4) as process:
        with driver(process.pid, "--no-uprobes", "--interval", 1000) as attached:
            await_ready(attached)
        make_old(process.pid)
        for _ in range(2):
            seen = drive(process.pid, "--seconds", 0.5, "--no-uprobes", "--interval", 0)
            assert seen["samples"] > 1000, seen


def what_cannot_be_patched_is_left_to_uprobes():
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, "unpatchable", [*RUSTC, "--cfg", "mimalloc", "--cfg", "unpatchable", "-C", "relocation-model=static", HERE / "hook_allocator.rs"])
        with target(program) as process:
            wait_ready(process)
            status = live.snapshot(process.pid, seconds=2)["status"]
            assert not stub_mappings(process.pid)
        assert status["heap"]["mode"] == "uprobe", status
        assert any("begins with code that cannot be replaced" in hint for hint in status["hints"]), status


def a_static_program_is_hooked_by_rsprof():
    with tempfile.TemporaryDirectory() as folder, target(static_churn(folder), 2) as process:
        status = live.snapshot(process.pid, "--heap-interval", "20000", "--budget", "100", seconds=3)["status"]
        assert status["heap"]["mode"] == "hook", status
        assert status["heap"]["liveBytes"] > 0, status


def stacks_of_musl_are_known_to_the_hook():
    """They end in its start-up code, which has no unwind tables; and `free` is called through a register."""
    with tempfile.TemporaryDirectory() as folder, target(build_nostd(folder, ["musl-gcc", "-static"])) as process:
        result = live.snapshot(process.pid, "--heap-interval", "1", "--budget", "100", seconds=5)
    heap = result["status"]["heap"]
    assert heap["mode"] == "hook" and heap["kernelSamples"] < heap["samples"] / 2, result["status"]
    assert heap["lost"] == 0 and abs(heap["liveBytes"] - 1_000_000) <= 20_000, result["status"]


TESTS = (every_function_counts_once, linked_in_allocators_are_seen, attach_and_detach_over_and_over, killed_at_any_moment,
         children_signals_and_system_calls_are_undisturbed, stubs_of_other_builds_are_taken_over, what_cannot_be_patched_is_left_to_uprobes, a_static_program_is_hooked_by_rsprof,
         stacks_of_musl_are_known_to_the_hook)

if __name__ == "__main__":
    live.main(*[test for test in TESTS if sys.argv[1:2] in ([], [test.__name__])])
