"""Chatting in a project: what a client of the API sees, from the first word to the deletion."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from diono.features.chat.schemas import ChatEventName

from .rig import Client, Told, told

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

NAMES = frozenset(ChatEventName)
BUSY = (409, "project_busy")


async def _until(events: AsyncIterator[Told], kind: str) -> list[Told]:
    seen: list[Told] = []
    async for event in events:
        seen.append(event)
        if event.data["kind"] == kind:
            return seen
    raise AssertionError(f"no {kind} in {[one.data['kind'] for one in seen]}")


async def _ended(client: Client, task_id: str) -> None:
    """Wait until a task is over."""
    async with client.http.stream("GET", f"/api/tasks/{task_id}/events/stream") as answer:
        async for _ in answer.aiter_bytes():
            pass


def _check(events: list[Told]) -> None:
    """The promises of every whole stream."""
    assert {event.name for event in events} <= NAMES
    assert (events[0].name, events[0].data["kind"]) == ("agent_start", "accepted")
    assert [event.data["is_final"] for event in events] == [False] * (len(events) - 1) + [True]
    assert [event.name for event in events[:-1]].count("error") == 0
    ids = [event.event_id for event in events if event.event_id is not None]
    assert ids == sorted(set(ids))
    assert all(event.data["event_id"] == event.event_id for event in events)


async def test_turn_is_told_in_six_names_kept_and_taken_up_in_the_middle(client: Client) -> None:
    project_id = await client.project()
    base = f"/api/projects/{project_id}"
    events = await client.say(project_id, "Write a note")
    _check(events)
    assert events[-1].name == "agent_complete", events[-1]
    assert {"agent_start", "agent_thinking", "tool_start", "tool_complete"} <= {
        event.name for event in events
    }
    # A model's line breaks, of every alphabet, neither end a line nor forge an event.
    assert "Done\ufffdwith it." in events[-1].data["text"]
    assert all(event.raw.isascii() for event in events)

    task_id = events[0].data["task_id"]
    stored = [event for event in events if event.event_id is not None]
    middle = stored[len(stored) // 2].event_id
    path = f"{base}/chat/{task_id}/stream"
    for query, headers in (
        ({"since_event_id": str(middle)}, {}),
        ({}, {"Last-Event-ID": str(middle)}),
        ({"since_event_id": str(stored[-1].event_id)}, {}),
    ):
        async with client.http.stream("GET", path, params=query, headers=headers) as answer:
            again = [event async for event in told(answer)]
        since = int(query.get("since_event_id", str(middle)))
        expected = [one for one in stored if one.event_id and one.event_id > since] or stored[-1:]
        assert [(one.name, one.data) for one in again] == [(o.name, o.data) for o in expected]
    ahead = await client.http.get(path, params={"since_event_id": 10_000})
    assert (ahead.status_code, ahead.json()["error"]) == (422, "unknown_event_id")

    history = await client.get(f"{base}/history")
    roles = [message["role"] for message in history["messages"]]
    assert (roles[0], roles[-1]) == ("user", "assistant")
    assert history["checkpoints"]
    tree = await client.get(f"{base}/files")
    assert tree["source"] == "sandbox"
    assert "notes/first.txt" in [file["path"] for file in tree["files"]]
    content = await client.http.get(f"{base}/files/notes/first.txt")
    assert content.text == "remember\n"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-disposition"] == "attachment"
    missing = await client.http.get(f"{base}/files/notes/none.txt")
    assert (missing.status_code, missing.json()["error"]) == (404, "file_not_found")
    state = await client.get(f"{base}/state")
    assert (state["sandbox"], state["running"], state["phase"]) == ("running", None, "answered")
    assert state["next_steps"] == ["Next: nothing"]
    assert "notes/first.txt" in state["active_files"]
    assert state["tokens_out"] > 0


async def test_risky_action_waits_and_is_answered(client: Client) -> None:
    project_id = await client.project()
    await client.say(project_id, "Write a note")
    for approved, is_left in ((False, True), (True, False)):
        async with client.chat(project_id, "Clear the folder") as events:
            seen = await _until(events, "question")
            question = seen[-1].data["details"]["question"]
            assert "rm -rf notes" in question["text"] or "rm -rf notes" in str(question["details"])
            state = await client.get(f"/api/projects/{project_id}/state")
            assert state["waiting"]["key"] == question["key"]
            task_id = seen[0].data["task_id"]
            path = f"/api/tasks/{task_id}/decision"
            answer = await client.http.post(path, json={"approved": approved})
            assert answer.status_code in (200, 202), answer.text
            _check([*seen, *[event async for event in events]])
        tree = await client.get(f"/api/projects/{project_id}/files")
        assert ("notes/first.txt" in [file["path"] for file in tree["files"]]) is is_left


async def test_second_turn_waits_in_line_and_a_closed_client_stops_nothing(client: Client) -> None:
    project_id = await client.project()
    base = f"/api/projects/{project_id}"
    async with client.chat(project_id, "Hold on") as events:
        first = (await _until(events, "agent"))[0].data["task_id"]
    # Nobody listens any more, and it still runs.
    state = await client.get(f"{base}/state")
    assert (state["running"]["task_id"], state["running"]["runner"]) == (first, "codeact")
    async with client.chat(project_id, "Are you there?") as events:
        (opening,) = await _until(events, "accepted")
        assert opening.data["details"]["queue"]["waits_for_task"] == first
        assert (await client.get(f"{base}/state"))["queued"] == 1
        for path, body in (
            ("restore", {"checkpoint_id": "chk_0"}), ("fork", {}), ("checkpoints", {"title": "t"}),
        ):  # fmt: skip
            refused = await client.http.post(f"{base}/{path}", json=body)
            assert (refused.status_code, refused.json()["error"]) == BUSY
        deleted = await client.http.request("DELETE", base, json={"name": "Garden"})
        assert (deleted.status_code, deleted.json()["error"]) == BUSY
        await client.http.post(f"/api/tasks/{first}/cancel")
        rest = [opening, *[event async for event in events]]
    _check(rest)
    assert (rest[-1].name, rest[-1].data["text"]) == ("agent_complete", "I am here.")
    async with client.http.stream("GET", f"{base}/chat/{first}/stream") as answer:
        whole = [event async for event in told(answer)]
    _check(whole)
    assert (whole[-1].name, whole[-1].data["details"]["error"]) == ("error", "cancelled")


async def test_project_goes_back_is_forked_and_deleted(client: Client) -> None:
    project_id = await client.project()
    base = f"/api/projects/{project_id}"
    await client.say(project_id, "Write a note")
    first = (await client.get(f"{base}/checkpoints"))["items"][0]
    await client.say(project_id, "Write another")
    diff = await client.get(f"{base}/checkpoints/{first['checkpoint_id']}/diff")
    assert [file["path"] for file in diff["files"]] == ["notes/second.txt"]
    report = await client.http.post(f"{base}/restore", json=first | {})
    assert report.status_code == 200, report.text
    tree = await client.get(f"{base}/files")
    assert "notes/second.txt" not in [file["path"] for file in tree["files"]]
    told_back = (await client.get(f"{base}/history", limit=1))["messages"]
    assert told_back[0]["content"].startswith("The project was put back")
    # It goes on from there.
    _check(await client.say(project_id, "Hello"))

    forked = (await client.http.post(f"{base}/fork", json={"name": "Copy"}, timeout=30)).json()
    client.project_ids.append(forked["project_id"])
    assert forked["forked_from"] == project_id
    copy = f"/api/projects/{forked['project_id']}"
    tree = await client.get(f"{copy}/files", live="true")
    assert "notes/first.txt" in [file["path"] for file in tree["files"]]

    paused = await client.http.patch(base, json={"status": "paused"})
    assert (paused.json()["status"], paused.json()["sandbox"]) == ("paused", "paused")
    refused = await client.http.post(f"{base}/chat", json={"message": "Hello"})
    assert (refused.status_code, refused.json()["error"]) == (409, "project_not_active")
    ended = (await client.http.patch(base, json={"status": "ended"})).json()
    assert (ended["status"], ended["sandbox"]) == ("ended", "killed")
    tree = await client.get(f"{base}/files")
    assert tree["source"] == "saved"

    deleted = await client.http.request("DELETE", base, json={"name": "Garden"})
    assert deleted.status_code == 204, deleted.text
    assert (await client.http.get(base)).status_code == 404
    async with client.app.state.projects._database.read() as session:
        for table in ("tasks", "conversation_messages", "checkpoints", "project_memories"):
            query = text(f"SELECT count(*) FROM {table} WHERE project_id = :id")
            assert await session.scalar(query, {"id": project_id}) == 0
    assert (await client.get(copy))["forked_from"] is None
    assert len((await client.get(f"{copy}/history"))["messages"]) > 3


async def test_budget_of_nothing_ends_with_a_reason(client: Client) -> None:
    project_id = await client.project()
    body = {"message": "Hello", "model": "scripted/script", "budget_tokens": 0}
    path = f"/api/projects/{project_id}/chat"
    async with asyncio.timeout(30), client.http.stream("POST", path, json=body) as answer:
        events = [event async for event in told(answer)]
    _check(events)
    assert (events[-1].name, events[-1].data["details"]["error"]) == ("error", "budget_spent")
