"""However rsprof or its target ends, nothing of rsprof stays: no BPF program, map or link, no child process, no memory file; and
what went wrong is said."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import rsprof_live as live


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def kernel_objects(pid):
    """("prog" | "map" | "link", id) of all BPF objects that a process holds."""
    objects = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            objects.update(re.findall(r"^(prog|map|link)_id:\s*(\d+)", info.read_text(encoding="ascii"), re.M))
        except OSError:
            pass  # closed meanwhile
    return objects


def exists(kind, number):
    command = ["bpftool", kind, "show", "id", number]
    return subprocess.run(command, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}, capture_output=True).returncode == 0


class Watched:
    """A running rsprof, and what it has made."""

    def __init__(self, pid, *arguments, command="watch"):
        self.target = pid
        self.process = subprocess.Popen([live.RSPROF, command, str(pid), *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def is_sampling(self):
        return any(kind == "link" for kind, _ in kernel_objects(self.process.pid))

    def note_what_it_has(self):
        live.eventually(self.is_sampling, 30, "rsprof samples")
        time.sleep(1)
        self.children, self.objects = children(self.process.pid), kernel_objects(self.process.pid)
        assert self.children and {kind for kind, _ in self.objects} >= {"prog", "map", "link"}, (self.children, self.objects)

    def output(self):
        return self.process.communicate(timeout=60)

    def assert_nothing_is_left(self):
        for child in self.children:
            live.eventually(lambda: not Path(f"/proc/{child}").exists(), 10, "its child ends")
        for kind, number in self.objects:
            live.eventually(lambda: not exists(kind, number), 30, f"{kind} {number} goes")
        if Path(f"/proc/{self.target}/fd").exists():
            ours = [fd for fd in os.listdir(f"/proc/{self.target}/fd") if "rsprof" in os.readlink(f"/proc/{self.target}/fd/{fd}")]
            assert not ours, f"descriptors of ours in the target: {ours}"


def ended_by(number, heap="auto"):
    def test():
        with live.program("lives", "work") as target:
            rsprof = Watched(target.pid, "--heap", heap, "--budget", "100")
            rsprof.note_what_it_has()
            rsprof.process.send_signal(number)
            rsprof.output()
            rsprof.assert_nothing_is_left()
            assert target.poll() is None
    test.__name__ = f"nothing_is_left_after_{signal.Signals(number).name}_with_heap_{heap}"
    return test


def nothing_is_left_when_the_target_is_killed():
    with live.program("lives", "work") as target:
        rsprof = Watched(target.pid, "--duration", "30", command="snapshot")
        rsprof.note_what_it_has()
        target.kill()
        output, _ = rsprof.output()
    assert json.loads(output)["status"]["state"] == "lost"
    rsprof.assert_nothing_is_left()


def a_target_killed_while_rsprof_attaches_is_told_at_once():
    for i in range(15):
        with live.program("lives", "work") as target:
            time.sleep(0.1)
            rsprof = Watched(target.pid, "--duration", "30", command="snapshot")
            time.sleep(0.015 * i)
            target.kill()
            target.wait()
            output, error = rsprof.output()
        if rsprof.process.returncode == 0:
            assert json.loads(output)["status"]["state"] == "lost", output
        else:
            assert rsprof.process.returncode in (1, 3) and error.startswith("rsprof: "), (rsprof.process.returncode, error)


def a_target_that_becomes_a_daemon_has_ended():
    with live.program("lives", "daemon") as target:
        result = live.snapshot(target.pid, seconds=6)
    assert result["status"]["state"] == "lost" and result["lines"], result["status"]


def rsprof_that_was_stopped_goes_on():
    with live.program("lives", "work") as target:
        rsprof = Watched(target.pid, "--duration", "8", command="snapshot")
        rsprof.note_what_it_has()
        rsprof.process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        rsprof.process.send_signal(signal.SIGCONT)
        status = json.loads(rsprof.output()[0])["status"]
    assert status["state"] == "running" and status["cpu"]["lost"] == 0, status
    assert status["cpu"]["samples"] > 199, status["cpu"]  # also those of the time in which it was stopped


def the_second_rsprof_has_cpu_and_says_who_has_the_heap():
    with live.program("lives", "work") as target:
        first = Watched(target.pid)
        first.note_what_it_has()
        status = live.snapshot(target.pid, seconds=3)["status"]
        first.process.terminate()
        first.output()
    assert status["cpu"]["samples"] > 50, status["cpu"]
    assert any("another" in hint for hint in status["hints"]), status["hints"]


def debug_files_that_go_away_while_they_are_read_do_no_harm():
    with tempfile.TemporaryDirectory() as folder:
        program, debug = f"{folder}/service", f"{folder}/service.debug"
        subprocess.run(["objcopy", "--only-keep-debug", live.PROGRAMS / "service", debug], check=True)
        subprocess.run(["objcopy", "--strip-debug", f"--add-gnu-debuglink={debug}", live.PROGRAMS / "service", program], check=True)
        with live.running([program, "--seconds", "60"]) as target:
            rsprof = Watched(target.pid, "--duration", "4", command="snapshot")
            live.eventually(rsprof.is_sampling, 30, "rsprof samples")
            Path(debug).unlink()
            result = json.loads(rsprof.output()[0])
    yours = sum(line["cpu"]["self"] for line in result["lines"] if line["file"] == str(live.SOURCES / "service.rs"))
    assert yours > 0.8, yours


def without_memory_it_says_so_and_the_target_goes_on():
    said = ""
    with live.program("lives", "work") as target:
        for megabytes in (10, 14, 20, 60):
            command = ["prlimit", f"--as={megabytes << 20}", live.RSPROF, "snapshot", str(target.pid), "--duration", "1"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode >= 0, f"with {megabytes} MB: ended by signal {-done.returncode}"
            assert done.returncode == 0 or "memory" in done.stderr, f"with {megabytes} MB: {done.returncode} {done.stderr}"
            assert target.poll() is None
            said += done.stderr
    assert "raise the limit that rsprof runs under" in said, said


def tables_that_are_full_are_told_and_what_is_known_stays():
    with live.program("lives", "stacks") as target:
        time.sleep(0.3)
        result = live.snapshot(target.pid, "--budget", "100", seconds=12)
        assert target.poll() is None
    status = result["status"]
    assert any("a table was full" in hint for hint in status["hints"]), status
    line = live.line_of(result, "lives", live.marked_lines("lives")["allocate"])
    assert line["heap"]["allocBytesPerSec"] > 1_000_000 and line["cpu"]["samples"] > 50, line


live.main(*(ended_by(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)),
          ended_by(signal.SIGKILL, heap="uprobe"),
          nothing_is_left_when_the_target_is_killed,
          a_target_killed_while_rsprof_attaches_is_told_at_once,
          a_target_that_becomes_a_daemon_has_ended,
          rsprof_that_was_stopped_goes_on,
          the_second_rsprof_has_cpu_and_says_who_has_the_heap,
          debug_files_that_go_away_while_they_are_read_do_no_harm,
          without_memory_it_says_so_and_the_target_goes_on,
          tables_that_are_full_are_told_and_what_is_known_stays)
