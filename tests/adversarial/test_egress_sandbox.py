"""S19 and S21 from inside a real sandbox, whose only way out is the proxy's socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
from contract.egress_rigs import PUBLIC, certificate, http_server
from contract.fleet_egress_rigs import FleetRig, fleet_rig

from diono.sandbox.port import NetworkPolicy

pytestmark = pytest.mark.engine

_DIRECT = """
import json, socket, sys
reached = []
for host, port in json.loads(sys.argv[1]):
    try:
        socket.create_connection((host, port), timeout=1).close()
        reached.append(host)
    except OSError:
        pass
for name in ("example.org", "db", "redis", "host.docker.internal", "metadata.google.internal"):
    try:
        reached.append(socket.getaddrinfo(name, 80)[0][4][0])
    except OSError:
        pass
print(json.dumps(reached))
"""
_FETCH = """
import json, ssl, sys, urllib.error, urllib.request
context = ssl._create_unverified_context()
for url in sys.argv[1:]:
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            print(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        print(error.code, error.headers.get("X-Diono-Egress"), error.read().decode().strip())
    except OSError as error:
        print("failed", error)
"""
_TAMPER = """
import os
for act in (lambda: os.unlink("/run/diono-egress/proxy.sock"),
            lambda: os.rename("/run/diono-egress/proxy.sock", "/run/diono-egress/old"),
            lambda: open("/run/diono-egress/new", "w"),
            lambda: os.symlink("/etc/passwd", "/run/diono-egress/link"),
            lambda: os.chmod("/run/diono-egress/proxy.sock", 0)):
    try:
        act()
        print("done")
    except OSError as error:
        print(error.errno)
"""


@pytest.fixture
async def rig() -> AsyncIterator[FleetRig]:
    async with fleet_rig() as made:
        yield made


def host_addresses() -> list[str]:
    """Return this host's addresses as others see them."""
    found = {answer[4][0] for answer in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((PUBLIC, 9))
        found.add(probe.getsockname()[0])
    return [str(address) for address in found if not str(address).startswith("127.")]


async def test_nothing_is_reachable_past_the_proxy(rig: FleetRig) -> None:
    listener = await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)
    port = listener.sockets[0].getsockname()[1]
    hosts = ["172.17.0.1", *host_addresses()]
    targets = [(host, port) for host in hosts]
    targets += [("169.254.169.254", 80), ("8.8.8.8", 53), (PUBLIC, 443), ("127.0.0.1", port)]
    info = await rig.create(NetworkPolicy(is_open=True))
    code, said = await rig.run(info, "python3", "-c", _DIRECT, json.dumps(targets))
    listener.close()
    assert (code, said.strip()) == (0, "[]")
    urls = [f"http://{host}{place}/" for host in hosts if ":" not in host
            for place in ("", f":{port}")]  # fmt: skip
    urls += ["http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://0x7f000001/"]
    urls += [f"http://[::ffff:{hosts[0]}]/", "http://2130706433/", "http://localhost./"]
    _, said = await rig.run(info, "python3", "-c", _FETCH, *urls)
    assert said.count("403 denied") == len(urls), said
    log = rig.proxy.log(rig_machine(rig))
    assert len(log) == len(urls)
    assert not any(record.is_allowed for record in log)
    assert rig.outside.dialled == []


def rig_machine(rig: FleetRig) -> str:
    (machine_id,) = rig.proxy._machines
    return machine_id


async def test_what_is_allowed_works_and_a_change_takes_hold_at_once(rig: FleetRig) -> None:
    context = certificate(rig.config.state_dir, "good.example")
    async with http_server() as (port, _), http_server(tls=context) as (tls_port, _):
        rig.outside.names = {"good.example": [[PUBLIC]], "inside.example": [["10.0.0.1"]]}
        rig.outside.servers = {(PUBLIC, 80): port, (PUBLIC, 443): tls_port}
        allowed = NetworkPolicy(allow_out=("good.example", "inside.example"))
        info = await rig.create(allowed)
        urls = ("http://good.example/", "https://good.example/", "http://inside.example/")
        _, said = await rig.run(info, "python3", "-c", _FETCH, *urls)
        first, second, *rest = said.splitlines()
        assert (first, second) == ("200 hello", "200 hello")
        assert "not a public address" in rest[0]
        await rig.fleet.set_network(info.sandbox_id, NetworkPolicy())
        _, said = await rig.run(
            info, "python3", "-c", _FETCH, *urls, env={"http_proxy": "http://127.0.0.1:3128"}
        )
        assert "200" not in said
        assert "403 denied" in said


async def test_the_socket_cannot_be_replaced(rig: FleetRig) -> None:
    info = await rig.create(NetworkPolicy(is_open=True))
    _, said = await rig.python(info, _TAMPER)
    assert "done" not in said
    assert len(said.split()) == 5


async def test_a_closed_sandbox_is_told_of_no_proxy(rig: FleetRig) -> None:
    info = await rig.create(NetworkPolicy())
    _, said = await rig.run(info, "env")
    assert "PROXY" not in said.upper()
    code, said = await rig.python(
        info, "import socket; socket.create_connection(('127.0.0.1', 3128))"
    )
    assert code == 1
    assert "ConnectionRefusedError" in said


async def test_a_wheel_comes_from_the_index_through_the_proxy() -> None:
    async with fleet_rig(is_real=True) as rig:
        info = await rig.create(NetworkPolicy(allow_out=rig.config.registries))
        code, said = await rig.run(
            info,
            *("python3", "-m", "pip", "install", "--no-input"),
            *("--only-binary", ":all:", "--target", "/work/.packages", "--no-deps", "idna==3.10"),
        )
        assert code == 0, said
        code, said = await rig.python(info, "import idna; print(idna.__version__)")
        assert said.strip() == "3.10"
        hosts = {record.host for record in rig.proxy.log(rig_machine(rig)) if record.is_allowed}
        assert hosts == {"pypi.org", "files.pythonhosted.org"}
