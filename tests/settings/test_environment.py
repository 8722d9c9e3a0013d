"""Variables override caveat.yaml, secrets come from files, and neither is ever shown."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from service.core.secret import HIDDEN, Secret
from service.settings.environment import environment_variables
from tests.settings.houses import SITE, a_house, loaded, said


def test_a_variable_wins_over_the_file_and_is_read_as_the_key_wants_it(tmp_path: Path):
    settings = loaded(
        a_house(tmp_path, {"caveat.yaml": SITE + "mail: {smtp: {host: a.example, port: 25}}\n"}),
        CAVEAT_MAIL__SMTP__HOST="b.example",
        CAVEAT_MAIL__SMTP__PORT="2525",
        CAVEAT_MAIL__SMTP__USERNAME="12345",
        CAVEAT_MAIL__SMTP__PER_SECOND="2.5",
        CAVEAT_FETCH__ALLOW_PRIVATE="10.0.0.0/8, intranet.example",
        CAVEAT_FETCH__SETTLE="0m",
        CAVEAT_WEB__SIGN_UP="morning",
        CAVEAT_SITE__FROM="Other <other@x.example>",
    ).settings
    smtp = settings.mail.smtp

    assert (smtp.host, smtp.port, smtp.username, smtp.per_second) == ("b.example", 2525, "12345", 2.5)
    assert settings.fetch.allow_private == ("10.0.0.0/8", "intranet.example")
    assert settings.fetch.settle.total_seconds() == 0
    assert settings.web.sign_up == ("morning",)
    assert settings.site.sender == "Other <other@x.example>"


def test_every_variable_that_the_manual_names_is_understood(tmp_path: Path):
    """No variable is refused as unknown; most of these values are wrong, and named by variable."""
    sentences = said(a_house(tmp_path), **dict.fromkeys(environment_variables(), "{"))
    assert not [sentence for sentence in sentences if "no setting" in sentence]
    assert all(sentence.startswith(tuple(environment_variables())) for sentence in sentences)


def test_a_wrong_value_is_named_by_its_variable(tmp_path: Path):
    assert said(a_house(tmp_path), CAVEAT_MAIL__SMTP__PORT="abc") == [
        "CAVEAT_MAIL__SMTP__PORT: `port` is 'abc', expected a whole number"
    ]


def test_an_empty_variable_counts_as_not_set(tmp_path: Path):
    assert loaded(a_house(tmp_path), CAVEAT_MAIL__SMTP__PORT="").settings.mail.smtp.port == 587


def test_a_misspelt_variable_is_a_fault_with_a_suggestion(tmp_path: Path):
    assert said(a_house(tmp_path), CAVEAT_MAIL__SMTP__HOTS="x") == [
        "CAVEAT_MAIL__SMTP__HOTS: no setting has this name (did you mean CAVEAT_MAIL__SMTP__HOST?)"
    ]
    assert said(a_house(tmp_path), CAVEAT_MAIL="x")[0].startswith("CAVEAT_MAIL: this is a block of keys")


def test_variables_that_others_set_do_no_harm(tmp_path: Path):
    kubernetes = {
        "CAVEAT_PORT": "tcp://10.0.0.1:8080",
        "CAVEAT_SERVICE_HOST": "10.0.0.1",
        "CAVEAT_CONFIG": "x",
    }
    assert loaded(a_house(tmp_path), **kubernetes).warnings == ()
    (warning,) = loaded(a_house(tmp_path), CAVEAT_STORGE="x").warnings
    assert "did you mean CAVEAT_STORAGE?" in warning.message


class TestSecrets:
    """Passwords come from files and go into nothing that is printed."""

    LOGIN = SITE + "mail: {smtp: {username: digest, password_file: smtp.secret}}\n"

    def house(self, folder: Path, content: bytes | None = b"hush\n", mode: int = 0o600) -> Path:
        a_house(folder, {"caveat.yaml": self.LOGIN})
        if content is not None:
            (folder / "smtp.secret").write_bytes(content)
            (folder / "smtp.secret").chmod(mode)
        return folder

    def test_a_file_beside_the_settings_holds_the_password(self, tmp_path: Path):
        read = loaded(self.house(tmp_path))
        assert read.settings.mail.smtp.password.reveal() == "hush"
        assert read.warnings == ()

    def test_the_variable_may_name_the_file(self, tmp_path: Path):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("other")
        elsewhere.chmod(0o600)
        read = loaded(self.house(tmp_path / "house"), CAVEAT_MAIL__SMTP__PASSWORD_FILE=str(elsewhere))
        assert read.settings.mail.smtp.password.reveal() == "other"

    @pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"x" * 100_000])
    def test_what_is_no_password_is_a_fault(self, tmp_path: Path, content: bytes):
        (sentence,) = said(self.house(tmp_path, content))
        assert sentence.startswith("caveat.yaml:6:48: ")
        assert "holds no secret on one line" in sentence

    def test_the_token_of_the_api_is_long_and_fits_a_header(self, tmp_path: Path):
        for token in ("hush", "x" * 15, f"{'x' * 30} {'y' * 30}", "é" * 32):
            (sentence,) = said(a_house(tmp_path, {"caveat.yaml": SITE + f'web: {{api_token: "{token}"}}\n'}))
            assert "the token of the API is too short" in sentence
            assert token not in sentence
        good = a_house(tmp_path, {"caveat.yaml": SITE + f"web: {{api_token: {'0a' * 32}}}\n"})
        assert loaded(good).settings.web.api_token.reveal() == "0a" * 32

    def test_a_file_that_is_not_there_is_a_fault(self, tmp_path: Path):
        (sentence,) = said(self.house(tmp_path, None))
        assert "smtp.secret cannot be read: No such file or directory, expected a file" in sentence

    def test_a_folder_is_no_secret(self, tmp_path: Path):
        folder = self.house(tmp_path, None)
        (folder / "smtp.secret").mkdir()
        assert "holds no secret" in said(folder)[0]

    def test_a_file_that_everybody_may_read_is_a_warning(self, tmp_path: Path):
        (warning,) = loaded(self.house(tmp_path, mode=0o644)).warnings
        assert "everybody on this machine may read" in warning.message
        assert "chmod 600" in warning.expected

    def test_a_password_in_an_open_settings_file_is_a_warning(self, tmp_path: Path):
        files = {"caveat.yaml": SITE + "mail: {smtp: {username: digest, password: hush}}\n"}
        folder = a_house(tmp_path, files)
        assert loaded(folder).warnings == ()
        (folder / "caveat.yaml").chmod(0o644)
        (warning,) = loaded(folder).warnings
        assert "`password` stands in a file that everybody on this machine may read" in warning.message
        assert loaded(folder, CAVEAT_MAIL__SMTP__PASSWORD="other").warnings == ()

    def test_both_at_once_and_a_password_for_nobody_are_faults(self, tmp_path: Path):
        both = self.LOGIN.replace("username: digest", "username: digest, password: x")
        (tmp_path / "smtp.secret").write_text("hush")
        (tmp_path / "smtp.secret").chmod(0o600)
        assert (
            "both `password` and `password_file` are set" in said(a_house(tmp_path, {"caveat.yaml": both}))[0]
        )
        nobody = self.LOGIN.replace("username: digest, ", "")
        assert "a password without `username`" in said(a_house(tmp_path, {"caveat.yaml": nobody}))[0]

    def test_an_unencrypted_log_in_is_a_warning(self, tmp_path: Path):
        text = SITE + "mail: {channel: smtp, smtp: {security: none, username: a, password: b}}\n"
        (warning,) = loaded(a_house(tmp_path, {"caveat.yaml": text})).warnings
        assert "unencrypted" in warning.message

    def test_postgresql_takes_its_password_from_a_file(self, tmp_path: Path):
        (tmp_path / "database.secret").write_text("h:u/s@h")
        (tmp_path / "database.secret").chmod(0o600)
        text = SITE + "storage: postgresql://caveat@db:5433/caveat\nstorage_password_file: database.secret\n"
        settings = loaded(a_house(tmp_path, {"caveat.yaml": text})).settings

        assert settings.storage == "postgresql://caveat:h%3Au%2Fs%40h@db:5433/caveat"
        assert settings.storage_shown == f"postgresql://caveat:{HIDDEN}@db:5433/caveat"

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
    def test_postgresql_has_one_spelling(self, tmp_path: Path, scheme: str):
        settings = loaded(a_house(tmp_path), CAVEAT_STORAGE=f"{scheme}://u:p%40@[::1]/d?ssl=require").settings
        assert settings.storage == "postgresql://u:p%40@[::1]/d?ssl=require"

    def test_nothing_that_prints_gives_a_secret_away(self, tmp_path: Path, caplog: pytest.LogCaptureFixture):
        read = loaded(self.house(tmp_path), CAVEAT_STORAGE="postgresql://u:hush@db/d")
        logging.getLogger("test").warning("%s %r", read, read.settings.mail.smtp.password)

        printed = [repr(read), str(read.settings), f"{read.settings.mail.smtp.password}", caplog.text]
        printed += [f"{shown}" for shown in read.effective]
        assert not [text for text in printed if "hush" in text]
        assert HIDDEN in repr(read.settings.mail.smtp.password)

    def test_a_secret_compares_and_travels_like_any_value(self):
        secret = Secret("hush")
        assert secret == Secret("hush") != Secret("other")
        assert {secret: 1}[Secret("hush")] == 1
        assert pickle.loads(pickle.dumps(secret)) == secret  # noqa: S301 - our own bytes
        assert (bool(Secret()), str(Secret())) == (False, "")


class TestSigning:
    """DKIM keys are files that are there and that nobody else may read."""

    TEXT = SITE + "mail: {dkim: [{domain: Example.ORG, selector: s1, key_file: dkim.secret}]}\n"

    def test_a_key_is_a_path(self, tmp_path: Path):
        folder = a_house(tmp_path, {"caveat.yaml": self.TEXT, "dkim.secret": "pem"})
        (key,) = loaded(folder).settings.mail.dkim
        assert (key.domain, key.selector, key.key_file) == ("example.org", "s1", tmp_path / "dkim.secret")
        (folder / "dkim.secret").chmod(0o644)
        assert "everybody on this machine may read" in loaded(folder).warnings[0].message

    def test_a_key_that_is_not_there_is_a_fault(self, tmp_path: Path):
        (sentence,) = said(a_house(tmp_path, {"caveat.yaml": self.TEXT}))
        assert sentence.startswith("caveat.yaml:6:61: ")
        assert "dkim.secret cannot be read, expected a file that is there" in sentence

    def test_lists_of_blocks_and_limits_by_name_can_come_from_the_environment(self, tmp_path: Path):
        folder = a_house(tmp_path, {"dkim.secret": "pem"})
        read = loaded(
            folder,
            CAVEAT_MAIL__DKIM="[{domain: a.example, selector: s, key_file: dkim.secret}]",
            CAVEAT_MAIL__SMTP__DOMAINS="{Gmail.com: 600}",
            CAVEAT_MAIL__SMTP__REPEAT_HEADER="X-Idempotency-Key",
        )
        assert read.settings.mail.dkim[0].domain == "a.example"
        assert read.settings.mail.smtp.domains == {"gmail.com": 600.0}
        shown = {e.key: e.value for e in read.effective}
        assert shown["mail.dkim"] == "domain=a.example selector=s key_file=dkim.secret"
        assert shown["mail.smtp.domains"] == "Gmail.com: 600"

    def test_a_header_s_name_is_one(self, tmp_path: Path):
        (sentence,) = said(a_house(tmp_path), CAVEAT_MAIL__SMTP__REPEAT_HEADER="X Y:")
        assert sentence.startswith("CAVEAT_MAIL__SMTP__REPEAT_HEADER: 'X Y:' is no name of a header")


class TestBounces:
    """Mail that comes back has a mailbox with a short name, and a way to read it."""

    TEXT = (
        SITE + "mail:\n  bounces:\n    address: bounces@example.org\n"
        "    imap: {host: imap.example.org, username: bounces, password_file: imap.secret}\n"
    )

    def test_a_mail_server_may_hand_them_over(self, tmp_path: Path):
        text = SITE + "mail: {bounces: {address: bounces@example.org, listen: '[::1]:2525'}}\n"
        bounces = loaded(a_house(tmp_path, {"caveat.yaml": text})).settings.mail.bounces
        assert bounces.listen == ("::1", 2525)
        assert bounces.imap is None

    def test_a_door_for_them_without_their_address_is_a_fault(self, tmp_path: Path):
        house = a_house(tmp_path, {"caveat.yaml": SITE + "mail:\n  bounces:\n    listen: '127.0.0.1:2525'\n"})
        [fault] = said(house)
        assert "there is a door for bounces without an `address` that they come to, expected" in fault

    @pytest.mark.parametrize(
        ("host", "warns"), [("0.0.0.0", True), ("[::]", True), ("127.0.0.1", False), ("10.0.0.5", False)]
    )
    def test_a_door_that_strangers_reach_is_warned_of(self, tmp_path: Path, host: str, warns: bool):
        text = SITE + f"mail: {{bounces: {{address: bounces@example.org, listen: '{host}:2525'}}}}\n"
        found = loaded(a_house(tmp_path, {"caveat.yaml": text})).warnings
        assert any("everybody who reaches this machine may" in str(warning) for warning in found) == warns

    def test_the_mailbox_is_read_by_imap(self, tmp_path: Path):
        folder = a_house(tmp_path, {"caveat.yaml": self.TEXT, "imap.secret": "hush\n"})
        bounces = loaded(folder, CAVEAT_MAIL__BOUNCES__IMAP__PORT="143").settings.mail.bounces
        assert bounces.address == "bounces@example.org"
        assert bounces.imap is not None
        assert (bounces.imap.password.reveal(), bounces.imap.port) == ("hush", 143)
        assert "hush" not in repr(loaded(folder))

    def test_a_long_name_leaves_no_room_for_a_token(self, tmp_path: Path):
        text = self.TEXT.replace("bounces@", "returned-mail@")
        assert "'returned-mail' is no name for this" in said(a_house(tmp_path, {"caveat.yaml": text}))[0]

    def test_a_mailbox_without_address_is_a_fault(self, tmp_path: Path):
        text = self.TEXT.replace("    address: bounces@example.org\n", "")
        house = a_house(tmp_path, {"caveat.yaml": text, "imap.secret": "hush"})
        assert said(house)[0].startswith("caveat.yaml:8:5: there is a mailbox to read without an `address`")


def test_settings_are_frozen(tmp_path: Path):
    settings = loaded(a_house(tmp_path)).settings
    with pytest.raises(AttributeError):
        settings.storage = "x"  # type: ignore[misc]
    assert replace(settings, storage="sqlite:////x.db").site == settings.site
