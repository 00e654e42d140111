#!/usr/bin/env python3
"""How long an editor waits from `rsprof/attach` to the first line with numbers, and what rsprof and its symbolizer then hold.

usage: RSPROF=… first_line.py SOURCE COMMAND   (COMMAND: the program with arguments, built from SOURCE)
The binary of over 50 MB is built by symbolize.sh:
    first_line.py tests/bench/symbolize_big/src/main.rs "${TMPDIR:-/tmp}/rsprof-bench-symbolize/large 60" """
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "live"))
from rsprof_server import Server  # noqa: E402

RUNS = 7


def memory_mb(pid, field):
    return int(re.search(rf"^{field}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]) / 1024


def measure(source, pid):
    """Milliseconds to the first line, and megabytes of rsprof (at most) and of the symbolizer (its own, not what it maps)."""
    path = Path(source).resolve()
    server = Server(rootUri=path.parent.as_uri())
    server.notify("textDocument/didOpen", {"textDocument": {"uri": path.as_uri(), "languageId": "rust", "version": 1,
                                                            "text": path.read_text()}})
    start = time.monotonic()
    server.ask("rsprof/attach", {"pid": pid})
    attached = time.monotonic()
    while (message := server.receive()).get("method") != "rsprof/annotations" or not message["params"]["lines"]:
        pass
    end = time.monotonic()
    time.sleep(3)
    own = server.process.pid
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    memory = memory_mb(own, "VmHWM"), memory_mb(children[0], "RssAnon")
    server.close()
    return (attached - start) * 1000, (end - start) * 1000, *memory


source, command = sys.argv[1:]
target = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
time.sleep(0.5)
try:
    runs = [measure(source, target.pid) for _ in range(RUNS)]
finally:
    target.kill()
    target.wait()
attach, first, rsprof, symbolizer = (statistics.median(values) for values in zip(*runs))
print(f"{shlex.split(command)[0]}: attached after {attach:.0f} ms, first line after {first:.0f} ms (worst "
      f"{max(run[1] for run in runs):.0f}); rsprof {rsprof:.0f} MB, symbolizer {symbolizer:.0f} MB")
