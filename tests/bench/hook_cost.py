"""What the heap hook costs a program, alone and with the samples that rsprof takes by itself. Attaching and detaching takes seconds, in
which a machine drifts by more than that. So the words that lead to the stub are switched here, between the stub and the allocator,
every few milliseconds while rsprof is attached, and neighbours compared. CPU samples, which are taken all the time, do not count.
Prints medians of the pairs with their standard errors.

usage: RSPROF=… PROGRAMS=… hook_cost.py [--seconds N] [KIND ...]    (kinds of churn.rs; one thread)"""
import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "live"))
from rsprof_server import Server  # noqa: E402

PROGRAM = Path(os.environ["PROGRAMS"]).resolve() / "churn"
NO_SAMPLES = 10**12  # bytes between two
SETTLE_SEC, WINDOW_SEC = 0.0005, 0.006
TURNS = 5
WORD = 8


class Target:
    def __init__(self, kind, seconds):
        with tempfile.NamedTemporaryFile() as unused:
            self.process = subprocess.Popen([PROGRAM, kind, unused.name, "1", str(seconds)])
        time.sleep(0.5)
        self.pid = self.process.pid
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR)
        names = subprocess.run(["nm", "-C", PROGRAM], capture_output=True, text=True, check=True).stdout.splitlines()
        start = min(start for start, _, _ in self.mappings(str(PROGRAM)))
        self.rounds_at = start + next(int(name.split()[0], 16) for name in names if name.endswith("churn::ROUNDS"))

    def mappings(self, name):
        for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
            if name in line:
                start, end = (int(address, 16) for address in line.split()[0].split("-"))
                yield start, end, line.split()[1]

    def words(self):
        """Those of its own data, by address."""
        words = {}
        for start, end, rights in self.mappings(str(PROGRAM)):
            if "x" not in rights:
                data = os.pread(self.memory, end - start, start)
                words |= {start + at: data[at:at + WORD] for at in range(0, len(data), WORD)}
        return words

    def rounds(self):
        return int.from_bytes(os.pread(self.memory, WORD, self.rounds_at), sys.byteorder), time.monotonic()

    def speed(self, words):
        """Rounds a second with these words."""
        for address, word in words.items():
            os.pwrite(self.memory, word, address)
        time.sleep(SETTLE_SEC)
        before, begin = self.rounds()
        time.sleep(WINDOW_SEC)
        after, end = self.rounds()
        return (after - before) / (end - begin)


def attach(target, server, interval):
    """The words that lead to the stub: (as they were, as they are)."""
    before = target.words()
    server.ask("rsprof/attach", {"pid": target.pid, "heapIntervalBytes": interval})
    server.wait_for_state("running")
    time.sleep(2)
    stub = next((start, end) for start, end, rights in target.mappings("rsprof-hook") if "x" in rights)
    hooked = {address: word for address, word in target.words().items()
              if stub[0] <= int.from_bytes(word, sys.byteorder) < stub[1]}
    return {address: before[address] for address in hooked}, hooked


def detach(server):
    server.ask("rsprof/detach", {})
    server.status = {}


def slowdowns(target, server, interval, seconds):
    """In percent, one for each pair of neighbours."""
    bare, hooked = attach(target, server, interval)
    changes, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        speeds = {kind: target.speed((bare, hooked)[kind]) for kind in random.sample((0, 1), 2)}
        if all(speeds.values()):
            changes.append((speeds[0] / speeds[1] - 1) * 100)
    target.speed(hooked)
    detach(server)
    return changes


def median(changes):
    """With its standard error, as of a normal distribution that has these quartiles."""
    low, middle, high = statistics.quantiles(changes, n=4)
    return f"{middle:.1f} ± {1.2533 * (high - low) / 1.349 / len(changes) ** 0.5:.1f} %"


def steady_status(target, server):
    attach(target, server, 0)
    until = time.monotonic() + 8
    while time.monotonic() < until:
        server.receive()
    status = server.status
    detach(server)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("kinds", nargs="*", default=["maps", "pairs"])
    args = parser.parse_args()
    server = Server()
    print(f"{'kind':8}{'allocs/s':>10}{'interval':>12}{'hook alone':>16}{'with samples':>16}{'rsprof says':>13}")
    for kind in args.kinds:
        target = Target(kind, 2 * args.seconds + 60)
        alone, sampled = [], []
        try:
            status = steady_status(target, server)
            heap = status["heap"]
            for _ in range(TURNS):
                alone += slowdowns(target, server, NO_SAMPLES, args.seconds / TURNS)
                sampled += slowdowns(target, server, heap["intervalBytes"], args.seconds / TURNS)
        finally:
            target.process.kill()
            target.process.wait()
        print(f"{kind:8}{heap['allocsPerSec'] / 1e6:8.1f} M{heap['intervalBytes'] / 1024:8.0f} KiB{median(alone):>16}"
              f"{median(sampled):>16}{status['overhead']['fraction']:13.1%}", flush=True)
    server.close()


main()
