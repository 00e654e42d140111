"""Whom rsprof serves when its file has capabilities: ordinary users, for their own processes, and nobody for another's. Runs as root,
which it takes to give capabilities and to be two other users."""
import atexit
import ctypes
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rsprof_live as live

USER, OTHER = 61001, 61002  # no accounts: the kernel knows numbers only
ALL = "cap_bpf,cap_perfmon,cap_sys_ptrace"
CAPABILITIES = {"cap_sys_ptrace": 1 << 19, "cap_perfmon": 1 << 38, "cap_bpf": 1 << 39}
PR_SET_DUMPABLE = 4


def as_user(uid):
    return {"user": uid, "group": uid, "extra_groups": []}


def make_folder():
    """A folder where others may run programs, and where file capabilities count."""
    for parent in (tempfile.gettempdir(), "/var/tmp"):
        if not os.statvfs(parent).f_flag & os.ST_NOSUID:
            folder = Path(tempfile.mkdtemp(prefix="rsprof-rights-", dir=parent))
            atexit.register(shutil.rmtree, folder)
            folder.chmod(0o755)
            return folder
    raise AssertionError("every folder for temporary files is mounted nosuid")


FOLDER = make_folder()
LIVES = shutil.copy(live.PROGRAMS / "lives", FOLDER)


def rsprof_with(capabilities):
    """A copy of rsprof that carries these."""
    copy = FOLDER / f"rsprof-{capabilities.replace(',', '-') or 'bare'}"
    if not copy.exists():
        shutil.copy(live.RSPROF, copy)
        if capabilities:
            subprocess.run(["setcap", f"{capabilities}+ep", copy], check=True)
    return copy


