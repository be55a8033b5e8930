"""Turns a child of the zygote into the kernel of another language; the channel stays open."""

from __future__ import annotations

import os
import signal
from typing import Any

from . import script_kernel
from .channels import Channel


def main(descriptor: int) -> int:
    """Read what to run from the channel and become it; 127 if that is not possible."""
    channel = Channel(descriptor)
    spec = channel.read_first()
    if spec is None:
        return 1
    try:
        os.chdir(spec["cwd"])
        if spec["is_script"]:
            return script_kernel.drive(channel, spec)
        _become(spec, descriptor)
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    return 127


def _become(spec: dict[str, Any], descriptor: int) -> None:
    os.set_inheritable(descriptor, True)
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - this is the sandbox
