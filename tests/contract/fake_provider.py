"""A model server on a real socket that misbehaves on request: the model's name says how."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

from contract.fake_dialects import CONTEXT_TOKENS, Ask, Call, Dialect, Json

GOOD = "good-coder-7b"
FAULTY = (
    "limited-once", "limited", "broken-once", "broken", "garbled", "cut", "unfinished", "hang",
    "stall", "refused", "endless", "html", "thinker", "tagger", "mumbler", "cutter", "liar",
)  # fmt: skip
# What the liar reads of a prompt, while its server says CONTEXT_TOKENS.
LIAR_TOKENS = 400
STORY = "One two three four five six seven eight nine ten."
THOUGHT = "They want a story."
JSON_REPLY = '{"fruits": ["apple", "pear"]}'


class FakeProvider:
    """Speaks one dialect. ``seen`` are the chat requests; ``gone`` is set when a client left a
    stream before its end."""

    def __init__(self, dialect: Dialect, models: Sequence[str] = (GOOD, *FAULTY)) -> None:
        self.models = list(models)
        self.dialect = dialect
        self.url = ""
        self.seen: list[Json] = []
        self.gone = asyncio.Event()
        self._server: asyncio.Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeProvider"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = server
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ", 2)[1].partition("?")[0]
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            raw = await reader.readexactly(int(length[1])) if length else b""
            body: Json = json.loads(raw) if raw else {}
            if self.dialect.is_chat(path):
                await self._chat(body, reader, writer)
            else:
                await self._answer(writer, *self.dialect.other(path, body, self.models))
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()

    async def _chat(
        self, body: Json, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.seen.append(body)
        ask = self.dialect.ask(body)
        times = sum(1 for one in self.seen if one["model"] == ask.model)
        refusal = self._refusal(ask, times)
        if refusal is not None:
            status, message = refusal
            await self._answer(writer, status, self.dialect.fault(status, message))
            return
        speaking = asyncio.create_task(self._speak(ask, writer))
        leaving = asyncio.create_task(reader.read(1))
        done, pending = await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if speaking not in done or speaking.exception() is not None:
            self.gone.set()

    def _refusal(self, ask: Ask, times: int) -> tuple[int, str] | None:
        if ask.model not in self.models:
            return 404, f"model '{ask.model}' not found"
        if ask.model == "refused":
            return 401, "invalid x-api-key"
        if ask.model == "limited" or (ask.model == "limited-once" and times == 1):
            return 429, "slow down"
        if ask.model == "broken" or (ask.model == "broken-once" and times == 1):
            return 500, "internal fault"
        cuts = self.dialect.cuts_silently or ask.model in {"cutter", "liar"}
        if not cuts and self._sent_tokens(ask) > CONTEXT_TOKENS:
            return 400, f"prompt is too long: the maximum context length is {CONTEXT_TOKENS}"
        return None

    async def _speak(self, ask: Ask, writer: asyncio.StreamWriter) -> None:
        dialect = self.dialect
        content_type = "text/html" if ask.model == "html" else dialect.content_type
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
        )
        if ask.model == "html":
            await self._send(writer, b"<html>It works!</html>\n")
            writer.write(b"0\r\n\r\n")
            return
        if ask.model == "hang":
            await writer.drain()
            await asyncio.Event().wait()
        await self._send(writer, self._opening(ask))
        words, was_cut = self._words(ask)
        if ask.model == "garbled":
            await self._send(writer, dialect.piece(words[0]).replace(b"}", b"", 2))
        while ask.model == "endless":
            await self._send(writer, dialect.piece("again "))
            await asyncio.sleep(0.005)
        for number, word in enumerate(words):
            if number == 1 and ask.model == "cut":
                writer.transport.abort()
                return
            if number == 1 and ask.model == "stall":
                await asyncio.Event().wait()
            await self._send(writer, dialect.piece(word))
        calls = self._calls(ask)
        if calls:
            await self._send(writer, dialect.calls(calls))
        if ask.model != "unfinished":
            reason = "length" if was_cut else "tool_calls" if calls else "stop"
            ending = dialect.ending(reason, self._prompt_tokens(ask), len(words))
            await self._send(writer, ending)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _opening(self, ask: Ask) -> bytes:
        thought = self.dialect.thought(THOUGHT) if ask.model == "thinker" else b""
        return self.dialect.opening(self._prompt_tokens(ask)) + thought

    def _calls(self, ask: Ask) -> list[Call]:
        """Two calls for every request with tools, unless it brings their results."""
        if not ask.has_tools or "sunny" in json.dumps(ask.messages):
            return []
        if ask.model == "mumbler":
            return [Call("weather", "nonsense {")]
        return [Call("weather", '{"city": "Oslo"}'), Call("weather", '{"city": "Rome"}')]

    def _words(self, ask: Ask) -> tuple[list[str], bool]:
        text = JSON_REPLY if ask.schema else STORY
        if ask.model == "tagger":
            text = f"<think>{THOUGHT}</think>\n\n{text}"
        last = ask.messages[-1]
        if last["role"] == "assistant":
            text = text.removeprefix(str(last["content"]))
        for stop in ask.stop:
            text = text.partition(stop)[0]
        words = re.findall(r"\s*\S+", text)
        return words[: ask.max_tokens], len(words) > ask.max_tokens

    def _prompt_tokens(self, ask: Ask) -> int:
        """Tokens that were read: a server that cuts keeps the newer half of its context."""
        sent = self._sent_tokens(ask)
        window = LIAR_TOKENS if ask.model == "liar" else ask.context_tokens
        return window // 2 if sent > window else sent

    def longest_prompt(self) -> int:
        """Return the tokens of the longest prompt that was ever sent here."""
        return max((self._sent_tokens(self.dialect.ask(body)) for body in self.seen), default=0)

    def _sent_tokens(self, ask: Ask) -> int:
        return sum(len(str(message.get("content"))) for message in ask.messages) // 4 + 1

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if data:
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()

    async def _answer(self, writer: asyncio.StreamWriter, status: int, content: Json) -> None:
        data = json.dumps(content).encode()
        writer.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
            + data
        )
        await writer.drain()
