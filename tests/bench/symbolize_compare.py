"""Compares `rsprof symbolize` with llvm-symbolizer on random text addresses: the same files, lines and number of frames?

Prints a line a binary, then every kind of difference with an example. Ends with 1 when less than 99.9 % agree.
"""

import collections
import os
import random
import statistics
import subprocess
import sys
import time

RUNS = 3


def text_section(path):
    out = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        fields = line.replace("[ ", "[").split()
        if len(fields) > 5 and fields[1] == ".text":
            return int(fields[3], 16), int(fields[5], 16)
    raise SystemExit(f"{path}: no .text section")


def timed(command, text):
    """The output, and the median time of some runs in milliseconds."""
    times = []
    for _ in range(RUNS):
        start = time.monotonic()
        run = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        times.append((time.monotonic() - start) * 1000)
    return run.stdout, statistics.median(times)


def place(text):
    """file and line; llvm-symbolizer adds a column."""
    parts = text.rsplit(":", 2)
    return (parts[0], parts[1]) if len(parts) == 3 and parts[1].isdigit() else tuple(text.rsplit(":", 1))


def parse(output):
    answers = []
    for block in output.split("\n\n"):
        lines = [line for line in block.split("\n") if line]
        if lines:
            answers.append([(lines[i], place(lines[i + 1])) for i in range(0, len(lines) - 1, 2)])
    return answers


def kind_of(ours, theirs):
    if len(ours) != len(theirs):
        more = "more" if len(ours) > len(theirs) else "fewer"
        return f"we have {more} frames than llvm-symbolizer"
    for (_, mine), (_, other) in zip(ours, theirs):
        if mine[0] != other[0]:
            return "another file"
        if mine[1] != other[1]:
            return "another line"
    return "none"


def compare(rsprof, path, count):
    start, size = text_section(path)
    draw = random.Random(1)
    addresses = [start + draw.randrange(size) for _ in range(count)]
    text = "".join(f"0x{address:x}\n" for address in addresses)
    # One run each first, so that both find the file in memory.
    subprocess.run([rsprof, "symbolize", path], input=text, capture_output=True, text=True)
    output, ours_ms = timed([rsprof, "symbolize", path], text)
    reference, llvm_ms = timed(["llvm-symbolizer", "--inlining", "-e", path], text)
    ours, theirs = parse(output), parse(reference)
    if len(ours) != count or len(theirs) != count:
        raise SystemExit(f"{path}: {count} addresses, {len(ours)} and {len(theirs)} answers")
    differences = collections.defaultdict(list)
    for address, mine, other in zip(addresses, ours, theirs):
        kind = kind_of(mine, other)
        if kind != "none":
            differences[kind].append((address, mine, other))
    agreed = 1 - sum(map(len, differences.values())) / count
    frames = sum(map(len, ours)) / count
    print(f"{os.path.basename(path):14} {os.path.getsize(path) / 1e6:7.1f} MB {count:6} {frames:6.2f} "
          f"{100 * agreed:8.2f} % {ours_ms:8.0f} ms {llvm_ms:8.0f} ms {llvm_ms / ours_ms:6.1f}x")
    return agreed, differences


def main():
    rsprof, count, paths = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    print(f"{'binary':14} {'size':>10} {'asked':>6} {'frames':>6} {'agreed':>10} {'rsprof':>11} {'llvm':>11} {'':>6}")
    results = [(path, *compare(rsprof, path, count)) for path in paths]
    for path, _, differences in results:
        for kind, examples in differences.items():
            address, mine, other = examples[0]
            print(f"\n{os.path.basename(path)}: {kind}, {len(examples)} times; for example {address:#x}")
            print(f"  rsprof {mine}\n  llvm   {other}")
    return 0 if all(agreed >= 0.999 for _, agreed, _ in results) else 1


sys.exit(main())
