"""The heap hook on live programs: what it sees is what they do, and they never notice. HOOK_ROUNDS makes it try harder."""
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rsprof_live as live
from hook_live import DRIVER, EBUSY, EIO, ENOMEM, ENOSYS, EPERM, ESRCH, await_ready, drive, driver, kill_drivers, make_old, rounds, stub_mappings, target, wait_ready


JUMP_REACH = 1 << 31


def open_files(pid):
    folder = f"/proc/{pid}/fd"
    return sorted(os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))


def every_sample_passes_the_probe_sites():
    with target("heap_churn", 4) as process:
        time.sleep(0.3)
        seen = drive(process.pid, "--seconds", 1, "--interval", 200_000)
        assert seen["samples"] > 1000, seen
        assert 0 <= seen["uprobe_allocs"] - seen["samples"] <= 50 + seen["samples"] / 100, seen
        assert 0 <= seen["uprobe_frees"] - seen["frees"] <= 50 + seen["frees"] / 100, seen
        assert seen["set_full"] == 0, seen


def live_heap_is_seen_as_it_is():
    with target("heap_churn", 2) as process:
        seen = drive(process.pid, "--seconds", 1.5, "--interval", 0, "--no-uprobes")
        # 512 vectors a thread, a sixteenth of them of 6 144 words on average, the others small
        assert 2e6 < seen["live_bytes"] < 6e6, seen


def attach_and_detach_over_and_over():
    with target("heap_churn", 4, "--respawn") as process:
        drive(process.pid, "--cycles", rounds(150), "--seconds", 0.005, "--tick-ms", 2, "--no-uprobes", "--interval", 1000)
        assert len(stub_mappings(process.pid)) == 1, stub_mappings(process.pid)
        assert not any("memfd" in name for name in open_files(process.pid)), open_files(process.pid)


def killed_at_any_moment():
    with target("heap_churn", 8) as process:
        kill_drivers(process, attach_seconds=0.02)


def at_native_speed_after_a_kill():
    """Without heartbeats the stub samples less and less."""
    with target("heap_churn", 2) as process:
        with driver(process.pid, "--interval", 0, "--no-uprobes", "--limits") as attached:
            await_ready(attached)
            time.sleep(0.2)
        time.sleep(1)
        seen = drive(process.pid, "--peek")
        time.sleep(0.5)
        later = drive(process.pid, "--peek")
        assert later["samples"] - seen["samples"] < 2000, (seen, later)


def children_and_their_programs():
    with target("heap_trials", "fork") as process:
        wait_ready(process)
        for _ in range(rounds(5)):
            drive(process.pid, "--seconds", 0.3, "--interval", 100)


def a_program_that_becomes_another():
    with target("heap_trials", "exec") as process:
        wait_ready(process)
        for _ in range(rounds(10)):
            code = subprocess.run([DRIVER, str(process.pid), "--seconds", "0.2", "--no-uprobes"], capture_output=True,
                                  timeout=60, check=False).returncode
            assert code in (0, EPERM, ESRCH, EIO, EBUSY, ENOMEM, 14, 95, 110), code  # in the middle of execve


def system_calls_are_not_cut_short():
    with target("heap_trials", "wait") as process:
        wait_ready(process)
        drive(process.pid, "--cycles", rounds(100), "--seconds", 0.005, "--tick-ms", 2, "--no-uprobes")


def signals_find_their_handlers():
    with target("heap_trials", "signals") as process:
        wait_ready(process)
        drive(process.pid, "--cycles", rounds(60), "--seconds", 0.01, "--tick-ms", 5, "--no-uprobes", "--interval", 0)


def filters_that_allow_it_are_no_obstacle():
    with target("heap_trials", "filter") as process:
        wait_ready(process)
        seen = drive(process.pid, "--seconds", 0.5, "--interval", 0, "--no-uprobes")
        assert seen["samples"] > 100, seen


def filters_that_would_kill_are_not_tried():
    with target("heap_trials", "sandbox") as process:
        wait_ready(process)
        for _ in range(rounds(20)):
            drive(process.pid, code=ENOSYS)
        assert not stub_mappings(process.pid)


