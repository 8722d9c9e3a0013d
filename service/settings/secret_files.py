"""Secrets: passwords and tokens, from caveat.yaml or from files that it names."""

from __future__ import annotations

import stat
from pathlib import Path

from service.core.errors import Fault
from service.core.secret import Secret
from service.settings.yaml.document import KeyPath as Keys
from service.settings.yaml.document import YamlDocument

MAX_SECRET_BYTES = 64 * 1024
CONTAINER_SECRETS_FOLDER = Path("/run/secrets")
"""Where container engines mount secrets. They are world-readable there, so no warning is due."""


SECRET_PATHS: tuple[Keys, ...] = (
    ("storage_password",),
    ("mail", "smtp", "password"),
    ("mail", "bounces", "imap", "password"),
    ("fetch", "proxy_password"),
    ("web", "metrics_token"),
    ("web", "api_token"),
    ("condense", "judge", "key"),
)
"""Keys of secrets in caveat.yaml. For each one, the key KEY_file can name a file instead."""


class SecretReader:
    """Reads the secrets, even if other keys of caveat.yaml are invalid. Collects `faults` and `warnings`."""

    def __init__(self, folder: Path, written: YamlDocument) -> None:
        self._folder, self._written = folder, written
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def read(self) -> dict[Keys, Secret]:
        """Return every secret by key; a secret that is not set is empty."""
        return {path: self._secret(path) for path in SECRET_PATHS}

    def _secret(self, path: Keys) -> Secret:
        file_key = (*path[:-1], f"{path[-1]}_file")
        text, file = self._written.text_at(path), self._written.text_at(file_key)
        if not file:
            if text:
                self._warn_if_world_readable(path)
            return Secret(text)
        if text:
            self._fault(file_key, f"both `{path[-1]}` and `{file_key[-1]}` are set", "one of them")
        return Secret(self._content(file_key, self._folder / Path(file).expanduser()))

    def _content(self, key: Keys, file: Path) -> str:
        try:
            mode = file.stat().st_mode
            data = b"" if not stat.S_ISREG(mode) else _first_bytes(file)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._fault(key, f"{file} cannot be read: {reason}", "a file with the secret in it")
            return ""
        try:
            text = data.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            text = ""
        if not text.strip() or "\n" in text or "\x00" in text or len(data) > MAX_SECRET_BYTES:
            self._fault(key, f"{file} does not hold a secret on one line", "a file with the secret in it")
            return ""
        if mode & stat.S_IROTH and CONTAINER_SECRETS_FOLDER not in file.parents:
            what = f"every user of this machine can read {file}"
            self.warnings.append(self._written.fault_at_path(key, what, f"`chmod 600 {file}`"))
        return text

    def _warn_if_world_readable(self, path: Keys) -> None:
        if path in self._written.overridden_by:
            return
        file = self._folder / self._written.file
        if file.is_file() and file.stat().st_mode & stat.S_IROTH:
            what = f"`{path[-1]}` is in a file that every user of this machine can read"
            self.warnings.append(
                self._written.fault_at_path(path, what, f"`{path[-1]}_file`, or `chmod 600 {file}`")
            )

    def _fault(self, key: Keys, what: str, expected: str) -> None:
        self.faults.append(self._written.fault_at_path(key, what, expected))


def _first_bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_SECRET_BYTES + 1)
