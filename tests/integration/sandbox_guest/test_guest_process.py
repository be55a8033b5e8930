"""Commands in the guest, over raw HTTP: shapes, ends, deadlines, trees."""

import base64
import json
import os
import threading
import time

from integration.sandbox_guest.rig import STREAM_TYPE, Guest, end_of, framed, wait_until

TREE = {"Diono-Kill-Tree": "1"}


def test_a_command_ends_with_its_code(guest: Guest) -> None:
    frames = guest.run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert "start" in frames[0][1]["event"]
    end = end_of(frames)
    assert end == {
        "exitCode": 3,
        "exited": True,
        "status": "exit status 3",
        "error": "exit status 3",
    }
    assert frames[-1] == (2, {})


def test_a_signal_is_told_as_go_does(guest: Guest) -> None:
    end = end_of(guest.run("sh", "-c", "kill -9 $$"))
    assert (end["exitCode"], end["exited"], end["status"]) == (-1, False, "signal: killed")


def test_what_cannot_start_is_an_invalid_argument(guest: Guest) -> None:
    for message in (
        {"process": {"cmd": "no-such-program"}},
        {"process": {"cmd": "true", "cwd": "/no/such/folder"}},
        {"process": {"cmd": "a\0b"}},
        {"process": {"cmd": "true", "args": ["x" * 3_000_000]}},
        {"process": {"cmd": "true", "envs": {"A=B": "c"}}},
        {"process": {"cmd": ["true"]}},
        {"process": 7},
        {},
    ):
        for headers in ({}, TREE):
            frames = guest.start(message, headers)
            assert frames[-1][1]["error"]["code"] == "invalid_argument", (message, frames)


def test_a_deadline_ends_the_program(guest: Guest) -> None:
    began = time.monotonic()
    frames = guest.run("sleep", "60", headers={"Connect-Timeout-Ms": "200"})
    assert frames[-1][1]["error"]["code"] == "deadline_exceeded"
    frames = guest.run("sleep", "60", headers={"Connect-Timeout-Ms": "200", **TREE})
    assert end_of(frames)["diono"]["deadline"]
    assert time.monotonic() - began < 5
    assert guest.call("process.Process/List", {})[1] == {"processes": []}


def test_a_run_ends_soon_after_its_main_process(guest: Guest) -> None:
    marker = guest.home / "daemon"
    began = time.monotonic()
    line = f"(sleep 1; echo noise; touch {marker}) & echo done"
    assert end_of(guest.run("sh", "-c", line))["exitCode"] == 0
    assert time.monotonic() - began < 0.9
    wait_until(marker.exists, seconds=10)


def test_a_tree_ends_with_its_daemons(guest: Guest) -> None:
    line = "(setsid sleep 300 & echo $!); setsid sh -c 'trap \"\" TERM; sleep 300' & echo $!"
    frames = guest.run("sh", "-c", line, headers={**TREE, "Diono-Output-Limit": "1000"})
    assert end_of(frames)["diono"]["survivors"] == 0
    pids = b"".join(
        base64.b64decode(m["event"]["data"]["stdout"])
        for f, m in frames
        if not f and "data" in m["event"]
    ).split()
    assert len(pids) == 2
    assert not any(os.path.exists(f"/proc/{int(pid)}") for pid in pids)


def test_a_lost_client_ends_a_tree_but_no_plain_command(guest: Guest) -> None:
    for name, headers in (("plain", {}), ("tree", TREE)):
        connection = guest.connection()
        line = f"sleep 1; touch {guest.home}/{name}; sleep 300"
        message = {"process": {"cmd": "sh", "args": ["-c", line]}, "tag": name}
        connection.request(
            "POST", "/process.Process/Start", framed(message), {**STREAM_TYPE, **headers}
        )
        connection.getresponse().read(10)
        connection.close()
    wait_until((guest.home / "plain").exists, seconds=10)
    assert not (guest.home / "tree").exists()
    _, listing = guest.call("process.Process/List", {})
    assert [entry["tag"] for entry in listing["processes"]] == ["plain"]
    signal = {"process": {"tag": "plain"}, "signal": "SIGNAL_SIGKILL"}
    assert guest.call("process.Process/SendSignal", signal) == (200, {})
    wait_until(lambda: guest.call("process.Process/List", {})[1] == {"processes": []}, seconds=10)
    assert guest.call("process.Process/SendSignal", signal)[0] == 404


