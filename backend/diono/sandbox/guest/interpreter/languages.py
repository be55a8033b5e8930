"""The languages of contexts, and what an image must have for each."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..wire import HttpError

_HERE = os.path.dirname(os.path.abspath(__file__))
_ALIASES = {
    "": "python",
    "py": "python",
    "python3": "python",
    "js": "javascript",
    "node": "javascript",
    "ts": "typescript",
    "sh": "bash",
    "shell": "bash",
    "rscript": "r",
    "jshell": "java",
}
# A quick start and little memory matter more than the last bit of speed.
_JAVA_FLAGS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    "-Dfile.encoding=UTF-8",
    "--add-modules=jdk.jshell",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
)


class Language(NamedTuple):
    """``argv`` is the kernel's program; empty for Python, which the zygote forks.

    ``is_script`` ones are driven by ``script_kernel``. ``program`` must be in the image;
    ``package`` is what Debian calls it.
    """

    name: str
    argv: tuple[str, ...] = ()
    program: str = ""
    package: str = ""
    is_script: bool = False


def _file(name: str) -> str:
    return os.path.join(_HERE, name)


def _node(language: str) -> Language:
    flags = ("--expose-internals", "--experimental-vm-modules", "--no-warnings")
    return Language(language, ("node", *flags, _file("kernel.js"), language), "node", "nodejs")


_LANGUAGES = {
    language.name: language
    for language in (
        Language("python"),
        Language(
            "bash", ("bash", "--noprofile", "--norc", _file("kernel.sh")), "bash", "bash", True
        ),
        _node("javascript"),
        _node("typescript"),
        Language("r", ("Rscript", "--vanilla", _file("kernel.R")), "Rscript", "r-base-core", True),
        Language(
            "java",
            ("java", *_JAVA_FLAGS, _file("Kernel.java")),
            "jshell",
            "default-jdk-headless",
            True,
        ),
    )
}


def is_in_image(program: str) -> bool:
    """Whether PATH has it. Our own: shutil would cost memory in every sandbox."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders)


def find(name: str) -> Language:
    """Return a language by its name; HttpError 400 if it is unknown or not in the image."""
    wanted = name.strip().lower()
    wanted = _ALIASES.get(wanted, wanted)
    language = _LANGUAGES.get(wanted)
    if language is None:
        known = ", ".join(_LANGUAGES)
        raise HttpError(400, f"there is no language {wanted[:50]!r} here; there are {known}")
    if language.program and not is_in_image(language.program):
        raise HttpError(
            400,
            f"{language.name} is not possible in this sandbox: its image has no "
            f"{language.program}; use a template with the package {language.package}",
        )
    return language
