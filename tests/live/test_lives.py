"""What processes live through while they are looked at: they exec, fork, start threads, crash, stop; and rsprof is killed."""
import json
import os
import resource
import signal
import subprocess
import time

import rsprof_live as live


def snapshot_of(kind, *arguments, seconds=3):
    with live.program("lives", kind) as process:
        time.sleep(0.3)
        result = live.snapshot(process.pid, *arguments, seconds=seconds)
        return result, process.poll()


def threads_that_come_and_go_are_all_sampled():
    result, code = snapshot_of("threads", seconds=8)
    line = live.line_of(result, "lives", live.marked_lines("lives")["allocate"])
    assert code is None and line["cpu"]["total"] > 0.05, line
    # Stacks that the kernel has taken away already are 0.1 to 0.3 % here: they are no walks.
    assert result["status"]["cpu"]["stacksComplete"] > 0.999, result["status"]["cpu"]


def stacks_of_threads_that_start_and_end_are_complete_as_long_as_they_can_be_read():
    """The kernel takes a thread's stack away before it has ended the thread. Its work on a new one counts for the line that makes it."""
    with live.program("lives", "threads") as process:
        time.sleep(0.3)
        folded = subprocess.run([live.RSPROF, "snapshot", str(process.pid), "--duration", "4", "--format", "folded"],
                                capture_output=True, text=True, check=True).stdout
    samples = {stack: int(count) for stack, count in (line.rsplit(" ", 1) for line in folded.splitlines())}
    making = [stack for stack in samples if stack.endswith(";clone3;[kernel]")]
    assert making and all(";lives::main;" in stack for stack in making), making or folded
    incomplete = {stack: count for stack, count in samples.items()
                  if stack.startswith("[incomplete];") and stack != "[incomplete];start_thread;[kernel]"}
    assert sum(incomplete.values()) < 0.005 * sum(samples.values()), incomplete


def a_process_that_forks_all_the_time_is_not_disturbed_and_its_children_are_not_counted():
    result, code = snapshot_of("fork")
    assert code is None, f"the target ended with {code}"
    assert result["status"]["cpu"]["processCores"] < 1.1, result["status"]["cpu"]


def exec_ends_the_profile_and_says_so():
    with live.program("lives", "exec") as process:
        result = live.snapshot(process.pid, seconds=6)
        assert process.poll() is None
    assert result["status"]["state"] == "lost", result["status"]
    assert any("exec" in hint for hint in result["status"]["hints"]), result["status"]["hints"]


def a_crash_of_the_target_keeps_its_last_numbers():
    with live.program("lives", "crash") as process:
        result = live.snapshot(process.pid, seconds=6)
    assert result["status"]["state"] == "lost", result["status"]
    assert result["lines"], "no lines"


def a_stopped_process_is_attached_to_and_goes_on_later():
    with live.program("lives", "work") as process:
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        result = live.snapshot(process.pid, seconds=1)
        assert result["status"]["cpu"]["samples"] < 5, result["status"]["cpu"]
        process.send_signal(signal.SIGCONT)
        assert live.snapshot(process.pid, seconds=3)["status"]["cpu"]["samples"] > 20  # 600, had it a core for itself


def rsprof_killed_at_any_moment_leaves_the_target_working():
    with live.program("lives", "work") as process:
        time.sleep(0.2)
        for i in range(25):
            rsprof = subprocess.Popen([live.RSPROF, "watch", str(process.pid)], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            time.sleep(0.02 * i)
            rsprof.kill()
            rsprof.wait()
            assert process.poll() is None, f"after {i + 1} kills the target ended with {process.returncode}"
        result = live.snapshot(process.pid, seconds=2)
        assert result["status"]["heap"]["mode"] == "hook", result["status"]
        # Its blocks live for less than a millisecond, so hardly a sampled one is live at the end: what shows the hook at work is the rate.
        assert result["status"]["heap"]["allocBytesPerSec"] > 1_000_000, result["status"]["heap"]


def forty_cycles_of_attach_and_detach_leave_nothing_behind():
    with live.program("lives", "threads") as process:
        time.sleep(0.2)
        for _ in range(40):
            state = live.snapshot(process.pid, seconds=0.1)["status"]["state"]
            assert state == "running", f"attached again, the process is {state}"
            assert process.poll() is None, f"the target ended with {process.returncode}"
        with open(f"/proc/{process.pid}/maps", encoding="ascii") as maps:
            stubs = sum("r-xp" in line and "rsprof" in line for line in maps)
        assert stubs <= 1, f"{stubs} stubs in the target"
        assert not [fd for fd in os.listdir(f"/proc/{process.pid}/fd")
                    if "rsprof" in os.readlink(f"/proc/{process.pid}/fd/{fd}")], "a descriptor of ours in the target"


def more_files_than_a_shell_allows_at_first_can_be_open():
    few = (20, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    with live.program("lives", "work") as process:
        done = subprocess.run([live.RSPROF, "snapshot", str(process.pid), "--duration", "1"], capture_output=True, text=True,
                              check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
    assert done.returncode == 0 and json.loads(done.stdout)["status"]["cpu"]["samples"] > 0, (done.stdout, done.stderr)


def plain_uprobes_that_cost_too_much_are_taken_away_and_this_is_said():
    result, code = snapshot_of("work", "--heap", "uprobe", seconds=12)
    assert code is None and result["status"]["heap"]["mode"] == "off", result["status"]
    assert result["status"]["heap"]["liveBytes"] == 0, result["status"]["heap"]
    assert any("--budget" in hint for hint in result["status"]["hints"]), result["status"]["hints"]


live.main(more_files_than_a_shell_allows_at_first_can_be_open,
          threads_that_come_and_go_are_all_sampled,
          stacks_of_threads_that_start_and_end_are_complete_as_long_as_they_can_be_read,
          a_process_that_forks_all_the_time_is_not_disturbed_and_its_children_are_not_counted,
          plain_uprobes_that_cost_too_much_are_taken_away_and_this_is_said,
          exec_ends_the_profile_and_says_so,
          a_crash_of_the_target_keeps_its_last_numbers,
          a_stopped_process_is_attached_to_and_goes_on_later,
          rsprof_killed_at_any_moment_leaves_the_target_working,
          forty_cycles_of_attach_and_detach_leave_nothing_behind)
