"""Every container against the hardening profile, as the engine itself tells it."""

import json
import subprocess
from typing import Any

import pytest
from integration.fleet import rigs
from integration.fleet.rigs import python, request
from integration.fleet.test_pool import _wait_until_full

pytestmark = pytest.mark.engine

_OWN_TARGETS = {"/work", "/run/diono", "/run/diono-egress", "/opt/diono/guest"}


def _inspected(container: str) -> dict[str, Any]:
    argv = ["docker", "inspect", container]
    return json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)[0]


def _check(seen: dict[str, Any]) -> None:
    host = seen["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert seen["Config"]["User"] == "64100:64100"
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    options = host["SecurityOpt"]
    assert "no-new-privileges:true" in options
    assert any(option.startswith("seccomp={") for option in options)
    assert len(options) == 2
    assert host["ReadonlyRootfs"] is True
    assert list(host["Tmpfs"]) == ["/tmp"]
    assert "noexec,size=64m,nr_inodes=4096" in host["Tmpfs"]["/tmp"]
    assert host["ShmSize"] == 16 << 20
    assert host["IpcMode"] == "private"
    assert host["Memory"] == host["MemorySwap"] > 0
    assert 0 < host["PidsLimit"] <= 1024
    assert host["NanoCpus"] > 0
    assert host["CpuShares"] == 256
    limits = {each["Name"]: (each["Soft"], each["Hard"]) for each in host["Ulimits"]}
    assert limits == {"nofile": (1024, 1024), "core": (0, 0), "fsize": (256 << 20, 256 << 20)}
    assert host["LogConfig"]["Type"] == "none"
    assert host["OomScoreAdj"] == 500
    assert host["AutoRemove"] is False
    assert host["RestartPolicy"]["Name"] in ("", "no")
    assert not host["Devices"]
    assert not host["Binds"]
    for mode in ("PidMode", "UTSMode", "UsernsMode"):
        assert host[mode] == ""
    assert not any("proxy" in line.lower() for line in seen["Config"]["Env"])
    _check_mounts(seen["Mounts"])


def _check_mounts(mounts: list[dict[str, Any]]) -> None:
    writable = {mount["Destination"] for mount in mounts if mount["RW"]}
    assert writable <= {"/work", "/run/diono"}
    assert {mount["Destination"] for mount in mounts} >= _OWN_TARGETS
    assert all(mount["Type"] == "bind" for mount in mounts)
    assert not any("docker.sock" in mount["Source"] for mount in mounts)


async def test_warm_claimed_and_cold_containers_all_have_the_profile() -> None:
    config = rigs.new_config(pool_size=1)
    async with rigs.running_fleet(config) as fleet:
        await _wait_until_full(fleet, 1)
        await fleet.create(request(limits=None))
        await fleet.create(request())
        await _wait_until_full(fleet, 1)
        containers = rigs.containers(config)
        # One more may be on its way into the pool.
        assert len(containers) >= 3
        for container in containers:
            _check(_inspected(container))
    rigs.forget(config)


async def test_mounts_inside_allow_no_devices_and_no_setuid() -> None:
    config = rigs.new_config()
    async with rigs.running_fleet(config) as fleet:
        made = await fleet.create(request())
        said = await python(fleet, made.sandbox_id, "print(open('/proc/self/mounts').read())")
        lines = {line.split()[1]: line.split()[3].split(",") for line in said.splitlines() if line}
        for point in ("/work", "/run/diono", "/tmp"):
            assert {"nosuid", "nodev"} <= set(lines[point])
        assert "noexec" in lines["/run/diono"]
        assert "noexec" not in lines["/work"]
        assert "ro" in lines["/"]
    rigs.forget(config)
