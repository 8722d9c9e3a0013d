"""What is in force is shown with where it came from; every key is documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from service.condense.registry import SUMMARIZERS
from service.core.secret import HIDDEN
from service.deliver.channels.registry import MAIL_CHANNELS
from service.settings.config_files import CONFIG_FILES
from service.settings.errors import block_at
from service.settings.field_types import DEFAULT_METHOD, ChannelName, Method, read_duration, write_duration
from service.settings.packaged_files import DEFAULT_THEME, config_folder, themes
from service.settings.schema import json_schemas, reference_page
from tests.settings.config_folders import SITE, a_config_folder, loaded


def test_each_setting_has_its_origin(tmp_path: Path):
    text = SITE + "mail:\n  smtp: {username: digest, password: hush}\n"
    shown = {
        e.key: (e.value, e.origin)
        for e in loaded(
            a_config_folder(tmp_path, {"caveat.yaml": text}), CAVEAT_MAIL__SMTP__HOST="mail.example"
        ).effective
    }
    assert shown["site.from"] == ("The Morning Caveat <digest@news.example.org>", "caveat.yaml:4")
    assert shown["mail.smtp.username"] == ("digest", "caveat.yaml:7")
    assert shown["mail.smtp.password"] == (HIDDEN, "caveat.yaml:7")
    assert shown["mail.smtp.host"] == ("mail.example", "CAVEAT_MAIL__SMTP__HOST")
    assert shown["fetch.settle"] == ("10m", "default")
    assert shown["web.metrics_token"] == ("", "default")


def test_no_secret_is_shown_or_repeated(tmp_path: Path):
    folder = a_config_folder(
        tmp_path, {"caveat.yaml": SITE + f"web: {{api_token: {'s' * 32}, metrics_token: hush}}\n"}
    )
    shown = {e.key: e.value for e in loaded(folder).effective}
    assert (shown["web.api_token"], shown["web.metrics_token"]) == (HIDDEN, HIDDEN)
    assert "ssss" not in repr(loaded(folder).settings)


@pytest.mark.parametrize("text", ["0m", "45s", "10m", "1h30m", "2d", "0.5s", "1d1h1m1s"])
def test_durations_are_shown_in_the_syntax_of_the_files(text: str):
    assert write_duration(read_duration(text)) == text


def blocks(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for name, field in model.model_fields.items():
        inner = block_at(model, (field.alias or name,))
        found += blocks(inner) if inner else []
    return found


@pytest.mark.parametrize("file", CONFIG_FILES)
def test_every_key_has_a_description(file: str):
    for block in blocks(CONFIG_FILES[file]):
        assert not [name for name, field in block.model_fields.items() if not field.description]


def test_the_reference_page_has_every_key_and_keeps_its_width():
    text = reference_page(80)
    keys = {
        f.alias or name
        for model in CONFIG_FILES.values()
        for b in blocks(model)
        for name, f in b.model_fields.items()
    }

    assert not [key for key in keys if f" {key}" not in text]
    assert max(map(len, text.splitlines())) <= 80
    assert "CAVEAT_MAIL__SMTP__PASSWORD_FILE" in text


def test_the_packaged_schemas_match_the_models():
    """After a change of the models: write json_schemas() into config/schema/ again."""
    for name, schema in json_schemas().items():
        written = (config_folder() / "schema" / name).read_text(encoding="utf-8")
        assert written == json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("file", CONFIG_FILES)
def test_the_packaged_files_name_their_schema(file: str):
    first = (config_folder() / file).read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=schema/{file.replace('.yaml', '.json')}"


def test_names_of_channels_and_methods_match_the_registries():
    assert set(get_args(ChannelName)) == set(MAIL_CHANNELS)
    assert set(get_args(Method)) == set(SUMMARIZERS)
    assert DEFAULT_METHOD in SUMMARIZERS
    assert DEFAULT_THEME in themes(config_folder())
