"""What live tests share: Rust programs to look at, and rsprof run on them. Every process is ended by the test that started it."""
import contextlib
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

RSPROF = os.environ["RSPROF"]
PROGRAMS = Path(os.environ["PROGRAMS"])
SOURCES = Path(__file__).resolve().parent.parent / "programs"


@contextlib.contextmanager
def running(command, **options):
    """A process, as for subprocess.Popen."""
    process = subprocess.Popen(command, **{"stdout": subprocess.DEVNULL, **options})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def program(name, *arguments):
    """A program of tests/programs, running."""
    return running([PROGRAMS / name, *map(str, arguments)])


def snapshot(pid, *arguments, seconds=4):
    """`rsprof snapshot` of a process, as an object."""
    command = [RSPROF, "snapshot", str(pid), "--duration", str(seconds), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


def marked_lines(name):
    """Line numbers of `// LINE mark` comments in a program's source."""
    text = (SOURCES / f"{name}.rs").read_text().splitlines()
    return {line.split("// LINE ")[1].strip(): i + 1 for i, line in enumerate(text) if "// LINE " in line}


def line_of(result, name, number):
    """The snapshot's entry for a line of a program's source."""
    for line in result["lines"]:
        if line["line"] == number and line["file"] == str(SOURCES / f"{name}.rs"):
            return line
    raise AssertionError(f"{name}.rs:{number} has no numbers")


def close(what, seen, truth, tolerance):
    assert abs(seen - truth) <= tolerance, f"{what}: {seen:.4g} instead of {truth:.4g} ± {tolerance:.4g}"


def close_share(what, seen, truth, samples, tolerance):
    """A share of so many samples: on a busy machine they may be few, and then five standard errors are allowed."""
    close(what, seen, truth, max(tolerance, 5 * math.sqrt(truth * (1 - truth) / samples)))


def is_hooked(pid):
    """Whether the heap hook is in the process."""
    return "rsprof-hook" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")


def eventually(check, seconds, what):
    """Waits until check() is true."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def main(*tests):
    """Runs the tests and exits: 0 if all passed."""
    failed = 0
    for test in tests:
        try:
            test()
            print(f"ok - {test.__name__}")
        except AssertionError as error:
            failed += 1
            print(f"not ok - {test.__name__}: {error}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed != 0)
