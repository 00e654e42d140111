"""Live heap as rsprof shows it: right beside churn, and whatever libraries come and go."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rsprof_live as live
from hook_live import build_nostd, target, wait_ready
from rsprof_server import Server

HERE = Path(__file__).parent
RUSTC = [os.environ.get("RUSTC", "rustc"), "--edition", "2021", "-O", "-g"]
TRUTH = {"small": 100_000 * 64, "medium": 5_000 * 2_000, "large": 200 * 100_000}  # heap_sites.rs


def check_sites(threads, per_sec):
    lines = live.marked_lines("heap_sites")
    with target("heap_sites", threads, per_sec) as process:
        result = live.snapshot(process.pid, seconds=8)
    status = result["status"]["heap"]
    assert status["mode"] == "hook", status
    assert 0 < status["kernelSamples"] < status["samples"] / 2, status  # the hook is taught these stacks as soon as they are seen
    for name, truth in TRUTH.items():
        heap = live.line_of(result, "heap_sites", lines[name])["heap"]
        off = abs(heap["selfLiveBytes"] / truth - 1)
        print(f"# {threads} threads, {name}: {off:.2%} off, standard error {heap['relStdErr']:.2%}")
        assert off <= max(0.03, 5 * heap["relStdErr"]), (threads, per_sec, name, heap, result["status"])


def known_lines_are_right_beside_churn_of_one_thread():
    check_sites(1, 1_000_000)


def known_lines_are_right_beside_churn_of_8_threads():
    check_sites(8, 1_000_000)


def known_lines_are_right_beside_churn_of_64_threads():
    check_sites(64, 1_000_000)


def known_lines_are_right_beside_all_the_churn_there_can_be():
    check_sites(2, 0)


def heap_status(server):
    server.ask("rsprof/hotLines", {})  # what was sent before has come
    return server.status["heap"]


def a_burst_at_a_new_stack_is_known_while_it_lasts():
    """The hook is taught a stack when it comes, and not at the next tick: few samples of the bursts go through the kernel."""
    server = Server()
    with target("heap_sites", 1, 100_000) as process:
        server.ask("rsprof/attach", {"pid": process.pid})
        server.wait_for_state("running")
        time.sleep(4)
        before = heap_status(server)
        for calls in range(5):
            process.stdin.write(f"{calls}\n")
            process.stdin.flush()
            time.sleep(1)
        after = heap_status(server)
    server.close()
    samples, kernel_samples = (after[key] - before[key] for key in ("samples", "kernelSamples"))
    print(f"# {kernel_samples} of {samples} samples through the kernel")
    assert 5 <= kernel_samples < samples / 5, (before, after)


def build_host(folder):
    """A program that loads a library, and the library, which calls its allocator through words that are bound at the first call."""
    folder = Path(folder)
    subprocess.run(["gcc", "-O2", "-g", "-c", HERE / "heap_lazy.c", "-fPIC", "-o", folder / "lazy.o"], check=True)
    subprocess.run([*RUSTC, "--crate-type", "cdylib", "-C", "relro-level=off", "-C", "link-args=-Wl,-z,lazy", "-C",
                    f"link-arg={folder / 'lazy.o'}", "-o", folder / "libplugin.so", HERE / "heap_plugin.rs"], check=True)
    subprocess.run([*RUSTC, "-o", folder / "host", HERE / "heap_host.rs"], check=True)
    return folder / "host", folder / "libplugin.so"


def loaded_libraries_are_hooked():
    """Also words that are bound long after their library came."""
    with tempfile.TemporaryDirectory() as folder:
        host, library = build_host(folder)
        with target(host, library, "stay") as process:
            wait_ready(process)
            result = live.snapshot(process.pid, "--heap-interval", "1", "--budget", "100", seconds=8)
        held = {Path(line["file"]).name: line["heap"]["selfLiveBytes"] for line in result["lines"]
                if line["heap"]["selfLiveBytes"] > 1_000_000}
        assert abs(held.get("heap_plugin.rs", 0) - 8_000_000) < 40_000, (held, result["status"])


def unloaded_libraries_leave_no_trace():
    with tempfile.TemporaryDirectory() as folder:
        host, library = build_host(folder)
        with target(host, library, "come-and-go") as process:
            wait_ready(process)
            status = live.snapshot(process.pid, seconds=6)["status"]
            assert status["heap"]["mode"] == "hook", status


def frees_that_do_not_come_to_the_hook_are_told():
    with tempfile.TemporaryDirectory() as folder, target(build_nostd(folder, ["gcc"], "--cfg", "kept")) as process:
        status = live.snapshot(process.pid, seconds=5)["status"]
    assert status["heap"]["mode"] == "hook" and status["heap"]["lost"] > 0, status
    assert any("were freed unseen" in hint and "--heap uprobe" in hint for hint in status["hints"]), status


TESTS = (known_lines_are_right_beside_churn_of_one_thread, known_lines_are_right_beside_churn_of_8_threads,
         known_lines_are_right_beside_churn_of_64_threads, known_lines_are_right_beside_all_the_churn_there_can_be,
         a_burst_at_a_new_stack_is_known_while_it_lasts, loaded_libraries_are_hooked, unloaded_libraries_leave_no_trace, frees_that_do_not_come_to_the_hook_are_told)

if __name__ == "__main__":
    live.main(*[test for test in TESTS if sys.argv[1:2] in ([], [test.__name__])])
