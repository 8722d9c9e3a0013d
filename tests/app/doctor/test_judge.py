"""Whether a judge can be reached is found without sending it a text."""

from __future__ import annotations

import pytest

from service.app.doctor.judge import check_judge
from service.core.secret import Secret
from service.settings.values import JudgeSettings
from tests.condense.judge.endpoint import endpoint


def settings_for(url: str, model: str = "qwen") -> JudgeSettings:
    return JudgeSettings(url, model, Secret("sk-hush"), seconds=20, per_pass=50, per_day=500)


async def test_a_judge_that_lists_its_model_is_well():
    async with endpoint(lambda _: None) as server:
        is_well, said = await check_judge(settings_for(server.url))

    assert is_well
    assert f"go to qwen at {server.url}, which is this machine" in said
    assert [call.method for call in server.calls] == ["GET"]


async def test_a_model_that_is_not_listed_is_named_with_the_nearest():
    async with endpoint(lambda _: None) as server:
        is_well, said = await check_judge(settings_for(server.url, "qwenn"))

    assert not is_well
    assert "lists 2 models, and qwenn is none (did you mean qwen?)" in said


async def test_a_judge_that_is_not_there_is_named_without_its_key():
    is_well, said = await check_judge(settings_for("http://127.0.0.1:1/v1"))

    assert not is_well
    assert said.endswith("no connection to 127.0.0.1 could be made")
    assert "hush" not in said


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://10.0.0.7/v1", False),
        ("https://models.example/v1", False),
    ],
)
def test_a_judge_on_this_machine_is_known(url: str, local: bool):
    assert settings_for(url).is_local is local
