"""All sealed texts of a database: exchanged keys, lost keys and kills, on both databases."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contract.database_rigs import postgres_cluster
from sqlalchemy import delete, select, update

from diono.features.providers.tables import SEALED_KEY, Provider
from diono.infra.clock import SystemClock
from diono.infra.database import Database, sqlite_url
from diono.infra.master_key import KeysNotOurs, MasterKeyPlace
from diono.infra.migrations import migrate
from diono.infra.rotation import TooSoon, prune, rotate
from diono.infra.sealed_columns import SealedColumns, open_keyring
from diono.infra.sealing import MasterKey, MasterKeyWrong, SealBroken, Sealer, key_id_of
from diono.kernel.ids import new_id

COUNT = 40


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres_cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(tmp_path / "db") if is_sqlite else request.getfixturevalue("postgres_url")
    database = Database(url)
    await migrate(database)
    async with database.write() as session:
        await session.execute(delete(Provider))
    yield database
    await database.close()


@pytest.fixture
def place(tmp_path: Path) -> MasterKeyPlace:
    return MasterKeyPlace("", None, tmp_path / "run" / "master.key")


async def _keep(database: Database, sealer: Sealer, count: int = COUNT) -> dict[str, str]:
    """Store so many secrets; return them by their provider."""
    secrets = {new_id("prv"): f"secret number {number}" for number in range(count)}
    async with database.write() as session:
        for provider_id, secret in secrets.items():
            session.add(
                Provider(
                    provider_id=provider_id, holder="installation", name=provider_id[-30:],
                    kind="ollama", base_url="", key_hint="", models=[], revision=1,
                    created_by="usr", created_at=SystemClock().now(),
                    sealed_key=sealer.seal(secret, SEALED_KEY.context(provider_id)),
                )
            )  # fmt: skip
    return secrets


async def _opened(database: Database, sealer: Sealer) -> dict[str, str]:
    async with database.read() as session:
        rows = (await session.scalars(select(Provider))).all()
    return {
        row.provider_id: sealer.open(row.sealed_key, SEALED_KEY.context(row.provider_id))
        for row in rows
        if row.sealed_key is not None
    }


async def _key_ids(database: Database) -> set[str]:
    async with database.read() as session:
        return {
            key_id_of(text or "") for text in await session.scalars(select(Provider.sealed_key))
        }


async def test_a_new_key_seals_all_of_it_anew(database: Database, place: MasterKeyPlace) -> None:
    running = Sealer(await open_keyring(place, database))
    secrets = await _keep(database, running)
    before = running.key_id
    done = await rotate(place, database)
    assert sum(one.resealed for one in done.reports) == COUNT
    assert await _key_ids(database) == {done.key_id} != {before}
    # The process that runs on opens them, and seals with the new key.
    assert await _opened(database, running) == secrets
    assert running.key_id == done.key_id
    with pytest.raises(TooSoon):
        await prune(place, database)
    os.utime(place.own_file, (0, 0))
    assert await prune(place, database) == [before]
    assert await _opened(database, Sealer(place.keyring())) == secrets


async def test_a_killed_exchange_is_ended_by_the_next(
    database: Database, place: MasterKeyPlace
) -> None:
    running = Sealer(await open_keyring(place, database))
    secrets = await _keep(database, running, 300)
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "import diono.features.providers.tables\n"
        "from diono.infra.database import Database\n"
        "from diono.infra.master_key import MasterKeyPlace\n"
        "from diono.infra.rotation import rotate\n"
        "asyncio.run(rotate(MasterKeyPlace('', None, Path(sys.argv[2])), Database(sys.argv[1])))\n"
    )
    command = [sys.executable, "-c", code, database.url, str(place.own_file)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.PIPE)
    async with asyncio.timeout(30):
        while len(await _key_ids(database)) < 2 and child.returncode is None:
            pass
    if child.returncode is None:
        child.send_signal(signal.SIGKILL)
    await child.wait()
    # In between everything opens.
    assert await _opened(database, running) == secrets
    keys_before = len(place.keyring().held())
    done = await rotate(place, database)
    if done.is_resumed:
        assert len(place.keyring().held()) == keys_before == 2
    assert await _key_ids(database) == {done.key_id}
    assert await _opened(database, running) == secrets


async def test_a_secret_entered_meanwhile_is_not_overwritten(
    database: Database, place: MasterKeyPlace
) -> None:
    running = Sealer(await open_keyring(place, database))
    secrets = await _keep(database, running)
    changed = dict.fromkeys(list(secrets)[::2], "entered meanwhile")

    async def enter() -> None:
        for provider_id, secret in changed.items():
            sealed = running.seal(secret, SEALED_KEY.context(provider_id))
            async with database.write() as session:
                is_it = Provider.provider_id == provider_id
                await session.execute(update(Provider).where(is_it).values(sealed_key=sealed))

    done, _ = await asyncio.gather(rotate(place, database), enter())
    await SealedColumns(database, place.keyring()).reseal()
    assert await _opened(database, running) == secrets | changed
    assert await _key_ids(database) == {done.key_id}


async def test_two_exchanges_at_once_lose_no_key(database: Database, place: MasterKeyPlace) -> None:
    running = Sealer(await open_keyring(place, database))
    secrets = await _keep(database, running)
    await asyncio.gather(rotate(place, database), rotate(place, database))
    assert await _opened(database, Sealer(place.keyring())) == secrets


async def test_a_wrong_or_lost_key_is_told_at_the_start(
    database: Database, place: MasterKeyPlace, tmp_path: Path
) -> None:
    sealer = Sealer(await open_keyring(place, database))
    secrets = await _keep(database, sealer, 3)
    wrong = MasterKeyPlace(MasterKey.new().text, None, tmp_path / "other")
    with pytest.raises(MasterKeyWrong, match=f"(?s)3 stored secrets.*{sealer.key_id}"):
        await open_keyring(wrong, database)
    # The lost file is not replaced by a new key: that would hide the loss.
    missing = MasterKeyPlace("", None, tmp_path / "missing" / "master.key")
    with pytest.raises(MasterKeyWrong, match="secrets forget"):
        await open_keyring(missing, database)
    assert not missing.own_file.exists()
    assert await _opened(database, Sealer(await open_keyring(place, database))) == secrets
    # Only who says so lets go.
    columns = SealedColumns(database, wrong.keyring())
    assert sum(one.unreadable for one in await columns.check()) == 3
    assert sum(one.unreadable for one in await columns.forget_unreadable()) == 3
    await open_keyring(wrong, database)
    assert await _opened(database, sealer) == {}


async def test_a_key_from_the_environment_is_exchanged_by_naming_both(
    database: Database, tmp_path: Path
) -> None:
    old, new = MasterKey.new(), MasterKey.new()
    own = tmp_path / "own"
    secrets = await _keep(database, Sealer(MasterKeyPlace(old.text, None, own).keyring()))
    with pytest.raises(KeysNotOurs, match="NEW,OLD"):
        await rotate(MasterKeyPlace(old.text, None, own), database)
    both = MasterKeyPlace(f"{new.text},{old.text}", None, own)
    done = await rotate(both, database)
    assert done.key_id == new.key_id
    alone = MasterKeyPlace(new.text, None, own)
    assert await _opened(database, Sealer(await open_keyring(alone, database))) == secrets


async def test_a_swapped_row_is_found(database: Database, place: MasterKeyPlace) -> None:
    sealer = Sealer(await open_keyring(place, database))
    one, other = await _keep(database, sealer, 2)
    async with database.write() as session:
        rows = [await session.get(Provider, one), await session.get(Provider, other)]
        assert rows[0] is not None
        assert rows[1] is not None
        rows[0].sealed_key = rows[1].sealed_key
    with pytest.raises(SealBroken):
        await _opened(database, sealer)
    reports = await SealedColumns(database, place.keyring()).check()
    assert sum(report.unreadable for report in reports) == 1
