"""The numbers on lines are the truth where that is known, and what `perf record` on the same process at the same time has."""
import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rsprof_live as live

SECONDS = 20


def link_time_addresses(binary, offsets):
    """perf names code by its offset in the file."""
    segments = [[int(field, 16) for field in line.split()[1:5]]
                for line in subprocess.run(["readelf", "-lW", binary], capture_output=True, text=True, check=True).stdout
                .splitlines() if line.split()[:1] == ["LOAD"]]
    return [next(offset - start + address for start, address, _, size in segments if start <= offset < start + size)
            for offset in offsets]


def source_lines(binary, offsets):
    """For each offset its (file, line)s, innermost first, as llvm-symbolizer has them."""
    addresses = "".join(f"{address:#x}\n" for address in link_time_addresses(binary, offsets))
    answers = subprocess.run(["llvm-symbolizer", "--inlining", "--functions=none", "-e", binary], input=addresses,
                             capture_output=True, text=True, check=True).stdout.split("\n\n")
    return {offset: [tuple(line.split(":")[:2]) for line in answer.split("\n") if line]
            for offset, answer in zip(offsets, answers)}


def perf_stacks(data, binary):
    """Each sample's frames in the binary, innermost first; return addresses − 1, so that they are in the call."""
    script = subprocess.run(["perf", "script", "-i", data, "--no-inline", "-F", "ip,sym,dso"], capture_output=True, text=True,
                            check=True).stdout
    for sample in script.split("\n\n"):
        frames = re.findall(r"^\s*([0-9a-f]+) .*\((.*)\)$", sample, re.MULTILINE)
        user = [frame for frame in frames if "kernel.kallsyms" not in frame[1]]
        if frames:
            yield [int(ip, 16) - (i > 0) for i, (ip, dso) in enumerate(user) if dso == str(binary)]


def perf_shares(data, binary, source):
    """The shares of the source's lines, and how many samples they are of: self is of the innermost line in it, total counts a
    line once a sample."""
    stacks = list(perf_stacks(data, binary))
    lines_of = source_lines(binary, sorted({frame for stack in stacks for frame in stack}))
    counts = {"self": collections.Counter(), "total": collections.Counter()}
    for stack in stacks:
        lines = [int(line) for frame in stack for file, line in lines_of[frame] if file == str(source)]
        counts["self"].update(lines[:1])
        counts["total"].update(set(lines))
    shares = {kind: {line: count / len(stacks) for line, count in lines.items()} for kind, lines in counts.items()}
    return shares, len(stacks)


def ten_hottest(shares):
    return sorted(shares, key=shares.get, reverse=True)[:10]


def the_ten_hottest_lines_of_a_service_are_within_3_points_of_perf():
    binary, source = live.PROGRAMS / "service", live.SOURCES / "service.rs"
    with tempfile.TemporaryDirectory() as folder, live.program("service") as process:
        data = f"{folder}/perf.data"
        with subprocess.Popen(["perf", "record", "-q", "-o", data, "-F", "1499", "--call-graph", "dwarf,4096", "-p",
                               str(process.pid), "--", "sleep", str(SECONDS)]) as perf:
            result = live.snapshot(process.pid, "--heap", "off", "--cpu-freq", "997", seconds=SECONDS)
        assert perf.returncode == 0, f"perf ended with {perf.returncode}"
        theirs, their_samples = perf_shares(data, binary, source)
    samples = 1 / (1 / their_samples + 1 / result["status"]["cpu"]["samples"])  # of a difference of two shares
    for kind in ("self", "total"):
        ours = {line["line"]: line["cpu"][kind] for line in result["lines"] if line["file"] == str(source)}
        for line in {*ten_hottest(ours), *ten_hottest(theirs[kind])}:
            live.close_share(f"{kind} of service.rs:{line}", ours.get(line, 0), theirs[kind].get(line, 0), samples, 0.03)


def time_in_the_kernel_is_charged_to_the_line_that_called_it():
    lines = live.marked_lines("kernel")
    with live.program("kernel") as process:
        result = live.snapshot(process.pid, "--heap", "off", "--cpu-freq", "997", seconds=10)
    samples = result["status"]["cpu"]["samples"]
    for mark, truth in (("kernel", 0.6), ("user", 0.4)):
        live.close_share(f"self of the line for {mark} time", live.line_of(result, "kernel", lines[mark])["cpu"]["self"], truth,
                         samples, 0.03)