def filters_that_cannot_be_read_are_not_tried():
    command = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", DRIVER]
    with target("heap_trials", "filter") as process:
        wait_ready(process)
        done = subprocess.run([*command, str(process.pid)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == EPERM, done
        assert not stub_mappings(process.pid)


def start_of(lines, name):
    return next(int(line.split("-")[0], 16) for line in lines if name in line)


def the_stub_is_near_the_allocator_where_there_is_room():
    for trial, room in (("filter", True), ("crowd", False)):
        with target("heap_trials", trial) as process:
            wait_ready(process)
            seen = drive(process.pid, "--seconds", 0.5, "--interval", 100, "--no-uprobes")
            assert seen["samples"] > 100, seen
            maps = Path(f"/proc/{process.pid}/maps").read_text(encoding="ascii").splitlines()
            assert (abs(start_of(maps, "rsprof-hook") - start_of(maps, "libc.so")) < JUMP_REACH) == room, maps


def a_target_without_memory_is_left_alone():
    with target("heap_trials", "limit") as process:
        wait_ready(process)
        before = open_files(process.pid)
        drive(process.pid, code=ENOMEM)
        assert not stub_mappings(process.pid)
        assert open_files(process.pid) == before


def failed_allocations_change_nothing():
    with target("heap_trials", "limit") as process:
        wait_ready(process)
        subprocess.run(["prlimit", f"--pid={process.pid}", "--as=unlimited:"], check=True)
        with driver(process.pid, "--interval", 0) as attached:
            await_ready(attached)
            # room for the stub is there: now there is none again
            size = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[0]) * 4096 + (2 << 20)
            subprocess.run(["prlimit", f"--pid={process.pid}", f"--as={size}:"], check=True)
            time.sleep(1)
            attached.stdin.close()
            output = attached.stdout.read()
        assert "realloc_failed 0\n" not in output, output


def stubs_of_other_builds_are_taken_over():
    with target("heap_churn", 4) as process:
        with driver(process.pid, "--no-uprobes", "--interval", 1000) as attached:
            await_ready(attached)
        make_old(process.pid)
        seen = drive(process.pid, "--seconds", 0.5, "--no-uprobes", "--interval", 0)
        assert len([line for line in stub_mappings(process.pid) if "r-xp" in line]) == 2
        assert seen["samples"] > 1000 and seen["slots"] > 0, seen


def the_second_is_told():
    with target("heap_churn", 1) as process:
        with driver(process.pid, "--no-uprobes") as first:
            await_ready(first)
            drive(process.pid, code=EBUSY)
            first.stdin.close()
            first.wait()
        drive(process.pid, "--seconds", 0.1, "--no-uprobes")


def a_traced_target_is_left_alone():
    with target("heap_churn", 2) as process:
        time.sleep(0.2)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long] * 4
        assert libc.ptrace(0x4206, process.pid, 0, 0) == 0  # PTRACE_SEIZE
        drive(process.pid, code=EBUSY)
        assert not stub_mappings(process.pid)
        libc.ptrace(0x4207, process.pid, 0, 0)  # PTRACE_INTERRUPT
        os.waitpid(process.pid, 0x40000000)
        libc.ptrace(17, process.pid, 0, 0)  # PTRACE_DETACH
        drive(process.pid, "--seconds", 0.1)


def attached_at_the_very_start():
    for i in range(rounds(10)):
        with target("heap_churn", 2) as process:
            time.sleep(i * 0.001)
            drive(process.pid, "--seconds", 0.05, "--no-uprobes")


def own_allocators_are_seen():
    """Linked in (found by the words' values) and as a library (found by name)."""
    libraries = Path("/usr/lib/x86_64-linux-gnu")
    builds = {"jemalloc": ("libjemalloc_pic.a", "static=jemalloc_pic", "stdc++"), "mimalloc": ("libmimalloc.so", "mimalloc")}
    for name, (file, *links) in builds.items():
        assert (libraries / file).exists(), f"{libraries / file} is not installed: sh .ci/install.sh test"
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / name
            subprocess.run([os.environ.get("RUSTC", "rustc"), "--edition", "2021", "-O", "-g", "--cfg", name, "-A", "unexpected_cfgs",
                            "-L", libraries, *(f"-l{link}" for link in links), "-o", program,
                            Path(__file__).with_name("hook_allocator.rs")], check=True)
            with target(program) as process:
                wait_ready(process)
                seen = drive(process.pid, "--seconds", 3, "--interval", 0)
            assert abs(seen["live_bytes"] - 10_024_000) < 30_000, (name, seen)
            assert seen["samples"] > 2000 and seen["freed_unseen"] == 0, (name, seen)


TESTS = (every_sample_passes_the_probe_sites, live_heap_is_seen_as_it_is, attach_and_detach_over_and_over,
         killed_at_any_moment, at_native_speed_after_a_kill, children_and_their_programs,
         a_program_that_becomes_another, system_calls_are_not_cut_short, signals_find_their_handlers,
         filters_that_allow_it_are_no_obstacle, filters_that_would_kill_are_not_tried,
         filters_that_cannot_be_read_are_not_tried, the_stub_is_near_the_allocator_where_there_is_room, a_target_without_memory_is_left_alone, failed_allocations_change_nothing,
         stubs_of_other_builds_are_taken_over, the_second_is_told, a_traced_target_is_left_alone, attached_at_the_very_start,
         own_allocators_are_seen)

if __name__ == "__main__":
    live.main(*[test for test in TESTS if sys.argv[1:2] in ([], [test.__name__])])
