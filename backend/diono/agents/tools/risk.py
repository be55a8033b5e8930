"""Which commands and code should wait for the user: what destroys, and what leaves the machine.

This is a gate for mistakes and for orders hidden in documents, read from the text alone. What it
misses meets the sandbox: no network by default, nothing but the project to harm, and a history
that brings deleted files back.
"""

import re
from collections.abc import Iterator, Sequence

FILES_LIMIT = 5

_SEPARATORS = re.compile(r"(?:&&|\|\||[;\n|&()`]|\$\(|\bthen\b|\bdo\b|\belse\b|\{)")
_WORDS = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PREFIXES = frozenset(
    ["sudo", "doas", "env", "nohup", "time", "nice", "command", "exec", "xargs", "timeout",
     "setsid", "stdbuf", "builtin", "eval"]
)  # fmt: skip
# Files that are made again by a tool: removing them destroys nothing.
_GENERATED = re.compile(
    r"^(?:\./|/work/)?(?:[\w./*-]*/)?"
    r"(?:__pycache__|\.pytest_cache|\.mypy_cache|\.ruff_cache|node_modules|dist|build|target|"
    r"\.coverage|htmlcov|[\w*.-]+\.(?:pyc|pyo|log|tmp|egg-info))(?:/.*)?$"
)
_TEMPORARY = re.compile(r"^/(?:tmp|var/tmp|dev/shm)/[^*?]+$")
_GIT = {
    "push": "sends the project's history to another machine",
    "reset": "throws work away",
    "clean": "deletes files that the history does not have",
    "rebase": "rewrites the history",
    "filter-branch": "rewrites the history",
    "filter-repo": "rewrites the history",
    "reflog": "rewrites the history",
    "gc": "rewrites the history",
    "update-ref": "rewrites the history",
    "restore": "throws work away",
    "rm": "deletes files",
    "remote": "names another machine for the project's history",
    "send-email": "sends mail",
}
_GIT_OPTIONS_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace"})
_OUTWARD = frozenset(
    ["nc", "ncat", "netcat", "telnet", "ssh", "scp", "sftp", "rsync", "ftp", "lftp", "socat",
     "sendmail", "mail", "mutt", "rclone", "aws", "gsutil", "az", "gcloud", "kubectl", "heroku",
     "vercel", "netlify", "fly", "flyctl", "ngrok", "cloudflared", "lt", "localtunnel", "bore"]
)  # fmt: skip
_DESTROYING = frozenset(["shred", "mkfs", "dd", "wipefs", "fdisk", "parted", "srm"])
_PUBLISH = re.compile(
    r"\b(?:twine\s+upload|(?:npm|pnpm|yarn|cargo|uv|poetry|flit|hatch|gem|vsce|lerna)\s+"
    r"(?:publish|push|unpublish|yank)|docker\s+push|podman\s+push|helm\s+push|"
    r"gh\s+(?:release|pr|repo|gist|api)|setup\.py\s+\S*\s*upload)\b"
)
_CURL_SENDS = re.compile(
    r"(?:^|\s)(?:-X\s*|--request[= ]\s*)[\"']?(?!GET\b|HEAD\b)[A-Za-z]+"
    r"|(?:^|\s)(?:-d|-F|-T|--data[\w-]*|--form[\w-]*|--upload-file|--json|--post-data|--post-file|"
    r"--method|--body-data|--body-file)(?:[= @\"']|$|(?<=-[dFT])\S)"
)
_CODE = (
    (re.compile(r"\bshutil\s*\.\s*rmtree|\brmtree\s*\("), "deletes folders"),
    (
        re.compile(r"\b(?:for|while)\b[^\n]*[\s\S]{0,200}?\b(?:os\.(?:remove|unlink|rmdir)|"
                   r"\.unlink)\s*\("),
        "deletes files in a loop",
    ),
    (re.compile(r"\bos\.removedirs\s*\("), "deletes folders"),
    (
        re.compile(r"\b(?:requests|httpx|session|client)\s*\.\s*(?:post|put|patch|delete)\s*\("),
        "sends data over the network",
    ),
    (
        re.compile(r"\burlopen\s*\([^)]*\bdata\s*=|\bRequest\s*\([^)]*\b(?:data|method)\s*="),
        "sends data over the network",
    ),
    (re.compile(r"\b(?:smtplib|ftplib|telnetlib|paramiko|imaplib)\b"), "talks to another machine"),
    (
        re.compile(r"\bsocket\s*\.\s*(?:create_connection|socket)\b[\s\S]*\b(?:sendall|send|sendto|"
                   r"connect)\s*\("),
        "sends data over the network",
    ),
)  # fmt: skip
_SHELL_IN_CODE = re.compile(
    r"(?:\bos\.(?:system|popen|exec\w*|spawn\w*)|\bsubprocess\b|\bpexpect\b|^\s*[!%]\s*(?:sh|bash)?)"
    r"[^\n]*", re.M
)  # fmt: skip
_LITERALS = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")


