#!/usr/bin/env python3
"""How many stacks are walked to their end, and what a walk costs, on several shapes of Rust programs.
The time is the kernel's own for the whole BPF program: finding the thread's owner, walking, hashing and counting.

usage: RSPROF=… PROGRAMS=… unwind.py [COMMAND ...]   (each COMMAND a program with arguments; default: the test programs)"""
import json
import os
import shlex
import subprocess
import sys
import time

RSPROF, PROGRAMS = os.environ["RSPROF"], os.environ["PROGRAMS"]
BPFTOOL = "/usr/sbin/bpftool"
SECONDS = 5


def bpftool(*arguments):
    return json.loads(subprocess.run([BPFTOOL, "-j", *arguments], capture_output=True, check=True).stdout)


def newest(kind, name):
    """The latest program or map of that name: that of the rsprof just started, if no other starts meanwhile."""
    return max((item for item in bpftool(kind, "show") if item.get("name") == name), key=lambda item: item["id"])


def variables():
    values = bpftool("map", "dump", "id", str(newest("map", "rsprof_b.bss")["id"]))
    return {k: v for entry in values[0]["formatted"]["value"][".bss"] for k, v in entry.items()}


def measure(command):
    target = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    rsprof = subprocess.Popen([RSPROF, "snapshot", str(target.pid), "--heap", "off", "--cpu-freq", "997", "--duration",
                               str(SECONDS)], stdout=subprocess.PIPE)
    time.sleep(SECONDS - 0.5)
    try:
        program, numbers = newest("prog", "cpu_sample"), variables()
        status = json.loads(rsprof.communicate()[0])["status"]
    finally:
        target.kill()
        target.wait()
    walks = sum(numbers["walk_ends"])
    name = os.path.basename(shlex.split(command)[0])
    print(f"{name:16} {walks:7} {status['cpu']['stacksComplete'] * 100:9.3f} % {numbers['walk_frames'] / walks:7.1f} "
          f"{program['run_time_ns'] / program['run_cnt'] / 1000:9.2f} µs   {numbers['walk_ends'][1:]}")


commands = sys.argv[1:] or [f"{PROGRAMS}/shares --delay 0", f"{PROGRAMS}/service",
                            f"{PROGRAMS}/churn maps /dev/null 2 60"]
print(f"{'program':16} {'walks':>7} {'complete':>11} {'frames':>7} {'a walk':>12}   other ends, by reason")
for each in commands:
    measure(each)
