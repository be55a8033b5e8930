"""The service's small files: what cannot be written down, and who asks for too much."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from diono.kernel.errors import Conflict
from diono.sandbox.images import uploads
from diono.sandbox.images.uploads import Uploads, UploadTooLarge
from diono.sandbox.server.keys import KEYS_LIMIT, KeyStore
from diono.sandbox.server.volumes import NAMES_LIMIT, VolumeBook


async def test_a_key_that_was_not_written_down_opens_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "service"
    keys = await KeyStore.open(folder / "keys.json")
    folder.write_text("in the way, as a full disk is")
    with pytest.raises(OSError, match="exist"):
        await keys.issue("owner")
    assert keys.list() == []


async def test_a_revoked_key_is_dead_even_if_that_cannot_be_written_down(tmp_path: Path) -> None:
    folder, aside = tmp_path / "service", tmp_path / "aside"
    keys = await KeyStore.open(folder / "keys.json")
    key, secret = await keys.issue("owner")
    folder.rename(aside)
    folder.write_text("in the way, as a full disk is")
    with pytest.raises(OSError, match="exist"):
        await keys.revoke(key.key_id)
    assert keys.identify(secret) is None
    folder.unlink()
    aside.rename(folder)
    assert await keys.revoke(key.key_id)
    assert (await KeyStore.open(folder / "keys.json")).identify(secret) is None


async def test_a_kill_in_the_middle_of_writing_leaves_the_old_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = await KeyStore.open(path)
    _, secret = await keys.issue("owner")
    (tmp_path / ".keys.json.0badf00d").write_bytes(path.read_bytes()[:40])
    assert (await KeyStore.open(path)).identify(secret) is not None


async def test_keys_and_announced_volumes_of_an_owner_are_counted(tmp_path: Path) -> None:
    keys = await KeyStore.open(tmp_path / "keys.json")
    volumes = VolumeBook(tmp_path / "volumes.json")
    for number in range(max(KEYS_LIMIT, NAMES_LIMIT)):
        if number < KEYS_LIMIT:
            await keys.issue("greedy")
        if number < NAMES_LIMIT:
            await volumes.add("greedy", f"v{number}")
    with pytest.raises(Conflict):
        await keys.issue("greedy")
    with pytest.raises(Conflict):
        await volumes.add("greedy", "one-more")
    await keys.issue("modest")
    await volumes.add("modest", "one")


async def test_uploads_at_once_stay_within_what_an_owner_may_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "UPLOADS_BYTES_LIMIT", 500_000)
    store = Uploads(tmp_path)

    async def content() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10_000
            await asyncio.sleep(0)

    puts = [store.put("owner", f"{number:064x}", content()) for number in range(12)]
    results = await asyncio.gather(*puts, return_exceptions=True)
    refused = [each for each in results if each is not None]
    assert refused
    assert all(isinstance(each, UploadTooLarge) for each in refused)
    [folder] = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    kept = await asyncio.to_thread(lambda: list(folder.iterdir()))
    assert sum(path.stat().st_size for path in kept) <= 500_000
    assert not [path for path in kept if path.suffix == ".part"]
