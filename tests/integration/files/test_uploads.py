"""Resumable uploads: offsets, hashes, quotas, names, and what is refused at once."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from integration.files.conftest import MEGABYTE, Desk, desk_of, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="package")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def content_of(desk: Desk, file_id: object) -> bytes:
    reply = await desk.client.get(f"{desk.path}/library/{file_id}/content")
    assert reply.status_code == 200
    return reply.content


async def test_a_file_in_chunks_is_found_again_whole(desk: Desk) -> None:
    content = os.urandom(2_000_003)
    begun = (await desk.begin("numbers.bin", len(content), sha256=sha256(content))).json()
    start = 0
    for end in (700_000, 700_001, 2_000_003):
        reply = await desk.send(begun["upload_id"], start, content[start:end])
        assert (reply.status_code, reply.json()["offset"]) == (200, end)
        start = end
    file = reply.json()["file"]
    assert (file["sha256"], file["size"], file["name"]) == (
        sha256(content), len(content), "numbers.bin",
    )  # fmt: skip
    assert await content_of(desk, file["file_id"]) == content
    again = (await desk.client.get(f"{desk.path}/uploads/{begun['upload_id']}")).json()
    assert (again["is_complete"], again["file"]["file_id"]) == (True, file["file_id"])


async def test_an_upload_goes_on_where_it_was_cut(desk: Desk) -> None:
    """A chunk whose connection breaks is not there; what was acknowledged before it is."""
    content = os.urandom(300_000)
    upload_id = (await desk.begin("cut.bin", len(content))).json()["upload_id"]
    assert (await desk.send(upload_id, 0, content[:100_000])).status_code == 200

    async def broken() -> AsyncIterator[bytes]:
        yield content[100_000:150_000]
        raise ConnectionResetError

    headers = {"Upload-Offset": "100000", "Content-Type": "application/offset+octet-stream"}
    with pytest.raises(ConnectionResetError):
        await desk.client.patch(
            f"{desk.path}/uploads/{upload_id}", content=broken(), headers=headers
        )
    head = await desk.client.head(f"{desk.path}/uploads/{upload_id}")
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("100000", "300000")
    reply = await desk.send(upload_id, 100_000, content[100_000:])
    assert reply.json()["file"]["sha256"] == sha256(content)


@pytest.mark.parametrize("start", [0, 9, 11, 100])
async def test_a_chunk_elsewhere_is_refused(desk: Desk, start: int) -> None:
    upload_id = (await desk.begin("offsets.bin", 100)).json()["upload_id"]
    assert (await desk.send(upload_id, 0, b"0123456789")).status_code == 200
    reply = await desk.send(upload_id, start, b"x" * 5)
    assert (reply.status_code, reply.json()["error"]) == (409, "upload_offset_conflict")


async def test_of_many_writers_of_one_chunk_one_is_kept(desk: Desk) -> None:
    """F08: the others get 409, and the file is one of them whole, never a mixture."""
    contents = [bytes([number]) * 200_000 for number in range(8)]
    upload_id = (await desk.begin("raced.bin", 200_000)).json()["upload_id"]
    replies = await asyncio.gather(*(desk.send(upload_id, 0, content) for content in contents))
    assert sorted(reply.status_code for reply in replies) == [200, *[409] * 7]
    (kept,) = [reply for reply in replies if reply.status_code == 200]
    assert kept.json()["file"]["sha256"] in {sha256(content) for content in contents}


async def test_of_many_new_contents_of_one_file_one_is_kept(desk: Desk) -> None:
    file = await desk.upload("shared.txt", b"first")
    contents = [f"version {number}".encode() for number in range(5)]
    begun = [
        (await desk.begin("x", len(content), replaces=file["file_id"], revision=1)).json()
        for content in contents
    ]
    replies = await asyncio.gather(
        *(
            desk.send(one["upload_id"], 0, content)
            for one, content in zip(begun, contents, strict=True)
        )
    )
    assert sorted(reply.status_code for reply in replies) == [200, *[409] * 4]
    stored = (await desk.client.get(f"{desk.path}/library/{file['file_id']}")).json()
    assert (stored["revision"], stored["name"]) == (2, "shared.txt")
    assert await content_of(desk, file["file_id"]) in contents


async def test_a_wrong_hash_stores_nothing(own_desk: Desk) -> None:
    upload_id = (await own_desk.begin("wrong.bin", 4, sha256="0" * 64)).json()["upload_id"]
    reply = await own_desk.send(upload_id, 0, b"1234")
    assert (reply.status_code, reply.json()["error"]) == (422, "upload_digest_mismatch")
    assert (await own_desk.client.get(f"{own_desk.path}/uploads/{upload_id}")).status_code == 404
    assert (await own_desk.client.get(f"{own_desk.path}/storage")).json()["used"] == 0


async def test_an_empty_file_is_a_file(desk: Desk) -> None:
    file = await desk.upload("nothing.txt", b"")
    assert (file["size"], await content_of(desk, file["file_id"])) == (0, b"")


@pytest.mark.parametrize("size", [20 * 1024**3, 24 * MEGABYTE + 1])
async def test_a_file_that_is_too_large_is_refused_before_a_byte(own_desk: Desk, size: int) -> None:
    """F06."""
    reply = await own_desk.begin("huge.bin", size)
    assert (reply.status_code, reply.json()["error"]) == (413, "file_too_large")
    assert (await own_desk.client.get(f"{own_desk.path}/uploads")).json()["items"] == []


async def test_a_chunk_beyond_the_announced_size_is_refused(desk: Desk) -> None:
    upload_id = (await desk.begin("small.bin", 10)).json()["upload_id"]
    assert (await desk.send(upload_id, 0, b"x" * 11)).status_code == 413
    assert (await desk.send(upload_id, 0, b"x" * 17 * MEGABYTE)).status_code == 413
    assert (await desk.send(upload_id, 0, b"x" * 10)).json()["is_complete"]


async def test_a_large_chunk_is_taken(desk: Desk) -> None:
    """Larger than what other routes take."""
    content = os.urandom(3 * MEGABYTE)
    assert (await desk.upload("large.bin", content))["sha256"] == sha256(content)


async def test_uploads_at_once_never_exceed_the_quota(own_desk: Desk) -> None:
    """F10: 50 uploads of 2 MB with room for 20; what is refused leaves nothing."""

    async def upload(number: int) -> int:
        content = os.urandom(2 * MEGABYTE)
        begun = await own_desk.begin(f"file {number}.bin", len(content))
        if begun.status_code != 201:
            assert begun.json()["error"] == "quota_exceeded"
            return begun.status_code
        upload_id = begun.json()["upload_id"]
        await own_desk.send(upload_id, 0, content[:MEGABYTE])
        return (await own_desk.send(upload_id, MEGABYTE, content[MEGABYTE:])).status_code

    statuses = await asyncio.gather(*(upload(number) for number in range(50)))
    assert sorted(statuses) == [200] * 20 + [413] * 30
    use = (await own_desk.client.get(f"{own_desk.path}/storage")).json()
    assert (use["used"], use["held"], use["quota"]) == (40 * MEGABYTE, 0, 40 * MEGABYTE)
    assert (await own_desk.begin("one more", 1)).status_code == 413
    assert (await own_desk.client.get(f"{own_desk.path}/uploads")).json()["items"] == []


async def test_a_cancelled_upload_frees_its_room(own_desk: Desk) -> None:
    upload_id = (await own_desk.begin("held.bin", 24 * MEGABYTE)).json()["upload_id"]
    assert (await own_desk.begin("more.bin", 20 * MEGABYTE)).status_code == 413
    gone = await own_desk.client.delete(f"{own_desk.path}/uploads/{upload_id}")
    assert gone.status_code == 204
    assert (await own_desk.begin("more.bin", 20 * MEGABYTE)).status_code == 201
    assert (await own_desk.send(upload_id, 0, b"x")).status_code == 404


@pytest.mark.parametrize("name", ["../up.txt", "/etc/passwd", "%252e%252e%252fup", "a\x00b"])
async def test_a_name_that_leads_elsewhere_is_refused(desk: Desk, name: str) -> None:
    """F01; all spellings are in tests/unit/files."""
    reply = await desk.begin(name, 1)
    assert (reply.status_code, reply.json()["error"]) == (422, "file_name_refused")


async def test_a_name_becomes_safe(desk: Desk) -> None:
    file = await desk.upload("invoice\u202egpj.exe", b"content")
    assert (file["name"], file["original_name"]) == ("invoicegpj.exe", "invoicegpj.exe")


async def test_a_taken_name_gets_a_number(desk: Desk) -> None:
    names = [(await desk.upload(name, b"x"))["name"] for name in ("a.csv", "A.CSV", "a.csv")]
    assert names == ["a.csv", "A (2).CSV", "a (3).csv"]


async def test_a_foreign_project_takes_nothing(app: FastAPI, desk: Desk) -> None:
    other = await desk_of(app, await signed_in(app))
    upload_id = (await desk.begin("mine.bin", 4)).json()["upload_id"]
    foreign = Desk(app, other.client, desk.project_id)
    mixed = Desk(app, other.client, other.project_id)
    replies: list[httpx.Response] = [
        await foreign.begin("x", 1),
        await foreign.send(upload_id, 0, b"1234"),
        await mixed.send(upload_id, 0, b"1234"),
        await mixed.client.get(f"{mixed.path}/uploads/{upload_id}"),
        await mixed.client.delete(f"{mixed.path}/uploads/{upload_id}"),
    ]
    assert {reply.status_code for reply in replies} == {404}
    assert (await desk.send(upload_id, 0, b"1234")).status_code == 200
    await other.client.aclose()