def risk_of_command(command: str) -> str:
    """Say why a shell command should wait for the user; empty if it need not."""
    if _PUBLISH.search(command):
        return "publishes to the world"
    for words in _commands(command):
        reason = _risk_of_words(words)
        if reason:
            return reason
    if re.search(r">\s*/dev/(?:sd|nvme|tcp|udp)|/dev/(?:tcp|udp)/", command):
        return "talks to another machine or a device"
    for inner in re.findall(r"\b(?:ba|da|z)?sh\s+-\w*c\s+(\"[^\"]*\"|'[^']*')", command):
        reason = risk_of_command(inner[1:-1])
        if reason:
            return reason
    # Programs given inline: python3 -c '…', or a here-document.
    return risk_of_code(command) if re.search(r"\bpython[\d.]*\s+(?:-c|-\s|<)", command) else ""


def risk_of_code(code: str) -> str:
    """Say why Python code should wait for the user; empty if it need not."""
    for pattern, reason in _CODE:
        if pattern.search(code):
            return reason
    for line in _SHELL_IN_CODE.findall(code):
        literals = [first or second for first, second in _LITERALS.findall(line)]
        bare = line.lstrip()[1:] if line.lstrip()[:1] in ("!", "%") else ""
        for text in (*literals, " ".join(literals), bare):
            reason = _risk_of_text(text)
            if reason:
                return reason
    return ""


def _risk_of_text(text: str) -> str:
    reasons = [_risk_of_words(words) for words in _commands(text)]
    if any(reasons):
        return next(reason for reason in reasons if reason)
    return "publishes to the world" if _PUBLISH.search(text) else ""


def _commands(command: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, without what only carries it."""
    for part in _SEPARATORS.split(command.replace("\\\n", " ")):
        words = [word.strip("\"'") for word in _WORDS.findall(part)]
        while words and (
            words[0].rpartition("/")[2] in _PREFIXES
            or _ASSIGNMENT.match(words[0])
            or (words[0].startswith("-") or words[0].isdigit())
        ):
            words = words[1:]
        if words:
            yield [words[0].lstrip("\\").rpartition("/")[2], *words[1:]]


def _risk_of_words(words: Sequence[str]) -> str:
    program, rest = words[0], list(words[1:])
    if program == "rm":
        return _risk_of_rm(rest)
    if program == "git":
        return _risk_of_git(rest)
    if program == "find" and ("-delete" in rest or ("-exec" in rest and "rm" in rest)):
        return "deletes what it finds"
    if program in ("curl", "wget") and _CURL_SENDS.search(" ".join(rest)):
        return "sends data over the network"
    if program in _OUTWARD:
        return "talks to another machine"
    if program in _DESTROYING or program.startswith("mkfs."):
        return "destroys data"
    return _risk_of_rest(program, rest)


def _risk_of_rest(program: str, rest: Sequence[str]) -> str:
    if program == "truncate" and "-s" in rest:
        return "empties files"
    if program == "mv" and rest[-1:] == ["/dev/null"]:
        return "destroys data"
    if program in ("chmod", "chown") and any(word.startswith(("-R", "--rec")) for word in rest):
        return "changes the rights of whole folders"
    if program in ("kill", "pkill", "killall") and "-1" in rest:
        return "ends every process"
    return ""


def _risk_of_rm(rest: Sequence[str]) -> str:
    options = "".join(word for word in rest if word.startswith("-"))
    targets = [word for word in rest if not word.startswith("-")]
    if not targets:
        return "deletes what another command names"
    lasting = [one for one in targets if not _GENERATED.match(one) and not _TEMPORARY.match(one)]
    if not lasting:
        return ""
    if "r" in options.lower().replace("--force", "") or "recursive" in options:
        return "deletes folders"
    if len(lasting) > FILES_LIMIT or any(re.search(r"[*?\[$]", one) for one in lasting):
        return "deletes many files"
    return ""


def _risk_of_git(rest: Sequence[str]) -> str:
    words = list(rest)
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in _GIT_OPTIONS_WITH_VALUE else words[1:]
    if not words:
        return ""
    verb, options = words[0], words[1:]
    if verb == "remote":
        return _GIT[verb] if options[:1] and options[0] in ("add", "set-url") else ""
    if verb in ("reset", "restore") and {"--soft", "--staged"} & set(options):
        return ""
    if verb == "checkout":
        is_discarding = bool({"--", ".", "-f", "--force"} & set(options))
        return "throws work away" if is_discarding else ""
    if verb in ("branch", "tag", "stash"):
        is_dropping = {"-D", "-d", "--delete", "drop", "clear"} & set(options)
        return "deletes part of the history" if is_dropping else ""
    if verb == "commit" and "--amend" in options:
        return "rewrites the history"
    return _GIT.get(verb, "")
