"""Stamps make a step run once, and again when what it was made from changes."""

from pathlib import Path

from diono.setup.stamps import Stamps, digest_of


def test_a_stamp_holds_for_its_key_only(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.is_current("step", "a")
    stamps.set("step", "a")
    assert stamps.is_current("step", "a")
    assert not stamps.is_current("step", "b")
    stamps.clear("step")
    assert not stamps.is_current("step", "a")


def test_no_drafts_stay_behind(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path)
    stamps.set("step", "a")
    stamps.set("step", "b")
    assert [file.name for file in tmp_path.iterdir()] == ["step"]


def test_a_broken_stamp_is_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "step").write_bytes(b"\xff\xfe\x00")
    assert not Stamps(tmp_path).is_current("step", "a")


def test_a_digest_changes_with_content_name_and_facts(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("one")
    second.write_text("two")
    digest = digest_of(tmp_path, [first, second], "v20")
    assert digest == digest_of(tmp_path, [second, first], "v20")
    assert digest != digest_of(tmp_path, [first, second], "v22")
    second.write_text("three")
    assert digest != digest_of(tmp_path, [first, second], "v20")
    changed = digest_of(tmp_path, [first, second], "v20")
    assert changed != digest_of(tmp_path, [first, second.rename(tmp_path / "c")], "v20")
