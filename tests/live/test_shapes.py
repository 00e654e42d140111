"""Every way a Rust program may be built: its hot line is found, with its CPU and with the heap that it holds."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rsprof_live as live

RUSTC = os.environ.get("RUSTC", "rustc")
MARKS = live.marked_lines("shape")


def build(folder, *flags, env=None, source=live.SOURCES / "shape.rs"):
    """Builds the program, and returns its path."""
    program = Path(folder) / "shape"
    subprocess.run([RUSTC, "--edition", "2021", "-O", "-o", program, *flags, source], check=True, cwd=folder,
                   env={**os.environ, **(env or {})})
    return program


def snapshot_while_it_allocates(process, *arguments):
    """A snapshot, during which the program is told to allocate: after rsprof has attached."""
    command = [live.RSPROF, "snapshot", str(process.pid), "--duration", "2.5", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as rsprof:
        live.eventually(lambda: live.is_hooked(process.pid) or rsprof.poll() is not None, 30, "rsprof hooks the allocator")
        time.sleep(0.5)
        process.send_signal(signal.SIGUSR1)
        out, err = rsprof.communicate(timeout=60)
    assert rsprof.returncode == 0, err
    return json.loads(out)


def look_at(program, *arguments, command=None):
    """A snapshot of the running program."""
    with subprocess.Popen(command or [program], stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(0.3)
            return snapshot_while_it_allocates(process, *arguments)
        finally:
            process.kill()


def numbers(result, mark, file=None):
    for line in result["lines"]:
        if line["line"] == MARKS[mark] and line["file"].endswith(file or "/shape.rs"):
            return line
    raise AssertionError(f"no numbers for {mark}: {result['status']}")


def check(result, complete=0.99, heap=True, file=None, hot=0.5):
    """The hot line has most of the CPU, the keeping line its 8 MiB, and stacks are walked to their end."""
    assert numbers(result, "hot", file)["cpu"]["self"] > hot, numbers(result, "hot", file)
    assert result["status"]["cpu"]["stacksComplete"] >= complete, result["status"]["cpu"]
    if heap:
        live_bytes = numbers(result, "keep", file)["heap"]["selfLiveBytes"]
        assert abs(live_bytes - (8 << 20)) < 0.05 * (8 << 20), f"{live_bytes} live bytes, {result['status']['heap']}"
        assert result["status"]["heap"]["mode"] == "hook", result["status"]


def shape(name, *flags, after=None, env=None, **expected):
    """A test of the program built with the flags; `after` may change the file before it runs."""
    def test():
        with tempfile.TemporaryDirectory() as folder:
            program = build(folder, *flags, env=env)
            if after:
                after(program)
            check(look_at(program), **expected)
    test.__name__ = name
    return test


def run(*command):
    subprocess.run(list(map(str, command)), check=True)


def separate_by_debuglink(program):
    debug = program.with_suffix(".debug")
    run("objcopy", "--only-keep-debug", program, debug)
    run("objcopy", "--strip-debug", program)
    run("objcopy", f"--add-gnu-debuglink={debug}", program)


def compressed_with_zstd(program):
    """Debian 12's binutils may not know zstd: then lld's or a newer objcopy's work is not to be had, and zlib is what is shown."""
    done = subprocess.run(["objcopy", "--compress-debug-sections=zstd", program], capture_output=True, check=False)
    if done.returncode:
        run("objcopy", "--compress-debug-sections=zlib", program)


def a_stripped_program_is_refused_with_what_to_do():
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, "-g", "-C", "strip=symbols")
        with subprocess.Popen([program], stdout=subprocess.DEVNULL) as process:
            time.sleep(0.2)
            done = subprocess.run([live.RSPROF, "snapshot", str(process.pid), "--duration", "1"], capture_output=True,
                                  text=True, check=False)
            process.kill()
    assert done.returncode == 5 and "line-tables-only" in done.stderr, (done.returncode, done.stderr)


def a_program_without_debug_info_is_shown_by_function_and_says_how_to_build_it():
    with tempfile.TemporaryDirectory() as folder:
        result = look_at(build(folder))
    assert any(line["function"].endswith("shape::work") and line["cpu"]["self"] > 0.5 for line in result["lines"]), \
        result["lines"][:3]
    assert any("line-tables-only" in hint for hint in result["status"]["hints"]), result["status"]["hints"]


def an_executable_replaced_on_disk_while_it_runs():
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, "-g")
        with subprocess.Popen([program], stdout=subprocess.DEVNULL) as process:
            time.sleep(0.2)
            program.unlink()
            program.write_bytes(b"something else")
            result = snapshot_while_it_allocates(process)
            process.kill()
    check(result)


def remapped_paths_are_found_again_by_a_source_map_and_in_the_workspace():
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, "-g", f"--remap-path-prefix={live.SOURCES}=/build/source")
        mapped = look_at(program, "--source-map", f"/build/source={live.SOURCES}")
        found = look_at(program, "--workspace", str(live.SOURCES))
    assert numbers(mapped, "hot", str(live.SOURCES / "shape.rs"))["cpu"]["self"] > 0.5
    assert numbers(found, "hot", str(live.SOURCES / "shape.rs"))["cpu"]["self"] > 0.5


def a_rust_library_loaded_by_a_python_process_after_attach():
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "libshape.so"
        run(RUSTC, "--edition", "2021", "-O", "-g", "--crate-type", "cdylib", "--cfg", "library", "-o", library,
            live.SOURCES / "shape.rs")
        script = (f"import ctypes, time; first = ctypes.CDLL({str(library)!r}); time.sleep(0.1)\n"
                  "first.shape_run(ctypes.c_double(8.0))")
        check(look_at(None, command=[sys.executable, "-c", script]), heap=False)


DEBUG = ("-g",)
live.main(
    shape("debug_2", *DEBUG),
    shape("debug_1", "-C", "debuginfo=1"),
    shape("line_tables_only", "-C", "debuginfo=line-tables-only"),
    shape("not_optimized", "-g", "-C", "opt-level=0", hot=0.15),
    shape("fat_lto_one_unit_panic_abort", "-g", "-C", "lto=fat", "-C", "codegen-units=1", "-C", "panic=abort"),
    shape("frame_pointers", "-g", "-C", "force-frame-pointers=yes"),
    shape("dwarf_5", "-g", "-Z", "dwarf-version=5", env={"RUSTC_BOOTSTRAP": "1"}),
    shape("split_packed", "-g", "-C", "split-debuginfo=packed"),
    shape("split_unpacked", "-g", "-C", "split-debuginfo=unpacked"),
    shape("compressed_with_zlib", "-g", "-C", "link-arg=-Wl,--compress-debug-sections=zlib"),
    shape("compressed_with_zstd_where_binutils_can", "-g", after=compressed_with_zstd),
    shape("debug_file_by_debuglink", "-g", after=separate_by_debuglink),
    shape("static", "-g", "-C", "target-feature=+crt-static", heap=False),
    shape("not_position_independent", "-g", "-C", "relocation-model=static"),
    shape("v0_mangling", "-g", "-C", "symbol-mangling-version=v0"),
    an_executable_replaced_on_disk_while_it_runs,
    remapped_paths_are_found_again_by_a_source_map_and_in_the_workspace,
    a_rust_library_loaded_by_a_python_process_after_attach,
    a_stripped_program_is_refused_with_what_to_do,
    a_program_without_debug_info_is_shown_by_function_and_says_how_to_build_it,
)
