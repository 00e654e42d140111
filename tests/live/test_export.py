"""The formats of other tools have the samples that the JSON snapshot has, stack by stack. A program whose shares are known is
looked at through a server; then it is killed, so that all formats are of the same numbers."""
import base64
import collections
import contextlib
import json
import re
import subprocess
import tempfile

import rsprof_live as live
from rsprof_server import Server

SHARES = {"shares::plain": 0.5, "shares::inlined": 0.3, "shares::recursive": 0.2}


def all_formats():
    with contextlib.closing(Server()) as server:
        with live.program("shares", "--delay", 5) as process:
            server.ask("rsprof/attach", {"pid": process.pid, "cpuFreqHz": 499})
            while not server.status or server.status["cpu"]["samples"] < 1000:
                server.receive()
        server.wait_for_state("lost")
        return {name: server.ask("rsprof/snapshot", {"format": name}) for name in ("json", "folded", "pprof", "firefox")}


FORMATS = all_formats()
SAMPLES = FORMATS["json"]["status"]["cpu"]["samples"]


def check_stacks(stacks):
    """Of (names from root to leaf, samples)."""
    assert sum(samples for _, samples in stacks) == SAMPLES, stacks
    totals = collections.Counter()
    for names, samples in stacks:
        totals.update(dict.fromkeys(names, samples))
    at_work = totals["shares::worker"]  # the rest is allocation
    for function, truth in SHARES.items():
        live.close_share(function, totals[function] / at_work, truth, at_work, 0.02)
    kernel = sum(samples for names, samples in stacks if names[-1] == "[kernel]")
    assert totals["[kernel]"] == kernel, "kernel time is not at the leaf"
    return totals


def folded_stacks():
    lines = [re.fullmatch(r"(.+) (\d+)", line).groups() for line in FORMATS["folded"]["text"].splitlines()]
    return [(stack.split(";"), int(samples)) for stack, samples in lines]


def folded_stacks_have_all_samples_and_their_shares():
    stacks = folded_stacks()
    check_stacks(stacks)
    assert len({tuple(names) for names, _ in stacks}) == len(stacks), "a stack is there twice"
    recursive = max(names.count("shares::recursive") for names, _ in stacks)
    assert recursive == 11, f"{recursive} calls of a recursion 10 deep"


