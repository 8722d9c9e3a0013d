"""Variables override caveat.yaml, secrets come from files, and neither is ever shown."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from service.core.secret import HIDDEN, Secret
from service.settings.environment import environment_variables
from tests.settings.config_folders import SITE, a_config_folder, loaded, said


def test_a_variable_overrides_the_file_and_has_the_type_of_the_key(tmp_path: Path):
    settings = loaded(
        a_config_folder(tmp_path, {"caveat.yaml": SITE + "mail: {smtp: {host: a.example, port: 25}}\n"}),
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


def test_every_variable_of_the_reference_page_is_known(tmp_path: Path):
    """No variable is refused as unknown; most of these values are wrong, and named by variable."""
    sentences = said(a_config_folder(tmp_path), **dict.fromkeys(environment_variables(), "{"))
    assert not [sentence for sentence in sentences if "no setting" in sentence]
    assert all(sentence.startswith(tuple(environment_variables())) for sentence in sentences)


def test_the_fault_of_an_invalid_value_names_the_variable(tmp_path: Path):
    assert said(a_config_folder(tmp_path), CAVEAT_MAIL__SMTP__PORT="abc") == [
        "CAVEAT_MAIL__SMTP__PORT: `port` is 'abc', expected a whole number"
    ]


def test_an_empty_variable_counts_as_not_set(tmp_path: Path):
    assert loaded(a_config_folder(tmp_path), CAVEAT_MAIL__SMTP__PORT="").settings.mail.smtp.port == 587


def test_a_misspelt_variable_is_a_fault_with_a_suggestion(tmp_path: Path):
    assert said(a_config_folder(tmp_path), CAVEAT_MAIL__SMTP__HOTS="x") == [
        "CAVEAT_MAIL__SMTP__HOTS: no setting has this name (did you mean CAVEAT_MAIL__SMTP__HOST?)"
    ]
    assert said(a_config_folder(tmp_path), CAVEAT_MAIL="x")[0].startswith(
        "CAVEAT_MAIL: this is a block of keys"
    )


def test_variables_of_other_programs_are_ignored(tmp_path: Path):
    kubernetes = {
        "CAVEAT_PORT": "tcp://10.0.0.1:8080",
        "CAVEAT_SERVICE_HOST": "10.0.0.1",
        "CAVEAT_CONFIG": "x",
    }
    assert loaded(a_config_folder(tmp_path), **kubernetes).warnings == ()
    (warning,) = loaded(a_config_folder(tmp_path), CAVEAT_STORGE="x").warnings
    assert "did you mean CAVEAT_STORAGE?" in warning.message


class TestSecrets:
    """Passwords come from files and go into nothing that is printed."""

    LOGIN = SITE + "mail: {smtp: {username: digest, password_file: smtp.secret}}\n"

    def with_password_file(self, folder: Path, content: bytes | None = b"hush\n", mode: int = 0o600) -> Path:
        a_config_folder(folder, {"caveat.yaml": self.LOGIN})
        if content is not None:
            (folder / "smtp.secret").write_bytes(content)
            (folder / "smtp.secret").chmod(mode)
        return folder

    def test_the_password_is_read_from_a_file(self, tmp_path: Path):
        read = loaded(self.with_password_file(tmp_path))
        assert read.settings.mail.smtp.password.reveal() == "hush"
        assert read.warnings == ()

    def test_a_variable_can_name_the_password_file(self, tmp_path: Path):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("other")
        elsewhere.chmod(0o600)
        read = loaded(
            self.with_password_file(tmp_path / "config"), CAVEAT_MAIL__SMTP__PASSWORD_FILE=str(elsewhere)
        )
        assert read.settings.mail.smtp.password.reveal() == "other"

    @pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"x" * 100_000])
    def test_a_file_without_a_password_on_one_line_is_a_fault(self, tmp_path: Path, content: bytes):
        (sentence,) = said(self.with_password_file(tmp_path, content))
        assert sentence.startswith("caveat.yaml:6:48: ")
        assert "does not hold a secret on one line" in sentence

    def test_the_api_token_is_long_and_valid_in_a_header(self, tmp_path: Path):
        for token in ("hush", "x" * 15, f"{'x' * 30} {'y' * 30}", "é" * 32):
            (sentence,) = said(
                a_config_folder(tmp_path, {"caveat.yaml": SITE + f'web: {{api_token: "{token}"}}\n'})
            )
            assert "the API token is too short" in sentence
            assert token not in sentence
        good = a_config_folder(tmp_path, {"caveat.yaml": SITE + f"web: {{api_token: {'0a' * 32}}}\n"})
        assert loaded(good).settings.web.api_token.reveal() == "0a" * 32

    def test_a_missing_file_is_a_fault(self, tmp_path: Path):
        (sentence,) = said(self.with_password_file(tmp_path, None))
        assert "smtp.secret cannot be read: No such file or directory, expected a file" in sentence

    def test_a_folder_instead_of_a_file_is_a_fault(self, tmp_path: Path):
        folder = self.with_password_file(tmp_path, None)
        (folder / "smtp.secret").mkdir()
        assert "does not hold a secret" in said(folder)[0]

    def test_a_world_readable_file_is_a_warning(self, tmp_path: Path):
        (warning,) = loaded(self.with_password_file(tmp_path, mode=0o644)).warnings
        assert "every user of this machine can read" in warning.message
        assert "chmod 600" in warning.expected

    def test_a_password_in_a_world_readable_caveat_yaml_is_a_warning(self, tmp_path: Path):
        files = {"caveat.yaml": SITE + "mail: {smtp: {username: digest, password: hush}}\n"}
        folder = a_config_folder(tmp_path, files)
        assert loaded(folder).warnings == ()
        (folder / "caveat.yaml").chmod(0o644)
        (warning,) = loaded(folder).warnings
        assert "`password` is in a file that every user of this machine can read" in warning.message
        assert loaded(folder, CAVEAT_MAIL__SMTP__PASSWORD="other").warnings == ()

    def test_two_passwords_or_no_user_name_are_faults(self, tmp_path: Path):
        both = self.LOGIN.replace("username: digest", "username: digest, password: x")
        (tmp_path / "smtp.secret").write_text("hush")
        (tmp_path / "smtp.secret").chmod(0o600)
        assert (
            "both `password` and `password_file` are set"
            in said(a_config_folder(tmp_path, {"caveat.yaml": both}))[0]
        )
        nobody = self.LOGIN.replace("username: digest, ", "")
        assert "a password without `username`" in said(a_config_folder(tmp_path, {"caveat.yaml": nobody}))[0]

    def test_an_unencrypted_login_is_a_warning(self, tmp_path: Path):
        text = SITE + "mail: {channel: smtp, smtp: {security: none, username: a, password: b}}\n"
        (warning,) = loaded(a_config_folder(tmp_path, {"caveat.yaml": text})).warnings
        assert "unencrypted" in warning.message

    def test_postgresql_takes_its_password_from_a_file(self, tmp_path: Path):
        (tmp_path / "database.secret").write_text("h:u/s@h")
        (tmp_path / "database.secret").chmod(0o600)
        text = SITE + "storage: postgresql://caveat@db:5433/caveat\nstorage_password_file: database.secret\n"
        settings = loaded(a_config_folder(tmp_path, {"caveat.yaml": text})).settings

        assert settings.storage == "postgresql://caveat:h%3Au%2Fs%40h@db:5433/caveat"
        assert settings.storage_shown == f"postgresql://caveat:{HIDDEN}@db:5433/caveat"

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
    def test_spellings_of_postgresql_are_normalised(self, tmp_path: Path, scheme: str):
        settings = loaded(
            a_config_folder(tmp_path), CAVEAT_STORAGE=f"{scheme}://u:p%40@[::1]/d?ssl=require"
        ).settings
        assert settings.storage == "postgresql://u:p%40@[::1]/d?ssl=require"

    def test_no_output_contains_a_secret(self, tmp_path: Path, caplog: pytest.LogCaptureFixture):
        read = loaded(self.with_password_file(tmp_path), CAVEAT_STORAGE="postgresql://u:hush@db/d")
        logging.getLogger("test").warning("%s %r", read, read.settings.mail.smtp.password)

        printed = [repr(read), str(read.settings), f"{read.settings.mail.smtp.password}", caplog.text]
        printed += [f"{shown}" for shown in read.effective]
        assert not [text for text in printed if "hush" in text]
        assert HIDDEN in repr(read.settings.mail.smtp.password)

    def test_a_secret_can_be_compared_and_pickled(self):
        secret = Secret("hush")
        assert secret == Secret("hush") != Secret("other")
        assert {secret: 1}[Secret("hush")] == 1
        assert pickle.loads(pickle.dumps(secret)) == secret  # noqa: S301 - our own bytes
        assert (bool(Secret()), str(Secret())) == (False, "")


class TestSigning:
    """DKIM keys are files that are there and that nobody else may read."""

    TEXT = SITE + "mail: {dkim: [{domain: Example.ORG, selector: s1, key_file: dkim.secret}]}\n"

    def test_a_signing_key_is_a_path(self, tmp_path: Path):
        folder = a_config_folder(tmp_path, {"caveat.yaml": self.TEXT, "dkim.secret": "pem"})
        (key,) = loaded(folder).settings.mail.dkim
        assert (key.domain, key.selector, key.key_file) == ("example.org", "s1", tmp_path / "dkim.secret")
        (folder / "dkim.secret").chmod(0o644)
        assert "every user of this machine can read" in loaded(folder).warnings[0].message

    def test_a_missing_signing_key_is_a_fault(self, tmp_path: Path):
        (sentence,) = said(a_config_folder(tmp_path, {"caveat.yaml": self.TEXT}))
        assert sentence.startswith("caveat.yaml:6:61: ")
        assert "dkim.secret cannot be read, expected a readable file" in sentence

    def test_lists_of_blocks_and_limits_by_name_can_come_from_the_environment(self, tmp_path: Path):
        folder = a_config_folder(tmp_path, {"dkim.secret": "pem"})
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

    def test_an_invalid_header_name_is_a_fault(self, tmp_path: Path):
        (sentence,) = said(a_config_folder(tmp_path), CAVEAT_MAIL__SMTP__REPEAT_HEADER="X Y:")
        assert sentence.startswith("CAVEAT_MAIL__SMTP__REPEAT_HEADER: 'X Y:' is not the name of a header")


class TestBounces:
    """Mail that comes back has a mailbox with a short name, and a way to read it."""

    TEXT = (
        SITE + "mail:\n  bounces:\n    address: bounces@example.org\n"
        "    imap: {host: imap.example.org, username: bounces, password_file: imap.secret}\n"
    )

    def test_bounces_can_be_received_by_lmtp(self, tmp_path: Path):
        text = SITE + "mail: {bounces: {address: bounces@example.org, listen: '[::1]:2525'}}\n"
        bounces = loaded(a_config_folder(tmp_path, {"caveat.yaml": text})).settings.mail.bounces
        assert bounces.listen == ("::1", 2525)
        assert bounces.imap is None

    def test_a_bounce_server_without_an_address_is_a_fault(self, tmp_path: Path):
        folder = a_config_folder(
            tmp_path, {"caveat.yaml": SITE + "mail:\n  bounces:\n    listen: '127.0.0.1:2525'\n"}
        )
        [fault] = said(folder)
        assert "there is a server for bounces without an `address` for them, expected" in fault

    @pytest.mark.parametrize(
        ("host", "warns"), [("0.0.0.0", True), ("[::]", True), ("127.0.0.1", False), ("10.0.0.5", False)]
    )
    def test_a_bounce_server_reachable_from_outside_is_a_warning(
        self, tmp_path: Path, host: str, warns: bool
    ):
        text = SITE + f"mail: {{bounces: {{address: bounces@example.org, listen: '{host}:2525'}}}}\n"
        found = loaded(a_config_folder(tmp_path, {"caveat.yaml": text})).warnings
        assert (
            any("every machine on the internet can deliver mail" in str(warning) for warning in found)
            == warns
        )

    def test_bounces_can_be_read_by_imap(self, tmp_path: Path):
        folder = a_config_folder(tmp_path, {"caveat.yaml": self.TEXT, "imap.secret": "hush\n"})
        bounces = loaded(folder, CAVEAT_MAIL__BOUNCES__IMAP__PORT="143").settings.mail.bounces
        assert bounces.address == "bounces@example.org"
        assert bounces.imap is not None
        assert (bounces.imap.password.reveal(), bounces.imap.port) == ("hush", 143)
        assert "hush" not in repr(loaded(folder))

    def test_a_local_part_without_room_for_a_token_is_a_fault(self, tmp_path: Path):
        text = self.TEXT.replace("bounces@", "returned-mail@")
        assert (
            "'returned-mail' cannot be the name in this address"
            in said(a_config_folder(tmp_path, {"caveat.yaml": text}))[0]
        )

    def test_an_imap_mailbox_without_an_address_is_a_fault(self, tmp_path: Path):
        text = self.TEXT.replace("    address: bounces@example.org\n", "")
        folder = a_config_folder(tmp_path, {"caveat.yaml": text, "imap.secret": "hush"})
        assert said(folder)[0].startswith(
            "caveat.yaml:8:5: there is a mailbox for bounces without an `address`"
        )


def test_settings_are_frozen(tmp_path: Path):
    settings = loaded(a_config_folder(tmp_path)).settings
    with pytest.raises(AttributeError):
        settings.storage = "x"  # type: ignore[misc]
    assert replace(settings, storage="sqlite:////x.db").site == settings.site
