"""A program that measures itself: it prints the time (CLOCK_MONOTONIC, seconds) and how many nanoseconds of CPU time a round of its
loop took, until its standard input ends."""
import subprocess
import threading
import time


class Loop:
    """The program, running, and what it measures."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.samples = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            fields = line.split()
            if len(fields) == 2 and fields[0][0].isdigit():
                self.samples.append((float(fields[0]), float(fields[1])))

    def since(self, begin):
        return [ns for when, ns in self.samples if when > begin + 0.1]

    def quickest(self, seconds=1):
        """What is reached by the quickest tenth of the rounds from now on: others on the same core make the rest slower."""
        begin = time.clock_gettime(time.CLOCK_MONOTONIC)
        time.sleep(seconds)
        while len(self.since(begin)) < 5:  # slow ones
            time.sleep(0.5)
        measured = sorted(self.since(begin)[1:])  # not the one that a change fell into
        return measured[len(measured) // 10]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.reader.join()