def pprof(*arguments):
    """What Google's reader says of the profile."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(FORMATS["pprof"]["base64"]))
        file.flush()
        done = subprocess.run(["go", "tool", "pprof", *arguments, file.name], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def pprof_totals(sample_type, unit):
    """(the sum, sums by function anywhere on the stack)."""
    text = pprof("-top", "-cum", "-nodecount=100000", "-nodefraction=0", f"-sample_index={sample_type}", f"-unit={unit}")
    rows = re.findall(r"^ *\S+ +\S+ +\S+ +(\d+)\S* +\S+ +(.+?)(?: \(inline\))?$", text, re.MULTILINE)
    return int(re.search(r"of (\d+)\S* total", text)[1]), {name: int(total) for total, name in rows}


def pprof_has_all_samples_and_their_shares():
    total, functions = pprof_totals("samples", "count")
    assert total == SAMPLES, total
    ours = check_stacks(folded_stacks())
    for function in [*SHARES, "shares::main::{closure#0}", "[kernel]"]:
        assert functions.get(function, 0) == ours[function], (function, functions, ours)
    nanoseconds, _ = pprof_totals("cpu", "nanoseconds")
    assert nanoseconds == SAMPLES * (10**9 // 499), nanoseconds


def pprof_has_the_live_heap():
    heap = FORMATS["json"]["status"]["heap"]
    for sample_type, unit, truth in (("inuse_space", "bytes", heap["liveBytes"]), ("inuse_objects", "count", heap["liveBlocks"])):
        total, functions = pprof_totals(sample_type, unit)
        live.close(f"{sample_type} in all", total, truth, 1000)  # stacks are rounded one by one
        assert functions["shares::allocate"] > 0.9 * total, functions
    assert pprof_totals("alloc_space", "bytes")[0] >= heap["liveBytes"]


def pprof_names_the_program_its_build_and_where_each_call_is():
    raw = pprof("-raw")
    start, end, path, build_id = re.search(r"^1: 0x(\w+)/0x(\w+)/0x\w+ (\S+) (\w*) ?\[FN\]\[FL\]\[LN\]\[IN\]", raw, re.MULTILINE).groups()
    assert path == FORMATS["json"]["exe"], path
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    assert build_id == re.search(r"Build ID: (\w+)|$", notes)[1], build_id
    addresses = [int(address, 16) for address in re.findall(r"^ *\d+: 0x(\w+) M=1 ", raw, re.MULTILINE)]
    assert addresses and all(int(start, 16) <= address < int(end, 16) for address in addresses), (start, end, addresses)
    line = live.marked_lines("shares")["call-plain"]
    assert re.search(rf"shares::worker {re.escape(str(live.SOURCES))}/shares.rs:{line}(:\d+)? ", raw), "no line of a call"


def check_table(table, columns):
    """Version 57 of the processed profile format: each column has a value for each row."""
    assert set(table) - {"length", "weightType"} == set(columns), set(table) ^ set(columns)
    for column in columns:
        assert len(table[column]) == table["length"], column


def check_indices(column, length, optional=False):
    assert all((optional and index is None) or 0 <= index < length for index in column), column


def firefox_thread():
    profile = json.loads(FORMATS["firefox"]["text"])
    assert profile["meta"]["preprocessedProfileVersion"] == 57
    assert profile["meta"]["categories"][0]["color"] == "grey"
    for field in ("interval", "startTime", "processType", "product", "stackwalk", "version", "markerSchema"):
        assert field in profile["meta"], field
    (thread,) = profile["threads"]
    strings, stacks, frames, functions = profile["shared"]["stringArray"], thread["stackTable"], thread["frameTable"], thread["funcTable"]
    check_table(stacks, ["prefix", "frame"])
    check_table(frames, ["address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID", "line", "column"])
    check_table(functions, ["name", "isJS", "relevantForJS", "resource", "fileName", "lineNumber", "columnNumber"])
    check_table(thread["resourceTable"], ["lib", "name", "host", "type"])
    check_table(thread["nativeSymbols"], ["libIndex", "address", "name", "functionSize"])
    check_table(thread["markers"], ["data", "name", "startTime", "endTime", "phase", "category"])
    check_indices(stacks["frame"], frames["length"])
    check_indices(frames["func"], functions["length"])
    check_indices(frames["category"], len(profile["meta"]["categories"]))
    check_indices(functions["name"], len(strings))
    check_indices(functions["fileName"], len(strings), optional=True)
    assert all(prefix is None or prefix < row for row, prefix in enumerate(stacks["prefix"])), "a caller after its callee"
    return strings, thread


def firefox_rows(table, strings, thread):
    """(names from root to leaf, weight) for each row of a table with stacks."""
    check_table(table, ["stack", "weight", "time"])
    check_indices(table["stack"], thread["stackTable"]["length"])
    assert table["time"] == sorted(table["time"]), "times go back"
    for stack, weight in zip(table["stack"], table["weight"]):
        names = []
        while stack is not None:
            function = thread["frameTable"]["func"][thread["stackTable"]["frame"][stack]]
            names.insert(0, strings[thread["funcTable"]["name"][function]])
            stack = thread["stackTable"]["prefix"][stack]
        yield names, weight


def firefox_has_all_samples_and_their_shares_and_the_live_heap():
    strings, thread = firefox_thread()
    assert thread["samples"]["weightType"] == "samples" and thread["nativeAllocations"]["weightType"] == "bytes"
    totals = check_stacks(list(firefox_rows(thread["samples"], strings, thread)))
    assert totals == check_stacks(folded_stacks()), "other samples than in folded stacks"
    blocks = list(firefox_rows(thread["nativeAllocations"], strings, thread))
    live.close("live bytes", sum(size for _, size in blocks), FORMATS["json"]["status"]["heap"]["liveBytes"], 1000)
    assert any("shares::allocate" in names for names, _ in blocks), blocks


def the_command_writes_each_format_to_a_file_and_refuses_others():
    with live.program("shares", "--delay", 0) as process, tempfile.NamedTemporaryFile() as file:
        command = [live.RSPROF, "snapshot", str(process.pid), "--duration", "1", "-o", file.name, "--format"]
        for name, start in (("json", rb"{\s*\"pid\""), ("folded", rb".+;.+ \d+\n"), ("pprof", b"\x1f\x8b"), ("firefox", rb"{\"meta\"")):
            subprocess.run([*command, name], check=True)
            file.seek(0)
            assert re.match(start, file.read()), name
        refused = subprocess.run([*command, "svg"], capture_output=True, text=True, check=False)
        assert refused.returncode == 2 and "folded" in refused.stderr, refused


live.main(folded_stacks_have_all_samples_and_their_shares,
          pprof_has_all_samples_and_their_shares,
          pprof_has_the_live_heap,
          pprof_names_the_program_its_build_and_where_each_call_is,
          firefox_has_all_samples_and_their_shares_and_the_live_heap,
          the_command_writes_each_format_to_a_file_and_refuses_others)
