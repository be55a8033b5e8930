"""sandbox.files of the official SDKs."""

import io

import e2b
import pytest
from contract.e2b.uniform import Uniform, parts
from e2b import FileType, InvalidArgumentException, NotFoundException

pytestmark = pytest.mark.engine


async def test_text_is_written_and_read(sandbox: Uniform) -> None:
    info = await sandbox.files.write("note.txt", "Grüße\n")
    assert (info.name, info.path) == ("note.txt", "/home/user/note.txt")
    assert await sandbox.files.read("note.txt") == "Grüße\n"
    assert await sandbox.files.read("/home/user/note.txt") == "Grüße\n"


async def test_bytes_and_streams_are_exact(sandbox: Uniform) -> None:
    content = bytes(range(256)) * 4000
    await sandbox.files.write("data.bin", content)
    assert bytes(await sandbox.files.read("data.bin", format="bytes")) == content
    stream = await sandbox.files.read("data.bin", format="stream")
    assert b"".join([part async for part in parts(stream)]) == content
    await sandbox.files.write("copy.bin", io.BytesIO(content))
    assert bytes(await sandbox.files.read("copy.bin", format="bytes")) == content


async def test_compressed_and_plain_bodies_are_the_same(sandbox: Uniform) -> None:
    await sandbox.files.write("zipped.txt", "abc" * 10_000, gzip=True)
    assert await sandbox.files.read("zipped.txt", gzip=True) == "abc" * 10_000
    await sandbox.files.write("octets.txt", "plain", use_octet_stream=True)
    assert await sandbox.files.read("octets.txt") == "plain"
    await sandbox.files.write("form.txt", "form", use_octet_stream=False)
    assert await sandbox.files.read("form.txt") == "form"


async def test_an_empty_file_is_empty(sandbox: Uniform) -> None:
    await sandbox.files.write("empty", "")
    assert await sandbox.files.read("empty") == ""
    assert (await sandbox.files.get_info("empty")).size == 0


async def test_several_files_at_once(sandbox: Uniform) -> None:
    written = await sandbox.files.write_files(
        [{"path": "many/a.txt", "data": "A"}, {"path": "many/b.txt", "data": b"B"}]
    )
    assert sorted(info.name for info in written) == ["a.txt", "b.txt"]
    assert await sandbox.files.read("many/a.txt") == "A"
    assert await sandbox.files.write_files([]) == []


async def test_parents_are_made_and_files_overwritten(sandbox: Uniform) -> None:
    await sandbox.files.write("deep/er/file.txt", "a much longer first text")
    await sandbox.files.write("deep/er/file.txt", "short")
    assert await sandbox.files.read("deep/er/file.txt") == "short"


async def test_metadata_is_kept_with_the_file(sandbox: Uniform) -> None:
    await sandbox.files.write("tagged.txt", "x", metadata={"origin": "test"})
    assert (await sandbox.files.get_info("tagged.txt")).metadata == {"origin": "test"}


async def test_folders_are_made_once(sandbox: Uniform) -> None:
    assert await sandbox.files.make_dir("folder/inner") is True
    assert await sandbox.files.make_dir("folder/inner") is False


async def test_listing_goes_as_deep_as_asked(sandbox: Uniform) -> None:
    await sandbox.files.write("tree/one.txt", "1")
    await sandbox.files.write("tree/sub/two.txt", "2")
    flat = {entry.name: entry.type for entry in await sandbox.files.list("tree")}
    assert flat == {"one.txt": FileType.FILE, "sub": FileType.DIR}
    deep = [entry.path for entry in await sandbox.files.list("tree", depth=2)]
    assert "/home/user/tree/sub/two.txt" in deep
    with pytest.raises(InvalidArgumentException):
        await sandbox.files.list("tree", depth=0)


async def test_an_entry_is_described(sandbox: Uniform) -> None:
    await sandbox.files.write("entry.txt", "12345")
    await sandbox.commands.run("chmod 640 entry.txt && ln -s entry.txt link")
    info = await sandbox.files.get_info("entry.txt")
    assert (info.type, info.size, info.mode, info.permissions) == (
        FileType.FILE,
        5,
        0o640,
        "-rw-r-----",
    )
    assert (info.owner, info.group) == ("user", "user")
    assert info.modified_time.year >= 2024
    link = await sandbox.files.get_info("link")
    assert link.symlink_target in {"/home/user/entry.txt", "/work/entry.txt"}


async def test_existence_renaming_and_removal(sandbox: Uniform) -> None:
    await sandbox.files.write("old.txt", "x")
    assert await sandbox.files.exists("old.txt") is True
    moved = await sandbox.files.rename("old.txt", "new.txt")
    assert moved.path == "/home/user/new.txt"
    assert await sandbox.files.exists("old.txt") is False
    await sandbox.files.remove("new.txt")
    assert await sandbox.files.exists("new.txt") is False


async def test_what_is_missing_is_not_found(sandbox: Uniform) -> None:
    with pytest.raises(NotFoundException):
        await sandbox.files.read("missing.txt")
    with pytest.raises(NotFoundException):
        await sandbox.files.list("missing")
    with pytest.raises(NotFoundException):
        await sandbox.files.get_info("missing")
    with pytest.raises(NotFoundException):
        await sandbox.files.rename("missing", "other")


async def test_a_folder_is_no_file(sandbox: Uniform) -> None:
    await sandbox.files.make_dir("folder")
    with pytest.raises(InvalidArgumentException):
        await sandbox.files.read("folder")
    with pytest.raises(InvalidArgumentException):
        await sandbox.files.write("folder", "text")
    await sandbox.files.write("file", "x")
    with pytest.raises(InvalidArgumentException):
        await sandbox.files.list("file")
    with pytest.raises(InvalidArgumentException):
        await sandbox.files.make_dir("file")


async def test_a_user_that_is_not_there_is_refused(sandbox: Uniform) -> None:
    with pytest.raises((InvalidArgumentException, e2b.AuthenticationException)):
        await sandbox.files.write("x.txt", "x", user="nobody-here")


async def test_a_full_disk_is_not_enough_space(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60)
    try:
        await sandbox.commands.run("for n in 1 2; do head -c 220M /dev/zero > filler$n; done")
        with pytest.raises(e2b.NotEnoughSpaceException):
            await sandbox.files.write("big", b"\1" * 100_000_000)
    finally:
        await sandbox.kill()
