"""The judge is off unless it is configured, and each fault in its block is named where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.core.secret import HIDDEN, Secret
from service.settings.values import JudgeSettings
from tests.settings.config_folders import SITE, a_config_folder, loaded, said

JUDGE = 'condense:\n  judge: {{url: "{url}", model: qwen{more}}}\n'
LOCAL, REMOTE = "http://127.0.0.1:8080/v1", "https://models.example/v1"


def with_judge(folder: Path, url: str = LOCAL, more: str = "", mode: int = 0o600) -> Path:
    text = SITE + JUDGE.format(url=url, more=more)
    a_config_folder(folder, {"caveat.yaml": text, "judge.secret": "hush\n"})
    (folder / "judge.secret").chmod(mode)
    return folder


def judge_of(folder: Path, **environ: str) -> JudgeSettings:
    judge = loaded(folder, **environ).settings.condense.judge
    assert judge is not None
    return judge


def test_there_is_no_judge_by_default(tmp_path: Path):
    assert loaded(a_config_folder(tmp_path)).settings.condense.judge is None


def test_a_judge_is_read_with_its_defaults(tmp_path: Path):
    judge = judge_of(with_judge(tmp_path))

    assert judge == JudgeSettings(LOCAL, "qwen", Secret(), seconds=20, per_pass=50, per_day=500)
    assert judge.host == "127.0.0.1"


def test_a_slash_at_the_end_of_its_address_does_not_count(tmp_path: Path):
    assert judge_of(with_judge(tmp_path, url=f"{REMOTE}/")).url == REMOTE


def test_its_key_is_read_from_a_file_and_never_shown(tmp_path: Path):
    config = loaded(with_judge(tmp_path, url=REMOTE, more=", key_file: judge.secret"))
    judge = config.settings.condense.judge
    shown = {setting.key: setting.value for setting in config.effective}

    assert judge is not None
    assert judge.key.reveal() == "hush"
    assert config.warnings == ()
    assert (shown["condense.judge.key"], shown["condense.judge.key_file"]) == ("", "judge.secret")
    assert "hush" not in repr(config)


def test_a_key_in_a_variable_is_hidden(tmp_path: Path):
    config = loaded(with_judge(tmp_path), CAVEAT_CONDENSE__JUDGE__KEY="hush")
    shown = {setting.key: (setting.value, setting.origin) for setting in config.effective}

    assert shown["condense.judge.key"] == (HIDDEN, "CAVEAT_CONDENSE__JUDGE__KEY")


@pytest.mark.parametrize(
    ("url", "more", "sentence"),
    [
        ("ftp://models.example/v1", "", "'ftp://models.example/v1' is not a web address"),
        ("models.example/v1", "", "did you mean https://models.example/v1?"),
        ("http://me:secret@models.example/v1", "", "the judge's address contains a login"),
        (f"{REMOTE}?a=b", "", "has a query or a fragment"),
        (f"{REMOTE}/chat/completions", "", f"did you mean {REMOTE}?"),
        (LOCAL, ", sconds: 5", "there is no key `sconds` here (did you mean seconds?)"),
        (LOCAL, ", seconds: 0", "`seconds` is the number 0, expected at least 1"),
        (LOCAL, ", per_pass: many", "`per_pass` is 'many', expected a whole number"),
        (LOCAL, ", key_file: none.secret", "none.secret cannot be read: No such file or directory"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, url: str, more: str, sentence: str):
    (found,) = said(with_judge(tmp_path, url, more))

    assert found.startswith("caveat.yaml:7:")
    assert sentence in found
    assert "secret@" not in found


def test_a_judge_without_a_model_is_a_fault(tmp_path: Path):
    text = SITE + f"condense:\n  judge: {{url: {LOCAL}}}\n"
    (found,) = said(a_config_folder(tmp_path, {"caveat.yaml": text}))

    assert found.startswith("caveat.yaml:7:")
    assert "`model` is missing, expected `model: qwen2.5-7b-instruct`" in found


def test_a_key_that_others_can_read_is_a_warning(tmp_path: Path):
    (warning,) = loaded(with_judge(tmp_path, more=", key_file: judge.secret", mode=0o644)).warnings

    assert "every user of this machine can read" in str(warning)


@pytest.mark.parametrize(
    ("url", "warned"), [("http://models.example/v1", True), (REMOTE, False), (LOCAL, False)]
)
def test_a_key_that_leaves_the_machine_unencrypted_is_a_warning(tmp_path: Path, url: str, warned: bool):
    warnings = [str(w) for w in loaded(with_judge(tmp_path, url, ", key_file: judge.secret")).warnings]

    assert any("the key goes to the judge unencrypted" in warning for warning in warnings) is warned


def test_a_key_that_cannot_be_sent_is_a_fault(tmp_path: Path):
    (found,) = said(with_judge(tmp_path), CAVEAT_CONDENSE__JUDGE__KEY="two\nlines")

    assert "not allowed in a header" in found
    assert "two" not in found
