"""Condense block: the keys of `condense` in caveat.yaml, with those of the judge."""

from __future__ import annotations

from pydantic import Field

from service.settings.field_types import DEFAULT_METHOD, ConfigBlock, JudgeUrl, Label, Method


class JudgeBlock(ConfigBlock):
    """A language model that is asked which sentences matter; it answers by their numbers alone."""

    url: JudgeUrl = Field(
        description="The address of an OpenAI-compatible API; questions go to URL/chat/completions. The text "
        "of each article that will be in an issue is sent there.",
        examples=["http://127.0.0.1:8080/v1"],
    )
    model: Label = Field(description="The name of the model.", examples=["qwen2.5-7b-instruct"])
    key: str = Field(
        default="",
        description="The API key. Better: key_file. Empty: none is sent.",
        json_schema_extra={"writeOnly": True},
    )
    key_file: str = Field(
        default="",
        description="The file that contains the API key, relative to this folder.",
        examples=["judge.secret"],
    )
    seconds: int = Field(
        default=20, ge=1, le=600, description="Maximum time for all questions about one article."
    )
    per_pass: int = Field(
        default=50, ge=1, le=1000, description="Maximum articles that are asked about in one pass."
    )
    per_day: int = Field(
        default=500, ge=1, le=100_000, description="Maximum articles that are asked about in 24 hours."
    )


class CondenseBlock(ConfigBlock):
    """How articles become key points."""

    method: Method = Field(
        default=DEFAULT_METHOD, description="The default method; a feed or newsletter can name another."
    )
    points: int = Field(default=6, ge=1, le=12, description="Maximum key points per article.")
    processes: int = Field(
        default=0, ge=0, le=64, description="Number of processes that condense. 0: one per core."
    )
    judge: JudgeBlock | None = Field(
        default=None,
        description="A language model that helps to choose key points and caveats. Left out: no text of an "
        "article leaves this machine.",
        examples=['{url: "http://127.0.0.1:8080/v1", model: qwen2.5-7b-instruct}'],
    )