RELOADER = """
import _ctypes, ctypes, sys, time
for path in sys.argv[1:]:
    library = ctypes.CDLL(path)
    print("loaded", flush=True)
    library.shape_run(ctypes.c_double(3.0))
    _ctypes.dlclose(library._handle)
    print("unloaded", flush=True)
    time.sleep(2)
time.sleep(60)
"""


def symbolizer_of(rsprof):
    """Its process id; 0 while there is none."""
    try:
        return int(Path(f"/proc/{rsprof.pid}/task/{rsprof.pid}/children").read_text(encoding="ascii") or 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def symbolizer_maps(rsprof):
    return Path(f"/proc/{symbolizer_of(rsprof)}/maps").read_text(encoding="utf-8")


def a_library_that_comes_and_goes_keeps_its_lines_and_is_forgotten_by_the_symbolizer_while_it_is_away():
    with tempfile.TemporaryDirectory() as folder:
        libraries = [f"{folder}/libshape{i}.so" for i in range(2)]
        for library in libraries:
            subprocess.run(["rustc", "--edition", "2021", "-O", "-g", "--crate-type", "cdylib", "--cfg", "library", "-o", library,
                            live.SOURCES / "shape.rs"], check=True)
        with subprocess.Popen([sys.executable, "-c", RELOADER, *libraries, *libraries], stdout=subprocess.PIPE, text=True) as target:
            assert target.stdout.readline() == "loaded\n"
            with subprocess.Popen([live.RSPROF, "snapshot", str(target.pid), "--duration", "22"], stdout=subprocess.PIPE) as rsprof:
                for line in ("unloaded\n", "loaded\n") * 3:
                    assert target.stdout.readline() == line
                    if line == "unloaded\n":
                        live.eventually(lambda: "libshape" not in symbolizer_maps(rsprof), 30, "the symbolizer forgets it")
                result = json.load(rsprof.stdout)
            target.kill()
    marks = live.marked_lines("shape")
    hot = live.line_of(result, "shape", marks["hot"])["cpu"]
    assert hot["self"] > 0.5, hot
    assert not any("failed" in hint for hint in result["status"]["hints"]), result["status"]["hints"]


def snapshot_while_symbolizers_are_killed(most):
    with live.program("service") as process, \
            subprocess.Popen([live.RSPROF, "snapshot", str(process.pid), "--duration", "6"], stdout=subprocess.PIPE) as rsprof:
        live.eventually(lambda: live.is_hooked(process.pid), 60, "rsprof hooks the allocator")
        time.sleep(1)
        killed, end = {0}, time.monotonic() + 3
        while time.monotonic() < end and len(killed) <= most:
            symbolizer = symbolizer_of(rsprof)
            if symbolizer not in killed:
                os.kill(symbolizer, signal.SIGKILL)
                killed.add(symbolizer)
            time.sleep(0.01)
        return json.load(rsprof.stdout)


def a_symbolizer_that_dies_is_started_again_and_this_is_said():
    result = snapshot_while_symbolizers_are_killed(1)
    assert any("was started again (1 time" in hint for hint in result["status"]["hints"]), result["status"]["hints"]
    yours = sum(line["cpu"]["self"] for line in result["lines"] if line["file"] == str(live.SOURCES / "service.rs"))
    assert yours > 0.9, yours


def a_symbolizer_that_dies_again_and_again_is_given_up_and_this_is_said():
    result = snapshot_while_symbolizers_are_killed(1000)
    assert any("was given up" in hint for hint in result["status"]["hints"]), result["status"]["hints"]
    assert result["status"]["cpu"]["samples"] > 0, result["status"]["cpu"]


live.main(time_in_the_kernel_is_charged_to_the_line_that_called_it,
          the_ten_hottest_lines_of_a_service_are_within_3_points_of_perf,
          a_symbolizer_that_dies_is_started_again_and_this_is_said,
          a_symbolizer_that_dies_again_and_again_is_given_up_and_this_is_said,
          a_library_that_comes_and_goes_keeps_its_lines_and_is_forgotten_by_the_symbolizer_while_it_is_away)
