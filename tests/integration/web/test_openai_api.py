"""The unchanged OpenAI client against a real server, in front of a model and of an agent."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from e2e.live_server import wait_until
from openai import AsyncOpenAI, OpenAI

from .openai_server import AGENT, MODEL, Server, running_server

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("openai")) as server:
        yield server


def _with_key(server: Server, **key: Any) -> OpenAI:
    return OpenAI(base_url=f"{server.url}/v1", api_key=server.key(**key))


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    with _with_key(server) as client:
        yield client


def _user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_models_are_listed_agents_first(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[:3] == ["diono/codeact", "diono/team", "diono/solve"]
    assert MODEL in names
    assert client.models.retrieve(MODEL).owned_by == "scripted"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("scripted/nothing")


def test_a_model_streams_its_answer_in_pieces(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model=MODEL,
        messages=_user("Say hello"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    told = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(told) == "Hello, how are you today?"
    assert len([text for text in told if text]) > 2
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens > 0


async def test_the_async_client_gets_the_same(server: Server) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key()) as client:
        whole = await client.chat.completions.create(model=MODEL, messages=_user("Say hello"))
        assert whole.choices[0].message.content == "Hello, how are you today?"
        assert whole.usage
        stream = await client.chat.completions.create(
            model=MODEL, messages=_user("Say hello"), stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text == "Hello, how are you today?"


def test_an_agent_answers_with_its_progress_as_reasoning(client: OpenAI, server: Server) -> None:
    stream = client.chat.completions.create(
        model=AGENT, messages=_user("What is two?"), stream=True
    )
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == "Two is a number."
    assert any(getattr(delta, "reasoning_content", "") for delta in deltas)
    ours = chunks[-1].model_extra["diono"]
    assert server.state(ours["task_id"])["status"] == "SUCCEEDED"


def test_a_conversation_stays_in_its_project(client: OpenAI) -> None:
    first = client.chat.completions.create(model=AGENT, messages=_user("What is two?"))
    answer = {"role": "assistant", "content": first.choices[0].message.content}
    turns = [*_user("What is two?"), answer, *_user("And what is two twice?")]
    second = client.chat.completions.create(model=AGENT, messages=turns)
    other = client.chat.completions.create(model=AGENT, messages=_user("What is two?"))
    projects = [one.model_extra["diono"]["project_id"] for one in (first, second, other)]
    assert projects[0] == projects[1]
    assert projects[2] != projects[0]
    named = client.chat.completions.create(
        model=AGENT,
        messages=_user("What is two?"),
        extra_headers={"X-Diono-Project": projects[2]},
    )
    assert named.model_extra["diono"]["project_id"] == projects[2]


def test_errors_have_openais_form(client: OpenAI, server: Server) -> None:
    with (
        OpenAI(base_url=f"{server.url}/v1", api_key="diono_wrong") as nobody,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        nobody.models.list()
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError, match="no agent") as missing:
        client.chat.completions.create(model="diono/nobody", messages=_user("x"))
    assert (missing.value.code, missing.value.type) == ("model_not_found", "invalid_request_error")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="scripted/nobody", messages=_user("x"), stream=True)
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model=MODEL, messages=[])
    with pytest.raises(openai.BadRequestError, match="`n`"):
        client.chat.completions.create(model=MODEL, messages=_user("x"), n=2)
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    with pytest.raises(openai.BadRequestError, match="own tools"):
        client.chat.completions.create(model=AGENT, messages=_user("x"), tools=[tool])
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(model=MODEL, messages=_user("word " * 40_000), stream=True)
    assert long.value.code == "context_length_exceeded"
    picture = [{"type": "image_url", "image_url": {"url": "data:,"}}]
    with pytest.raises(openai.BadRequestError, match="Only text"):
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": picture}])


def test_a_key_does_what_its_scopes_say_in_its_project(server: Server) -> None:
    with _with_key(server, scopes=["read"]) as reader:
        assert reader.models.list().data
        with pytest.raises(openai.PermissionDeniedError, match="chat"):
            reader.chat.completions.create(model=MODEL, messages=_user("Say hello"))
    project = server.call("POST", "/api/tasks", {"prompt": "A thing"})["project_id"]
    with _with_key(server, project_id=project) as bound:
        reply = bound.chat.completions.create(model=AGENT, messages=_user("What is two?"))
        assert reply.model_extra["diono"]["project_id"] == project
        with pytest.raises(openai.PermissionDeniedError):
            bound.chat.completions.create(
                model=AGENT, messages=_user("x"), extra_headers={"X-Diono-Project": "prj_other"}
            )


def test_a_model_that_fails_is_an_error_and_is_not_asked_again(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as away:
        client.chat.completions.create(model=AGENT, messages=_user("fail please"))
    assert away.value.status_code == 502
    with pytest.raises(openai.APIError):
        list(
            client.chat.completions.create(model=AGENT, messages=_user("fail please"), stream=True)
        )


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_client_that_leaves_cancels_its_task(server: Server, is_stream: bool) -> None:
    known = set(server.tasks())
    body = {"model": AGENT, "messages": _user("hang on"), "stream": is_stream}
    leaving = threading.Event()

    def ask() -> None:
        headers = {"Authorization": f"Bearer {server.key()}"}
        url = f"{server.url}/v1/chat/completions"
        with httpx.Client(trust_env=False, timeout=1.0) as client:
            try:
                with client.stream("POST", url, json=body, headers=headers) as reply:
                    for _ in reply.iter_lines():
                        if leaving.is_set():
                            return
            except httpx.TimeoutException:
                return

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: bool(set(server.tasks()) - known), "the task", 20)
    leaving.set()
    asking.join()
    task_id = (set(server.tasks()) - known).pop()
    wait_until(lambda: server.state(task_id)["status"] == "CANCELLED", "its end", 20)


def test_only_openais_form_below_v1(server: Server) -> None:
    reply = httpx.get(f"{server.url}/v1/nothing", trust_env=False)
    assert reply.status_code == 404
    assert json.loads(reply.text)["error"]["type"] == "invalid_request_error"
    for method, path in (("GET", "models"), ("GET", "models/x"), ("POST", "chat/completions")):
        refused = httpx.request(method, f"{server.url}/v1/{path}", trust_env=False)
        assert (refused.status_code, refused.json()["error"]["type"]) == (
            401, "authentication_error",
        )  # fmt: skip
