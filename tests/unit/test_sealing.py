"""Sealed texts: what opens them, and what never does; where the master key is kept."""

import base64
from pathlib import Path

import pytest

from diono.infra.master_key import FileKeyring, KeysNotOurs, MasterKeyPlace
from diono.infra.sealing import (
    FixedKeyring,
    MasterKey,
    MasterKeyInvalid,
    MasterKeyWrong,
    SealBroken,
    SealedColumn,
    Sealer,
    key_id_of,
)

OLD, NEW = MasterKey.new(), MasterKey.new()


def _sealer(*keys: MasterKey) -> Sealer:
    return Sealer(FixedKeyring(keys))


@pytest.mark.parametrize("plain", ["", "sk-short", "a secret with ümläuts and \x00", "x" * 20_000])
def test_opens_what_it_sealed(plain: str) -> None:
    sealer = _sealer(OLD)
    sealed = sealer.seal(plain, "here")
    assert sealer.open(sealed, "here") == plain
    assert plain == "" or plain not in sealed
    assert key_id_of(sealed) == OLD.key_id


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    sealer = _sealer(OLD)
    one, other = sealer.seal("secret", "here"), sealer.seal("secret", "here")
    assert set(one.split(".")[2:]).isdisjoint(other.split(".")[2:])


def test_a_moved_text_does_not_open() -> None:
    sealer = _sealer(OLD)
    with pytest.raises(SealBroken):
        sealer.open(sealer.seal("secret", "row 1"), "row 2")


def test_contexts_of_different_columns_and_rows_differ() -> None:
    one, other = SealedColumn("t", "a", ("x", "y")), SealedColumn("t", "b", ("x", "y"))
    contexts = [one.context("1", "23"), one.context("12", "3"), other.context("1", "23")]
    assert len(set(contexts)) == 3


def test_no_changed_character_goes_unnoticed() -> None:
    sealer = _sealer(OLD)
    sealed = sealer.seal("secret", "here")
    for place, letter in enumerate(sealed):
        changed = sealed[:place] + ("A" if letter != "A" else "B") + sealed[place + 1 :]
        try:
            assert sealer.open(changed, "here") == "secret"
        except (SealBroken, MasterKeyWrong):
            continue
        # The spare bits of the last base64 digit are no part of the bytes.
        assert sealed[place + 1 : place + 2] in {"=", ".", ""}


@pytest.mark.parametrize("text", ["", "sk-plain", "d1.a.b", "d2.a.b.c", "d1." + "x" * 12 + ".b.c"])
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises((SealBroken, MasterKeyWrong)):
        _sealer(OLD).open(text, "here")


def test_another_key_is_named_and_old_ones_go_on_opening() -> None:
    sealed = _sealer(OLD).seal("secret", "here")
    with pytest.raises(MasterKeyWrong, match=f"(?s){OLD.key_id}.*{NEW.key_id}.*DIONO_MASTER_KEY"):
        _sealer(NEW).open(sealed, "here")
    assert _sealer(NEW, OLD).open(sealed, "here") == "secret"
    assert key_id_of(_sealer(NEW, OLD).seal("secret", "here")) == NEW.key_id


def test_keys_are_read_in_both_spellings() -> None:
    for text in (OLD.text, OLD.raw.hex(), base64.b64encode(OLD.raw).decode(), OLD.text.rstrip("=")):
        assert MasterKey.parse(f" {text}\n") == OLD
    assert OLD.text not in repr(OLD)


@pytest.mark.parametrize("text", ["", "changeme", "0" * 64, "A" * 43 + "=", "é" * 40, "ab" * 31])
def test_weak_and_wrong_keys_are_refused(text: str) -> None:
    with pytest.raises(MasterKeyInvalid, match="new-key"):
        MasterKey.parse(text)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    place = MasterKeyPlace("", None, tmp_path / "run" / "master.key")
    first, again = place.keyring().held(), place.keyring().held()
    assert first == again
    assert (tmp_path / "run" / "master.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["master.key"]


def test_a_given_key_goes_before_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"# mine\n{OLD.text}\n")
    own = tmp_path / "own"
    assert MasterKeyPlace(f"{NEW.text},{OLD.text}", file, own).keyring().held() == (NEW, OLD)
    assert MasterKeyPlace("", file, own).keyring().held() == (OLD,)
    with pytest.raises(MasterKeyInvalid, match="DIONO_MASTER_KEY_FILE"):
        MasterKeyPlace("", tmp_path / "missing", own).keyring()
    assert not own.exists()


def test_a_running_process_sees_a_new_key(tmp_path: Path) -> None:
    place = MasterKeyPlace("", None, tmp_path / "master.key")
    running, command = Sealer(place.keyring()), place.keyring()
    before = running.seal("secret", "here")
    assert isinstance(command, FileKeyring)
    fresh = command.add_new()
    assert key_id_of(running.seal("secret", "here")) == fresh.key_id
    assert running.open(before, "here") == "secret"
    command.drop([key_id_of(before)])
    assert [key.key_id for key in command.held()] == [fresh.key_id]
    command.drop([fresh.key_id])
    assert [key.key_id for key in command.held()] == [fresh.key_id]


def test_a_file_broken_by_hand_does_not_stop_a_running_process(tmp_path: Path) -> None:
    ring = MasterKeyPlace("", None, tmp_path / "master.key").keyring()
    held = ring.held()
    (tmp_path / "master.key").write_text("oops")
    assert ring.held() == held


def test_a_file_that_cannot_be_written_names_the_way_out(tmp_path: Path) -> None:
    ring = MasterKeyPlace("", None, tmp_path / "run" / "master.key").keyring()
    assert isinstance(ring, FileKeyring)
    (tmp_path / "run" / "master.key.lock").mkdir()
    with pytest.raises(KeysNotOurs, match="new-key"):
        ring.add_new()
