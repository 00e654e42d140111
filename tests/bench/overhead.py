#!/usr/bin/env python3
"""What profiling costs the target: attaches and detaches every second within one run, and compares the rounds a second of
neighbouring halves. Prints the median of the pairs' ratios, since these machines drift.

usage: RSPROF=… PROGRAMS=… overhead.py [--pairs N] [--heap MODE] [KIND:THREADS ...]"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

RSPROF, PROGRAMS = os.environ["RSPROF"], os.environ["PROGRAMS"]


class Server:
    """`rsprof serve`, asked one thing at a time."""

    def __init__(self):
        self.process = subprocess.Popen([RSPROF, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.status = {}
        self.last_id = 0
        self.ask("initialize", {"capabilities": {"experimental": {"rsprof": {"annotations": True}}}})
        self.send({"method": "initialized", "params": {}})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "rsprof/status":
            self.status = message["params"]
        if "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def ask(self, method, params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.last_id or "method" in message:
            pass
        if "error" in message:
            raise RuntimeError(message["error"])
        return message["result"]

    def attach(self, pid, heap):
        self.ask("rsprof/attach", {"pid": pid, "heap": heap})
        while self.status.get("state") != "running":
            self.receive()

    def close(self):
        self.ask("shutdown", None)
        self.send({"method": "exit"})
        self.process.wait()


class Counter:
    """Rounds that the target has done, with the time of the look."""

    def __init__(self, path):
        self.file = open(path, "rb", buffering=0)

    def read(self):
        return int.from_bytes(os.pread(self.file.fileno(), 8, 0), "little"), time.monotonic()

    def rate(self, seconds):
        before, start = self.read()
        time.sleep(seconds)
        after, end = self.read()
        return (after - before) / (end - start)


def measure(kind, threads, heap, pairs):
    """Ratios of attached to bare speed, and the last status seen attached."""
    server, status, ratios = Server(), {}, []
    with tempfile.NamedTemporaryFile() as file:
        target = subprocess.Popen([PROGRAMS + "/churn", kind, file.name, str(threads), str(pairs * 10 + 30)])
        try:
            time.sleep(0.5)
            counter = Counter(file.name)
            for _ in range(pairs):
                before = counter.rate(0.5)
                server.attach(target.pid, heap)
                time.sleep(1)  # symbols of what it met first are being read
                attached = counter.rate(1)
                server.ask("rsprof/hotLines", {})
                status = server.status
                server.ask("rsprof/detach", {})
                server.status = {}
                after = counter.rate(0.5)
                ratios.append(attached / ((before + after) / 2))
        finally:
            target.kill()
            target.wait()
    server.close()
    return ratios, status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--heap", default="auto")
    parser.add_argument("workloads", nargs="*", default=["cpu:2", "maps:2", "pairs:1"])
    args = parser.parse_args()
    print(f"{'workload':10} {'heap':7} {'slowdown':>9} {'quartiles':>17} {'says':>6} {'allocs/s':>10} {'interval':>9}")
    for workload in args.workloads:
        kind, threads = workload.split(":")
        ratios, status = measure(kind, int(threads), args.heap, args.pairs)
        slow = sorted((1 / ratio - 1) * 100 for ratio in ratios)
        low, _, high = statistics.quantiles(slow, n=4)
        heap = status["heap"]
        print(f"{workload:10} {heap['mode']:7} {statistics.median(slow):8.1f}% {low:7.1f}…{high:7.1f}% "
              f"{status['overhead']['fraction'] * 100:5.1f}% {heap['allocsPerSec']:10.0f} {heap['intervalBytes']:9}")


main()
