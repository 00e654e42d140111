#!/usr/bin/env python3
"""How many stacks are walked to their end, and what a walk costs, on several shapes of Rust programs.
The time is the BPF program's own, of runs that found the target: walking, hashing and counting.

usage: RSPROF=… PROGRAMS=… unwind.py [COMMAND ...]   (each COMMAND a program with arguments; default: the test programs)"""
import json
import os
import re
import shlex
import subprocess
import sys
import time

RSPROF, PROGRAMS = os.environ["RSPROF"], os.environ["PROGRAMS"]
BPFTOOL = "/usr/sbin/bpftool"
SECONDS = 5


def bpftool(*arguments):
    return json.loads(subprocess.run([BPFTOOL, "-j", *arguments], capture_output=True, check=True).stdout)


def variables(pid):
    """Those of the programs that this rsprof has loaded; none before."""
    descriptors = subprocess.run(f"cat /proc/{pid}/fdinfo/*", shell=True, capture_output=True, text=True, check=False).stdout
    ids = set(map(int, re.findall(r"^map_id:\s*(\d+)", descriptors, re.MULTILINE)))
    for item in bpftool("map", "show"):
        if item["id"] in ids and item.get("name") == "rsprof_b.bss":
            values = bpftool("map", "dump", "id", str(item["id"]))
            return {k: v for entry in values[0]["formatted"]["value"][".bss"] for k, v in entry.items()}
    return {}


def measure(command):
    target = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    rsprof = subprocess.Popen([RSPROF, "snapshot", str(target.pid), "--heap", "off", "--cpu-freq", "997", "--duration",
                               str(SECONDS)], stdout=subprocess.PIPE)
    try:
        while not variables(rsprof.pid).get("cpu_samples"):
            time.sleep(0.2)
        time.sleep(SECONDS - 1)
        numbers = variables(rsprof.pid)
        status = json.loads(rsprof.communicate()[0])["status"]
    finally:
        target.kill()
        target.wait()
    walks = sum(numbers["walk_ends"])
    runs = numbers["program_runs"][0]  # PROGRAM_CPU_SAMPLE
    name = command.removeprefix(f"{PROGRAMS}/")
    print(f"{name:26} {walks:7} {status['cpu']['stacksComplete'] * 100:9.3f} % {numbers['walk_frames'] / walks:7.1f} "
          f"{runs['time_ns'] / runs['count'] / 1000:9.2f} µs   {numbers['walk_ends'][1:]}")


commands = sys.argv[1:] or [f"{PROGRAMS}/shares --delay 0", f"{PROGRAMS}/service",
                            f"{PROGRAMS}/churn maps /dev/null 2 60",
                            *(f"{PROGRAMS}/walks {kind}" for kind in ("steal", "poll", "threads", "assembly"))]
print(f"{'program':26} {'walks':>7} {'complete':>11} {'frames':>7} {'a walk':>12}   other ends, by reason")
for each in commands:
    measure(each)