def test_stdin_comes_with_the_start(guest: Guest) -> None:
    payload = os.urandom(500_000)
    encoded = base64.b64encode(payload).decode()
    message = {"process": {"cmd": "md5sum"}, "stdin": False, "diono": {"stdin": encoded}}
    frames = guest.start(message, TREE)
    assert end_of(frames)["exitCode"] == 0


def test_long_output_keeps_both_ends_and_little_memory(guest: Guest) -> None:
    guest.run("true")
    before = guest.resident_kilobytes()
    line = "echo first; head -c 300000000 /dev/zero; echo last"
    frames = guest.run("sh", "-c", line, headers={**TREE, "Diono-Output-Limit": "10000"})
    assert end_of(frames)["diono"]["truncated"]
    output = b"".join(
        base64.b64decode(m["event"]["data"]["stdout"])
        for f, m in frames
        if not f and "data" in m["event"]
    )
    assert output.startswith(b"first")
    assert output.endswith(b"last\n")
    assert b"bytes cut" in output
    assert len(output) < 11_000
    assert guest.resident_kilobytes() - before < 8_000


def test_a_reader_that_does_not_read_is_no_obstacle(guest: Guest) -> None:
    message = {"process": {"cmd": "cat", "args": ["/dev/zero"]}, "tag": "flood"}
    stream = guest.raw()
    body = framed(message)
    head = "POST /process.Process/Start HTTP/1.1\r\nHost: g\r\nConnect-Timeout-Ms: 60000\r\n"
    head += f"Content-Type: application/connect+json\r\nContent-Length: {len(body)}\r\n\r\n"
    stream.sendall(head.encode() + body)
    wait_until(lambda: bool(guest.call("process.Process/List", {})[1]["processes"]), seconds=10)
    before = guest.resident_kilobytes()
    signal = {"process": {"tag": "flood"}, "signal": "SIGNAL_SIGKILL"}
    began = time.monotonic()
    assert guest.call("process.Process/SendSignal", signal) == (200, {})
    assert time.monotonic() - began < 2
    assert guest.resident_kilobytes() - before < 16_000
    stream.close()


def test_many_orphans_leave_no_zombie(guest: Guest) -> None:
    for _ in range(3):
        guest.run("sh", "-c", "for i in $(seq 100); do (setsid true &) ; done")

    def zombies() -> int:
        count = 0
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as stat:
                        fields = stat.read().rpartition(")")[2].split()
                except OSError:
                    continue
                count += fields[0] == "Z" and int(fields[1]) == guest.process.pid
        return count

    wait_until(lambda: zombies() == 0, seconds=10)


def test_parallel_commands_do_not_mix(guest: Guest) -> None:
    problems: list[object] = []

    def one(number: int) -> None:
        headers = TREE if number % 2 else {}
        frames = guest.run("sh", "-c", f"sleep 0.1; exit {number}", headers=headers)
        if end_of(frames)["exitCode"] != number:
            problems.append(frames)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems


def test_the_environment_names_home_and_folder(guest: Guest) -> None:
    (guest.home / "below").mkdir()
    guest.request("POST", "/diono/configure", json.dumps({"env": {"MINE": "1"}}))
    message = {
        "process": {
            "cmd": "sh",
            "args": ["-c", 'echo "$HOME $PWD $MINE $YOURS" > said'],
            "envs": {"YOURS": "2"},
            "cwd": "~/below",
        }
    }
    assert end_of(guest.start(message))["exitCode"] == 0
    said = (guest.home / "below" / "said").read_text()
    assert said == f"{guest.home} {guest.home}/below 1 2\n"
