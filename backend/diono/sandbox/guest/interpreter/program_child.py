"""Turns a child of the zygote into the kernel of another language; the channel stays open."""

from __future__ import annotations

import os
import signal

from . import channels


def main(descriptor: int) -> int:
    """Read what to run from the channel and become it; 127 if that is not possible."""
    spec = channels.Channel(descriptor).read()
    if spec is None:
        return 1
    try:
        os.chdir(spec["cwd"])
        os.set_inheritable(descriptor, True)
        for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - this is the sandbox
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    return 127
