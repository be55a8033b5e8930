"""The SDK's root: it looks like one and may do nothing that the user may not."""

import asyncio

import pytest
from contract.e2b.uniform import Uniform
from e2b import CommandExitException

pytestmark = pytest.mark.engine

_LOOKS = "whoami; id -u; id -g; touch own && stat -c %u:%g own; chown 1000:1000 own; stat -c %u own"
# Each line: what would work for a real root. All are to fail.
_RIGHTS = """\
exec 2>&1
cat /etc/shadow && echo REACHED
head -c1 /proc/1/environ && echo REACHED
mkdir -p point; mount -t tmpfs none point && echo REACHED
touch /etc/new /usr/bin/new && echo REACHED
mknod device b 7 0; head -c1 device | grep -q . && echo REACHED
chroot / /bin/true && echo REACHED
kill -9 1
hostname other && echo REACHED
python3 -c 'import os; os.sched_setaffinity(0, {0}); os.nice(-5)' && echo REACHED
cp /bin/dash shell; chown 0:0 shell; chmod 4755 shell
./shell -p -c 'cat /etc/shadow' && echo REACHED
grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs)' /proc/self/status
ls -1 /proc/sysvipc >/dev/null; echo end
"""


async def test_root_looks_like_one_and_gains_no_right(sandbox: Uniform) -> None:
    looks = await sandbox.commands.run(_LOOKS, user="root")
    assert looks.stdout.split() == ["root", "0", "0", "0:0", "1000"]
    # Nobody else is told so: the files are the tenant's, and a device is none.
    assert (await sandbox.commands.run("stat -c %u:%g own")).stdout == "64100:64100\n"
    tried = (await sandbox.commands.run(_RIGHTS, user="root")).stdout
    assert "REACHED" not in tried
    kind = await sandbox.commands.run("stat -c %F device")
    assert kind.stdout == "regular empty file\n"
    assert tried.endswith("end\n")
    fields = dict(line.split(":\t", 1) for line in tried.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["64100"] * 4
    assert fields["Gid"].split() == ["64100"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"


async def test_root_has_files_and_long_commands(sandbox: Uniform) -> None:
    await sandbox.files.write("/home/user/folder/by-root.txt", "text", user="root")
    assert await sandbox.files.read("/home/user/folder/by-root.txt") == "text"
    assert await sandbox.files.read("/home/user/folder/by-root.txt", user="root") == "text"
    listed = await sandbox.commands.run("tar cf - folder | tar tvf -", user="root")
    assert "root/root" in listed.stdout
    with pytest.raises(CommandExitException) as caught:
        await sandbox.commands.run("exit 7", user="root")
    assert caught.value.exit_code == 7
    seen = await asyncio.gather(*(sandbox.commands.run("id -u", user="root") for _ in range(4)))
    assert [each.stdout for each in seen] == ["0\n"] * 4
    queues = await sandbox.commands.run("wc -l < /proc/sysvipc/msg")
    assert queues.stdout.strip() == "1"  # its heading: none is left behind
