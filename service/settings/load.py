"""Load (EDGE config/ and the environment): a folder of YAML files -> Settings and Roster, or all faults.

read       the four files, as plain values with their positions
override   keys of caveat.yaml by environment variables
check      each value by itself, then values that depend on one another
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from service.core.errors import ConfigError, Fault
from service.settings.build import SettingsBuilder
from service.settings.config_files import CONFIG_FILES
from service.settings.environment import apply_environment
from service.settings.errors import faults_from
from service.settings.main_file import MainConfig
from service.settings.roster import RosterReader
from service.settings.secret_files import SecretReader
from service.settings.show import effective_settings
from service.settings.values import LoadedConfig
from service.settings.yaml.document import YamlDocument, read_yaml

MAX_FILE_BYTES = 64 * 1024 * 1024
MAIN_FILE = "caveat.yaml"


def load_config(
    folder: Path,
    environ: Mapping[str, str],
    *,
    tolerant: bool = False,
    replacements: Mapping[str, bytes] | None = None,
) -> LoadedConfig:
    """Return the configuration of the folder, overridden by the environment variables `environ`.

    `tolerant` skips each feed or subscriber with a fault and names it in a warning; faults elsewhere still
    count. `replacements` is file content by file name, used instead of the file on disk. Raises ConfigError
    with all faults.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ConfigError(
            [Fault(str(folder), 0, 0, "there is no such folder", "one that `caveat config init` made")]
        )
    written = {name: _written(folder, name, (replacements or {}).get(name)) for name in CONFIG_FILES}
    faults = [fault for file in written.values() for fault in file.faults]
    variable_faults, warnings = apply_environment(written[MAIN_FILE], environ)
    faults += variable_faults
    secrets = SecretReader(folder, written[MAIN_FILE])
    builder = SettingsBuilder(folder, written[MAIN_FILE], secrets.read())
    file = _main(written[MAIN_FILE], faults)
    settings = builder.build(file) if file else None
    reader = RosterReader(folder, written, tolerant=tolerant)
    roster = reader.read()
    faults += [*secrets.faults, *builder.faults, *reader.faults]
    if faults or settings is None or file is None:
        raise ConfigError(_in_order(faults))
    return LoadedConfig(
        settings,
        roster,
        warnings=_in_order([*warnings, *secrets.warnings, *builder.warnings, *reader.warnings]),
        effective=effective_settings(file, written[MAIN_FILE], settings.storage_shown),
    )


def _written(folder: Path, name: str, replacement: bytes | None) -> YamlDocument:
    if replacement is not None:
        return read_yaml(name, replacement)
    path, unread = folder / name, YamlDocument(name)
    try:
        if path.stat().st_size <= MAX_FILE_BYTES:
            return read_yaml(name, path.read_bytes())
        unread.faults.append(Fault(name, 0, 0, "the file is too large", "one of at most 64 MB"))
    except FileNotFoundError:
        unread.faults.append(Fault(name, 0, 0, f"the file is missing in {folder}", _minimal_content(name)))
    except OSError as error:
        unread.faults.append(Fault(name, 0, 0, f"the file cannot be read: {error.strerror}"))
    return unread


def _minimal_content(name: str) -> str:
    """Return the expected minimum of a file, for its fault."""
    key = name.removesuffix(".yaml")
    return "one with `site`" if name == MAIN_FILE else f"one with `{key}: []` if there are none"


def _main(written: YamlDocument, faults: list[Fault]) -> MainConfig | None:
    if written.is_unreadable:
        return None
    try:
        return MainConfig.model_validate(written.content if written.content is not None else {})
    except ValidationError as error:
        faults += faults_from(error, MainConfig, written, ())
        return None


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """Return the faults by file, line and column; those of the environment come first."""
    files = list(CONFIG_FILES)
    return tuple(
        sorted(faults, key=lambda f: (files.index(f.file) if f.file in files else -1, f.line, f.column))
    )
