"""Load (EDGE config/ and the environment): a folder of YAML files -> Settings and Roster, or every fault.

read       the four files, as plain values that know where they stand
override   what the environment says otherwise
check      each value by itself, then what must fit together
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from service.core.errors import ConfigError, Fault
from service.settings.build import Builder
from service.settings.config_files import FILES
from service.settings.environment import override
from service.settings.errors import explain
from service.settings.main_file import CaveatFile
from service.settings.roster import RosterReader
from service.settings.secret_files import SecretReader
from service.settings.show import effective
from service.settings.values import Loaded
from service.settings.yaml_source import Written, read_yaml

LARGEST_FILE = 64 * 1024 * 1024
MAIN = "caveat.yaml"


def load_settings(
    folder: Path,
    environ: Mapping[str, str],
    *,
    tolerant: bool = False,
    instead: Mapping[str, bytes] | None = None,
) -> Loaded:
    """Return what the folder and the environment say.

    `tolerant` skips a feed or subscriber with a fault by name, as a warning; other faults count all the
    same. `instead` holds content to take for a file in the place of what it holds. Raises ConfigError with
    every fault there is.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ConfigError(
            [Fault(str(folder), 0, 0, "there is no such folder", "one that `caveat config init` made")]
        )
    written = {name: _written(folder, name, (instead or {}).get(name)) for name in FILES}
    faults = [fault for file in written.values() for fault in file.faults]
    variable_faults, warnings = override(written[MAIN], environ)
    faults += variable_faults
    secrets = SecretReader(folder, written[MAIN])
    builder = Builder(folder, written[MAIN], secrets.read())
    file = _main(written[MAIN], faults)
    settings = builder.build(file) if file else None
    reader = RosterReader(folder, written, tolerant=tolerant)
    roster = reader.read()
    faults += [*secrets.faults, *builder.faults, *reader.faults]
    if faults or settings is None or file is None:
        raise ConfigError(_in_order(faults))
    return Loaded(
        settings,
        roster,
        warnings=_in_order([*warnings, *secrets.warnings, *builder.warnings, *reader.warnings]),
        effective=effective(file, written[MAIN], settings.storage_shown),
    )


def _written(folder: Path, name: str, instead: bytes | None) -> Written:
    if instead is not None:
        return read_yaml(name, instead)
    path, unread = folder / name, Written(name)
    try:
        if path.stat().st_size <= LARGEST_FILE:
            return read_yaml(name, path.read_bytes())
        unread.faults.append(Fault(name, 0, 0, "the file is too large", "one of at most 64 MB"))
    except FileNotFoundError:
        unread.faults.append(Fault(name, 0, 0, f"the file is missing in {folder}", _least(name)))
    except OSError as error:
        unread.faults.append(Fault(name, 0, 0, f"the file cannot be read: {error.strerror}"))
    return unread


def _least(name: str) -> str:
    """Return what a file must hold at least."""
    key = name.removesuffix(".yaml")
    return "one with `site`" if name == MAIN else f"one with `{key}: []` if there are none"


def _main(written: Written, faults: list[Fault]) -> CaveatFile | None:
    if written.unreadable:
        return None
    try:
        return CaveatFile.model_validate(written.content if written.content is not None else {})
    except ValidationError as error:
        faults += explain(error, CaveatFile, written, ())
        return None


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """Return the faults as they are met when the files are read from top to bottom."""
    files = list(FILES)
    return tuple(
        sorted(faults, key=lambda f: (files.index(f.file) if f.file in files else -1, f.line, f.column))
    )
