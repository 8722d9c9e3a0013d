"""The client gets the text of a reply, or one clause that says why not; nothing else reaches its caller."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.condense.judge.client import MAX_REPLY_BYTES, JudgeClient, JudgeProblem, Unanswered
from service.core.secret import Secret
from tests.condense.judge.endpoint import Call, Endpoint, Script, completion, endpoint, response

MESSAGES = [{"role": "user", "content": "Candidates: 0"}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
KEY = "sk-hush"


@asynccontextmanager
async def asking(script: Script, key: str = KEY) -> AsyncIterator[tuple[JudgeClient, Endpoint]]:
    async with endpoint(script) as server, JudgeClient(server.url, "qwen", Secret(key)) as client:
        yield client, server


async def complete(script: Script) -> str | Unanswered:
    async with asking(script) as (client, _):
        return await client.complete(MESSAGES, FORMAT)


async def test_a_question_is_a_chat_completion_with_key_and_schema():
    async with asking(lambda _: completion("[1]")) as (client, server):
        assert await client.complete(MESSAGES, FORMAT) == "[1]"
    [call] = server.calls

    assert (call.method, call.path) == ("POST", "/v1/chat/completions")
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.content == {
        "model": "qwen",
        "messages": MESSAGES,
        "temperature": 0,
        "response_format": FORMAT,
    }


async def test_without_a_key_no_authorization_is_sent():
    async with asking(lambda _: completion("[1]"), key="") as (client, server):
        await client.complete(MESSAGES, FORMAT)

    assert "authorization" not in server.calls[0].headers


async def test_options_that_the_server_does_not_know_are_left_out_from_then_on():
    def without_schema(call: Call) -> bytes:
        known = "response_format" not in call.content
        return completion("[1]") if known else response(400, b"unknown field")

    async with asking(without_schema) as (client, server):
        assert [await client.complete(MESSAGES, FORMAT) for _ in range(2)] == ["[1]", "[1]"]
    assert ["response_format" in call.content for call in server.calls] == [True, False, False]


async def test_a_question_that_is_refused_in_every_form_does_not_change_the_next():
    async with asking(lambda _: response(400, b"too long")) as (client, server):
        for _ in range(2):
            reply = await client.complete(MESSAGES, FORMAT)
            assert reply == Unanswered(JudgeProblem.STATUS, "it answered with the status 400")
    assert len(server.calls) == 6
    assert "response_format" in server.calls[3].content


CHOICE = {"choices": [{"message": {"content": "[1]"}}]}


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (response(500, b"{}"), JudgeProblem.STATUS),
        (response(401, b"{}"), JudgeProblem.UNAVAILABLE),
        (response(429, b"{}"), JudgeProblem.UNAVAILABLE),
        (response(307, b"", "Location: http://127.0.0.1:1/elsewhere"), JudgeProblem.REDIRECT),
        (response(200, b"x" * 1_000_000), JudgeProblem.TOO_LARGE),
        (response(200, b" " * MAX_REPLY_BYTES + b"{}"), JudgeProblem.TOO_LARGE),
        (response(200, json.dumps(CHOICE).encode())[:-9], JudgeProblem.MALFORMED),
        (response(200, json.dumps(CHOICE).encode()[:-9]), JudgeProblem.MALFORMED),
        (response(200, b"[" * 60_000), JudgeProblem.MALFORMED),
        (response(200, b'{"choices": []}'), JudgeProblem.MALFORMED),
        (response(200, b'{"choices": [{"message": {"content": null}}]}'), JudgeProblem.MALFORMED),
        (response(200, b'{"choices": {"0": 1}}'), JudgeProblem.MALFORMED),
        (response(200, b'{"choices": [{"message": "\xff"}]}'), JudgeProblem.MALFORMED),
        (response(200, b'{"n": ' + b"9" * 9_000 + b"}"), JudgeProblem.MALFORMED),
        (response(200, b"The points are 1 and 2."), JudgeProblem.MALFORMED),
        (response(200, b"\x1f\x8b\x08zip", "Content-Encoding: gzip"), JudgeProblem.MALFORMED),
        (b"ICY 200 OK\r\n\r\n", JudgeProblem.MALFORMED),
    ],
)
async def test_what_is_no_reply_of_a_model_has_a_named_problem(reply: bytes, problem: JudgeProblem):
    found = await complete(lambda _: reply)

    assert isinstance(found, Unanswered)
    assert found.problem is problem


async def test_a_redirect_is_not_followed():
    async with endpoint(lambda _: completion("[1]")) as other:
        moved = response(308, b"", f"Location: {other.url}/chat/completions")
        assert isinstance(await complete(lambda _: moved), Unanswered)
    assert other.calls == []


async def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch):
    async with endpoint(lambda _: completion("[2]")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert await complete(lambda _: completion("[1]")) == "[1]"
    assert proxy.calls == []


async def test_a_server_that_is_not_there_is_named_without_the_key():
    async with JudgeClient("http://127.0.0.1:1/v1", "qwen", Secret(KEY)) as client:
        found = await client.complete(MESSAGES, FORMAT)

    assert found == Unanswered(JudgeProblem.UNAVAILABLE, "no connection to 127.0.0.1 could be made")
    assert KEY not in repr(client)


async def test_a_connection_that_is_closed_is_a_problem_and_no_exception():
    found = await complete(lambda _: b"")

    assert isinstance(found, Unanswered)
    assert found.problem is JudgeProblem.UNAVAILABLE


async def test_a_slow_server_is_left_when_the_caller_has_waited_enough():
    async with asking(lambda _: None) as (client, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.complete(MESSAGES, FORMAT)


async def test_models_are_listed():
    async with asking(lambda _: None) as (client, server):
        assert await client.models() == ["qwen", "other"]
    assert (server.calls[0].method, server.calls[0].path) == ("GET", "/v1/models")
