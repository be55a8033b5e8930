"""Puts uploaded files into an image, as COPY does. Runs in the build's container, not here.

Arguments: the archive, the source (a path or pattern in it), the target, the owner, the mode.
"""

import glob
import os
import shutil
import sys
import tarfile

archive, source, target, owner, mode = sys.argv[1:6]
staging = "/var/tmp/diono-copy"  # noqa: S108
shutil.rmtree(staging, ignore_errors=True)
os.makedirs(staging)
with tarfile.open(archive, "r:*") as files:
    for member in files:
        name = os.path.normpath(member.name)
        if name.startswith(("/", "..")):
            sys.exit(f"the archive holds a path outside its folder: {member.name}")
        if not (member.isfile() or member.isdir() or member.issym()):
            continue
        member.name = name
        files.extract(member, staging, set_attrs=not member.issym())

os.chdir(staging)
found = sorted(glob.glob(source, recursive=True, include_hidden=True))
if not found:
    sys.exit(f"nothing of that name was sent: {source}")
is_folder = target.endswith("/") or len(found) > 1 or os.path.isdir(target)


def place(path: str, goal: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        os.makedirs(goal, exist_ok=True)
        give(goal, is_new=False)
        for entry in sorted(os.listdir(path)):
            place(os.path.join(path, entry), os.path.join(goal, entry))
        return
    os.makedirs(os.path.dirname(goal) or "/", exist_ok=True)
    if os.path.lexists(goal) and not os.path.isdir(goal):
        os.unlink(goal)
    shutil.copy2(path, goal, follow_symlinks=False)
    give(goal, is_new=True)


def give(goal: str, is_new: bool) -> None:
    os.chown(goal, int(owner), int(owner), follow_symlinks=False)
    if is_new and mode and not os.path.islink(goal):
        os.chmod(goal, int(mode, 8))


for path in found:
    is_tree = os.path.isdir(path) and not os.path.islink(path)
    if is_tree or not is_folder:
        place(path, target.rstrip("/") or "/")
    else:
        place(path, os.path.join(target, os.path.basename(path)))
shutil.rmtree(staging, ignore_errors=True)
