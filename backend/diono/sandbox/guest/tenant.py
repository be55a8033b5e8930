"""Who the tenant is: the names it may use, its home, its paths and its environment."""

from __future__ import annotations

import binascii
import os
import posixpath

from . import outside
from .http import Request
from .wire import HttpError, RpcError

DEFAULT_USER = "user"
HOME = "/home/user"
WORKSPACE = "/work"
PROXY_PORT = 3128
_PATH_LIMIT_BYTES = 4096
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Tenant:
    """One per guest. ``configure`` fills in what is known at the claim only."""

    def __init__(self, home: str = "", workspace: str = WORKSPACE) -> None:
        self.workspace = workspace
        self.home = home or (HOME if os.path.isdir(HOME) else workspace)
        self.user = DEFAULT_USER
        self.env: dict[str, str] = {}
        self.has_egress = False
        self._names: dict[str, str] = {}

    def path(self, text: str) -> str:
        """Return an absolute, normal path; relative ones start at home. Links stay links."""
        if "\0" in text:
            raise RpcError("invalid_argument", "a path must not hold a NUL character")
        if text == "~" or text.startswith("~/"):
            text = posixpath.join(self.home, text[2:])
        elif text.startswith("~"):
            raise RpcError("invalid_argument", f"no home is known for {text.partition('/')[0]}")
        path = posixpath.normpath(posixpath.join(self.home, text))
        try:
            is_too_long = len(os.fsencode(path)) >= _PATH_LIMIT_BYTES
        except UnicodeEncodeError as error:
            raise RpcError("invalid_argument", "a path must be valid Unicode") from error
        if is_too_long:
            raise RpcError("invalid_argument", "the path is too long")
        return path

    def check_user(self, name: str) -> str:
        """Return the user to act as; RpcError unauthenticated if there is none of that name."""
        name = name or self.user
        if name in (DEFAULT_USER, "root", self.user) or name == self.owner_name(os.getuid()):
            return name
        raise RpcError("unauthenticated", f"invalid username: '{name[:100]}'")

    def owner_name(self, uid: int) -> str:
        return self._name("/etc/passwd", uid, os.getuid())

    def group_name(self, gid: int) -> str:
        return self._name("/etc/group", gid, os.getgid())

    def _name(self, table: str, number: int, own: int) -> str:
        key = f"{table}:{number}"
        if key not in self._names:
            self._names[key] = _look_up(table, number) or (
                DEFAULT_USER if number == own else str(number)
            )
        return self._names[key]

    def environment(self, user: str) -> dict[str, str]:
        """Return what every program of ``user`` starts with."""
        packages = f"{self.workspace}/.packages"
        has_packages = os.path.isdir(packages)
        path = f"{self.home}/.local/bin:{_PATH}"
        env = {
            "PATH": f"{packages}/bin:{path}" if has_packages else path,
            "HOME": self.home,
            "USER": user,
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "E2B_SANDBOX": "true",
            "PYTHONUNBUFFERED": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        if has_packages:
            env["PYTHONPATH"] = packages
        env.update(outside.environment(self.has_egress))
        env.update(self.env)
        return env


def _look_up(table: str, number: int) -> str:
    try:
        with open(table, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields = line.split(":")
                if len(fields) > 2 and fields[2] == str(number):
                    return fields[0]
    except OSError:
        pass
    return ""


def user_of(request: Request) -> str:
    """Return the user named by HTTP Basic (its password is ignored), or nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = binascii.a2b_base64(token.strip()).decode("utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise RpcError("unauthenticated", "malformed Authorization header") from error
    return decoded.partition(":")[0]


def as_root(argv: list[str]) -> list[str]:
    """Return the command that runs ``argv`` as the emulated root."""
    candidates = [f"{folder}/fakeroot" for folder in _PATH.split(":")]
    fakeroot = next((name for name in candidates if os.access(name, os.X_OK)), None)
    if fakeroot is None:
        raise RpcError(
            "failed_precondition",
            "this image has no fakeroot, so there is no root user; use the default user",
        )
    return [fakeroot, "--", *argv]


def http_user(tenant: Tenant, request: Request) -> str:
    """The same for ``/files``, where the name may also be in the query: 401 if unknown."""
    try:
        return tenant.check_user(request.query.get("username", "") or user_of(request))
    except RpcError as error:
        raise HttpError(401, error.message) from error
