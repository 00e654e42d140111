"""What the heap hook costs a program, and what samples cost beside, as densely as rsprof takes them by itself. Attaching and detaching
takes seconds, in which a machine drifts by more than that. So it is switched here every few milliseconds while rsprof is attached, and
neighbours are compared: for the hook, the words that lead to the stub, where no samples are taken; for samples, the stub's rates. (Words
switched while there are samples would leave some of them in the stub for ever, as their blocks are freed past it.) CPU samples, which are
taken all the time, do not count. Prints medians of the pairs with their standard errors.

usage: RSPROF=… PROGRAMS=… hook_cost.py [--seconds N] [--threads N] [KIND ...]    (kinds of churn.rs)"""
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
RATES_AT, RATES = 0x1000, 4096  # in the stub's data, behind its code: struct hook_data


class Target:
    def __init__(self, kind, threads, seconds):
        with tempfile.NamedTemporaryFile() as unused:
            self.process = subprocess.Popen([PROGRAM, kind, unused.name, str(threads), str(seconds)])
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
    """Where the stub's code lies."""
    server.ask("rsprof/attach", {"pid": target.pid, "heapIntervalBytes": interval})
    server.wait_for_state("running")
    time.sleep(2)
    return next((start, end) for start, end, rights in target.mappings("rsprof-hook") if "x" in rights)


def attach_without_samples(target, server):
    """The words that lead to the stub: (as they were, as they are)."""
    before = target.words()
    start, end = attach(target, server, NO_SAMPLES)
    hooked = {address: word for address, word in target.words().items() if start <= int.from_bytes(word, sys.byteorder) < end}
    return {address: before[address] for address in hooked}, hooked


def attach_with_samples(target, server, interval):
    """The stub's rates: (none, as they are)."""
    address = attach(target, server, interval)[1] + RATES_AT
    rates = os.pread(target.memory, RATES * WORD, address)
    return {address: bytes(len(rates))}, {address: rates}


def detach(server):
    server.ask("rsprof/detach", {})
    server.status = {}


def slowdowns(target, off, on, seconds):
    """In percent, one for each pair of neighbours."""
    changes, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        speeds = {kind: target.speed((off, on)[kind]) for kind in random.sample((0, 1), 2)}
        if all(speeds.values()):
            changes.append((speeds[0] / speeds[1] - 1) * 100)
    target.speed(on)
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
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("kinds", nargs="*", default=["maps", "pairs"])
    args = parser.parse_args()
    server = Server()
    print(f"{'kind':8}{'allocs/s':>10}{'interval':>12}{'hook':>16}{'samples':>16}{'rsprof says':>13}")
    for kind in args.kinds:
        target = Target(kind, args.threads, 2 * args.seconds + 60)
        hook, samples = [], []
        try:
            status = steady_status(target, server)
            heap = status["heap"]
            for _ in range(TURNS):
                hook += slowdowns(target, *attach_without_samples(target, server), args.seconds / TURNS)
                detach(server)
                samples += slowdowns(target, *attach_with_samples(target, server, heap["intervalBytes"]), args.seconds / TURNS)
                detach(server)
        finally:
            target.process.kill()
            target.process.wait()
        print(f"{kind:8}{heap['allocsPerSec'] / 1e6:8.1f} M{heap['intervalBytes'] / 1024:8.0f} KiB{median(hook):>16}"
              f"{median(samples):>16}{status['overhead']['fraction']:13.1%}", flush=True)
    server.close()


main()