def rsprof(*arguments, capabilities=ALL, uid=USER):
    return subprocess.run([rsprof_with(capabilities), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          **as_user(uid))


def snapshot(pid, *arguments, seconds=3, capabilities=ALL):
    done = rsprof("snapshot", pid, "--duration", seconds, *arguments, capabilities=capabilities)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def assert_works(result):
    status = result["status"]
    assert status["state"] == "running" and status["cpu"]["samples"] > 50, status
    assert status["heap"]["mode"] == "hook" and status["heap"]["allocBytesPerSec"] > 1_000_000, status
    assert not status["hints"], status["hints"]
    lives = str(live.SOURCES / "lives.rs")
    assert any(line["file"] == lives and line["cpu"]["total"] > 0.2 for line in result["lines"]), "no lines"


def assert_refused(pid, words, capabilities=ALL):
    done = rsprof("snapshot", pid, "--duration", 1, capabilities=capabilities)
    assert done.returncode == 4 and words in done.stderr, f"exit code {done.returncode}: {done.stderr}"
    assert not done.stdout, done.stdout


def python(prepare, **options):
    """A process that calls `prepare` and sleeps; ready when it has said so."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for name, value in options.items():
                getattr(os, name)(*value)
            prepare()
            os.write(writer, b"!")
            time.sleep(60)
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 1) == b"!", "the process did not start"
    os.close(reader)
    return pid


def end(pid):
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def set_dumpable(value):
    assert ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, value, 0, 0, 0) == 0


def rights_of(pid):
    """Capability sets of every thread of a process."""
    sets = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        text = Path(f"/proc/{pid}/task/{task}/status").read_text()
        sets.add(tuple(int(re.search(rf"{name}:\s*(\w+)", text)[1], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")))
    return sets


def an_ordinary_user_profiles_a_process_of_his_own_in_full():
    with live.running([LIVES, "work"], **as_user(USER)) as process:
        time.sleep(0.3)
        assert_works(snapshot(process.pid))
        assert process.poll() is None, f"the target ended with {process.returncode}"


def plain_uprobes_are_held_to_the_budget_without_rights_of_root():
    with open(FOLDER / "watched", "w+", encoding="utf-8") as output, live.running([LIVES, "work"], **as_user(USER)) as process, \
            live.running([rsprof_with(ALL), "watch", str(process.pid), "--heap", "uprobe"], stdout=output, **as_user(USER)):
        live.eventually(lambda: "Raise --budget" in Path(output.name).read_text(), 60, "plain uprobes are taken away")


def no_capability_is_in_effect_while_it_samples_and_the_parser_has_none():
    with live.running([LIVES, "work"], **as_user(USER)) as process, \
            live.running([rsprof_with(ALL), "watch", str(process.pid)], stdout=subprocess.PIPE, **as_user(USER)) as server:
        server.stdout.readline()  # it samples
        assert rights_of(server.pid) == {(sum(CAPABILITIES.values()), 0, 0, 0)}, rights_of(server.pid)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(children) == 1, children
        assert rights_of(children[0]) == {(0, 0, 0, 0)}, rights_of(children[0])
        child = Path(f"/proc/{children[0]}/status").read_text()
        assert re.search(r"NoNewPrivs:\s*1", child) and re.search(r"Seccomp:\s*2", child), child


def a_process_of_root_or_of_another_user_is_refused():
    assert_refused(os.getpid(), "belongs to another user")
    with live.running([LIVES, "work"], **as_user(OTHER)) as process:
        assert_refused(process.pid, "belongs to another user")


def a_process_that_could_become_another_user_again_is_refused():
    for uids in ((USER, USER, 0), (USER, 0, 0), (USER, OTHER, OTHER), (OTHER, USER, USER)):
        pid = python(lambda: None, setresgid=(USER, USER, USER), setresuid=uids)
        assert_refused(pid, "belongs to another user")
        end(pid)


def a_process_of_another_group_is_refused():
    pid = python(lambda: set_dumpable(1), setresgid=(USER, OTHER, OTHER), setresuid=(USER, USER, USER))
    assert_refused(pid, "rights of its own")
    end(pid)


def a_process_that_is_not_dumpable_is_refused():
    pid = python(lambda: set_dumpable(0), setresgid=(USER, USER, USER), setresuid=(USER, USER, USER))
    assert_refused(pid, "hides its memory")
    end(pid)


def a_process_with_capabilities_is_refused():
    with live.running([rsprof_with(ALL), "serve"], stdin=subprocess.PIPE, **as_user(USER)) as process:
        live.eventually(lambda: "rsprof" in Path(f"/proc/{process.pid}/comm").read_text(), 10, "exec")
        assert_refused(process.pid, "rights of its own")


def a_process_in_another_user_namespace_is_refused():
    with live.running(["unshare", "--user", "sleep", "60"], **as_user(USER)) as process:
        comm = Path(f"/proc/{process.pid}/comm")
        live.eventually(lambda: comm.read_text() == "sleep\n" or process.poll() is not None, 10, "unshare")
        assert process.poll() is None, "user namespaces are not allowed here"
        assert_refused(process.pid, "user namespace")


def a_target_that_gains_rights_is_lost_at_once_and_this_is_said():
    folder = FOLDER / "gains"
    folder.mkdir(exist_ok=True)
    lives = shutil.copy(LIVES, folder)
    with live.running([lives, "exec"], **as_user(USER)) as process:
        time.sleep(0.3)
        os.chmod(lives, 0o4755)  # it runs itself again after 2 s, as root then
        result = snapshot(process.pid, seconds=6)
        assert Path(f"/proc/{process.pid}").stat().st_uid == 0, "the target did not gain rights"
    status = result["status"]
    assert status["state"] == "lost" and any("root" in hint for hint in status["hints"]), status


def fewer_capabilities_do_less_and_this_is_said():
    with live.running([LIVES, "work"], **as_user(USER)) as process:
        time.sleep(0.3)
        yama = Path("/proc/sys/kernel/yama/ptrace_scope")
        if not yama.exists() or yama.read_text() == "0\n":
            assert_works(snapshot(process.pid, capabilities="cap_bpf,cap_perfmon"))
        else:
            status = snapshot(process.pid, "--budget", "100", capabilities="cap_bpf,cap_perfmon")["status"]
            assert status["heap"]["mode"] == "uprobe" and "CAP_SYS_PTRACE" in status["hints"][0], status
        for capabilities in ("cap_bpf", "cap_perfmon,cap_sys_ptrace", ""):
            assert_refused(process.pid, f"sudo setcap {ALL}+ep {rsprof_with(capabilities)}", capabilities)
        listed = json.loads(rsprof("list", "--json", capabilities="").stdout)
        assert [item for item in listed if item["pid"] == process.pid and item["attachable"]], listed


def a_set_user_id_file_gives_no_more_than_capabilities_do():
    copy = FOLDER / "rsprof-setuid"
    shutil.copy(live.RSPROF, copy)
    copy.chmod(stat.S_ISUID | 0o755)
    secret = FOLDER / "secret"
    secret.mkdir(mode=0o700)
    with live.running([LIVES, "work"], **as_user(USER)) as process:
        time.sleep(0.3)
        for output, code in ((secret / "profile", 1), ("/dev/null", 0)):
            done = subprocess.run([copy, "snapshot", str(process.pid), "--duration", "1", "-o", output], capture_output=True,
                                  text=True, timeout=60, **as_user(USER))
            assert done.returncode == code, done.stderr
        done = subprocess.run([copy, "snapshot", str(os.getpid())], capture_output=True, text=True, timeout=60, **as_user(USER))
        assert done.returncode == 4 and "belongs to another user" in done.stderr, done.stderr


def doctor(*arguments, capabilities=ALL, code=0):
    """Its checks by name."""
    done = rsprof("doctor", "--json", *arguments, capabilities=capabilities)
    assert done.returncode == code, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    report = json.loads(done.stdout)
    assert report["ok"] == (code == 0), report
    return {check["name"]: check for check in report["checks"]}


def doctor_names_the_missing_capability_and_the_command_that_gives_it():
    for capabilities in ("cap_bpf", "cap_perfmon,cap_sys_ptrace", ""):
        check = doctor(capabilities=capabilities, code=4)["capabilities"]
        assert check["state"] == "fail", check
        assert check["remedy"] == f"sudo setcap {ALL}+ep {rsprof_with(capabilities)}", check
    assert all(check["state"] == "ok" for check in doctor().values()), doctor()
    spaced = shutil.copy(live.RSPROF, FOLDER / "Ada's rsprof")
    done = subprocess.run([spaced, "doctor"], capture_output=True, text=True, timeout=60, **as_user(USER))
    command = re.search(r"-> (sudo setcap .*)", done.stdout)[1]
    assert shlex.split(command) == ["sudo", "setcap", f"{ALL}+ep", str(spaced)], command
    done = subprocess.run(["setpriv", "--no-new-privs", rsprof_with(ALL), "doctor"], capture_output=True, text=True, timeout=60,
                          **as_user(USER))
    assert done.returncode == 4 and "no_new_privs" in done.stdout, done


def doctor_says_of_a_process_what_attaching_would_find():
    with live.running([LIVES, "work"], **as_user(USER)) as process:
        live.eventually(lambda: "libc.so" in Path(f"/proc/{process.pid}/maps").read_text(), 10, "exec")
        checks = doctor(process.pid)
        seen = {name: check["seen"] for name, check in checks.items()}
        assert seen["architecture"] == "x86-64" and seen["Rust code"] == "yes", seen
        assert seen["debug information"] == "lines, in the program itself" and "libc" in seen["allocator"], seen
        assert seen["live heap"].endswith("(hook)"), seen
    with live.running([LIVES, "work"], **as_user(OTHER)) as process:
        check = doctor(process.pid, code=4)["owner"]
        assert check["state"] == "fail" and "belongs to another user" in check["seen"] and check["remedy"], check
    doctor(process.pid, code=3)


def doctor_says_where_debug_information_was_found():
    folder = FOLDER / "split"
    folder.mkdir()
    program, lines = folder / "program", folder / "program.debug"
    subprocess.run(["objcopy", "--only-keep-debug", LIVES, lines], check=True)
    subprocess.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={lines}", LIVES, program], check=True)
    with live.running([program, "work"], **as_user(USER)) as process:
        live.eventually(lambda: "libc.so" in Path(f"/proc/{process.pid}/maps").read_text(), 10, "exec")
        assert doctor(process.pid)["debug information"]["seen"] == f"lines, in {lines}", doctor(process.pid)
        lines.unlink()
        check = doctor(process.pid, code=5)["debug information"]
        assert check["seen"] == "none" and "line-tables-only" in check["remedy"], check


if os.getuid() != 0:
    print("this test needs root: it gives a file capabilities, and runs it as other users")
    sys.exit(1)
live.main(an_ordinary_user_profiles_a_process_of_his_own_in_full,
          plain_uprobes_are_held_to_the_budget_without_rights_of_root,
          no_capability_is_in_effect_while_it_samples_and_the_parser_has_none,
          a_process_of_root_or_of_another_user_is_refused,
          a_process_that_could_become_another_user_again_is_refused,
          a_process_of_another_group_is_refused,
          a_process_that_is_not_dumpable_is_refused,
          a_process_with_capabilities_is_refused,
          a_process_in_another_user_namespace_is_refused,
          a_target_that_gains_rights_is_lost_at_once_and_this_is_said,
          fewer_capabilities_do_less_and_this_is_said,
          a_set_user_id_file_gives_no_more_than_capabilities_do,
          doctor_names_the_missing_capability_and_the_command_that_gives_it,
          doctor_says_of_a_process_what_attaching_would_find,
          doctor_says_where_debug_information_was_found)
