#!/usr/bin/env python3
"""How long an editor waits from `rsprof/attach` to the first line with numbers, and what rsprof and its symbolizer then hold.

usage: RSPROF=… first_line.py SOURCE COMMAND   (COMMAND: the program with arguments, built from SOURCE)
The binary of over 50 MB is built by symbolize.sh:
    first_line.py tests/bench/symbolize_big/src/main.rs "${TMPDIR:-/tmp}/rsprof-bench-symbolize/large 60" """
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

RSPROF = os.environ["RSPROF"]
RUNS = 7


class Server:
    def __init__(self):
        self.process = subprocess.Popen([RSPROF, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, method, params, number=None):
        message = {"jsonrpc": "2.0", "method": method, "params": params, **({"id": number} if number else {})}
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def wait_for(self, wanted):
        """Reads until wanted(message) is true."""
        while True:
            length = int(self.process.stdout.readline().split()[1])
            self.process.stdout.readline()
            message = json.loads(self.process.stdout.read(length))
            assert "error" not in message, message
            if wanted(message):
                return message


def memory_mb(pid, field):
    return int(re.search(rf"^{field}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]) / 1024


def measure(source, pid):
    """Milliseconds to the first line, and megabytes of rsprof (at most) and of the symbolizer (its own, not what it maps)."""
    server = Server()
    path = Path(source).resolve()
    uri = path.as_uri()
    server.send("initialize", {"rootUri": path.parent.as_uri(),
                               "capabilities": {"experimental": {"rsprof": {"annotations": True}}}}, 1)
    server.wait_for(lambda message: message.get("id") == 1)
    server.send("initialized", {})
    server.send("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "rust", "version": 1,
                                                          "text": path.read_text()}})
    start = time.monotonic()
    server.send("rsprof/attach", {"pid": pid}, 2)
    server.wait_for(lambda message: message.get("id") == 2)
    attached = time.monotonic()
    server.wait_for(lambda message: message.get("method") == "rsprof/annotations" and message["params"]["lines"])
    end = time.monotonic()
    time.sleep(3)
    own = server.process.pid
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    memory = memory_mb(own, "VmHWM"), memory_mb(children[0], "RssAnon")
    server.send("shutdown", None, 3)
    server.send("exit", None)
    server.process.wait()
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
