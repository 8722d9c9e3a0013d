"""A scripted OpenAI-compatible API on loopback: each request gets what a function makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

MODELS = ("qwen", "other")


@dataclass
class Call:
    """A request as it arrived; `content` is its JSON, None for a GET."""

    method: str
    path: str
    headers: dict[str, str]
    content: Any

    @property
    def is_confirmation(self) -> bool:
        """Whether it asks about one pair, and not about an article."""
        return "Candidates:" not in self.content["messages"][1]["content"]


Script = Callable[[Call], bytes | None]
"""What the server sends for a request: a whole response, or None to send nothing."""


def response(status: int, content: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Content-Type: application/json"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + content


def completion(text: str) -> bytes:
    """Return the response of a model that says this text."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    return response(200, json.dumps({"object": "chat.completion", "choices": [choice]}).encode())


def saying(answer: object, verdict: str = "yes") -> Script:
    """Return a model with this answer to each article and this verdict on each pair."""

    def script(call: Call) -> bytes:
        return completion(json.dumps({"answer": verdict} if call.is_confirmation else answer))

    return script


@dataclass
class Endpoint:
    """The server; `calls` are the requests received, `script` decides on those with a question."""

    script: Script
    port: int = 0
    calls: list[Call] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def questions(self) -> list[Call]:
        """The requests about articles, without those about pairs."""
        return [call for call in self.calls if call.content and not call.is_confirmation]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                call = await _read(head, reader)
                self.calls.append(call)
                self.called.set()
                reply = self.script(call) if call.content is not None else _model_list()
                if reply is None:
                    await reader.read()
                    break
                writer.write(reply)
                await writer.drain()
                if len(reply) != _whole(reply):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def endpoint(script: Script) -> AsyncIterator[Endpoint]:
    """Run a scripted endpoint on a free port."""
    running = Endpoint(script)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    async with server:
        yield running
        with contextlib.suppress(AttributeError):  # Python 3.13
            server.close_clients()


@contextmanager
def threaded_endpoint(script: Script) -> Iterator[Endpoint]:
    """Run a scripted endpoint in a thread, for a program that has an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    running = endpoint(script)
    try:
        yield asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _read(head: bytes, reader: asyncio.StreamReader) -> Call:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(method, path, headers, json.loads(content) if content else None)


def _model_list() -> bytes:
    listed = [{"id": model, "object": "model"} for model in MODELS]
    return response(200, json.dumps({"object": "list", "data": listed}).encode())


def _whole(reply: bytes) -> int:
    """Return the length that the response should have; a shorter one is cut."""
    head, _, _ = reply.partition(b"\r\n\r\n")
    length = next(
        (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b":0"
    )
    return len(head) + 4 + int(length.partition(b":")[2])
