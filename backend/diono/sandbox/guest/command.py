"""How a container starts its guest. Imported by the host too: it must do nothing."""

from __future__ import annotations

GUEST_FOLDER = "/opt/diono/guest"
SOCKET_FOLDER = "/run/diono"
SOCKET_NAME = "guest.sock"
PROBLEM_NAME = "guest.problem"

_START = "import sys; sys.path.insert(0, '/opt/diono'); from guest.main import main; main()"
_SCRIPT = f"""\
for python in /usr/bin/python3 /usr/local/bin/python3 "$(command -v python3)"; do
  if [ -x "$python" ] && "$python" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then
    exec "$python" -I -S -B -W ignore -c "$0" "$@"
  fi
done
echo 'this image has no python3 of version 3.9 or newer, which a sandbox needs' \\
  > {SOCKET_FOLDER}/{PROBLEM_NAME}
exit 78
"""


def container_command(*arguments: str) -> list[str]:
    """Return the container's command; ``arguments`` go to ``main`` (--socket, --home...).

    Where python3 is missing or too old, the reason is written to ``guest.problem`` beside the
    socket and the exit code is 78.
    """
    return ["/bin/sh", "-c", _SCRIPT, _START, *arguments]
