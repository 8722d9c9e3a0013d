"""YAML document: the plain values of a file, each with its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from service.core.errors import Fault

KeyPath = tuple[str | int, ...]
"""The path of a value: keys and list indices from the root."""

MAX_DEPTH, MAX_VALUES = 20, 2_000_000
TAG_PREFIX = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")


@dataclass(slots=True)
class YamlDocument:
    """The content of a file. Positions are line and column, from 1.

    `overridden_by` names the environment variable that replaced the value at a path.
    """

    file: str
    content: Any = None
    key_positions: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    value_positions: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    overridden_by: dict[KeyPath, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_unreadable(self) -> bool:
        """Whether the file has faults and no content, so that missing keys are no further faults."""
        return self.content is None and bool(self.faults)

    def text_at(self, path: KeyPath) -> str:
        """Return the text at that path, empty if there is none."""
        found = self.content
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""

    def fault_at_path(self, path: KeyPath, what: str, expected: str = "", *, key: bool = False) -> Fault:
        """Return a fault at the value, or at its key with `key`; else at the nearest block around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.overridden_by:
                return Fault(self.overridden_by[path[:length]], 0, 0, what, expected)
        if key and path in self.key_positions:
            return Fault(self.file, *self.key_positions[path], what, expected)
        while path and path not in self.value_positions:
            path = path[:-1]
        return Fault(self.file, *self.value_positions.get(path, (1, 1)), what, expected)

    def origin(self, path: KeyPath) -> str:
        """Return the origin of a value: the environment variable, `caveat.yaml:3`, or `default`."""
        if path in self.overridden_by:
            return self.overridden_by[path]
        return f"{self.file}:{self.value_positions[path][0]}" if path in self.value_positions else "default"

    def fault_at_position(self, at: tuple[int, int], what: str, expected: str = "") -> Fault:
        """Return a fault at that line and column of this file."""
        return Fault(self.file, *at, what, expected)


def read_yaml(file: str, data: bytes) -> YamlDocument:
    """Return the document; for a file that is not YAML in UTF-8, `content` is None and `faults` say why."""
    written = YamlDocument(file)
    text = _decoded(written, data)
    if text is None:
        return written
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        written.faults.append(_syntax_fault(written, error, text))
        return written
    except ReaderError as error:
        at = _position_in(text, error.position)
        written.faults.append(
            written.fault_at_position(at, f"the character U+{error.character:04X}", "printable text")
        )
        return written
    except RecursionError:
        written.faults.append(
            written.fault_at_position((1, 1), "the lists are nested too deeply", "plain lists")
        )
        return written
    if node is not None:
        written.content = _Walk(written).value(node, ())
    return written


def _decoded(written: YamlDocument, data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            written.faults.append(
                written.fault_at_position((1, 1), "the file is in UTF-16", "UTF-8; save it as that")
            )
            return None
        at = _position_in(data[: error.start].decode("utf-8", "replace"), error.start)
        what = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        written.faults.append(written.fault_at_position(at, what, "a file saved as UTF-8"))
        return None


def _position_in(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Walk:
    """Turns YAML nodes into values; records their positions and faults in the document."""

    def __init__(self, written: YamlDocument) -> None:
        self.written, self.count = written, 0

    def value(self, node: Node, path: KeyPath) -> Any:  # noqa: ANN401 - any YAML
        """Return the node's value."""
        self.written.value_positions[path] = at = _position(node)
        self.count += 1
        if len(path) > MAX_DEPTH or self.count > MAX_VALUES:
            if not self.written.faults:
                self._wrong(at, "too many or too deeply nested values", "a plain file without nested anchors")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in self._pairs(node):
            name = key.value if isinstance(key, ScalarNode) else None
            at = _position(key)
            if name is None:
                self._wrong(at, "a key that is not a word", "a key such as `name`")
                continue
            here = (*path, name)
            if name in found:
                self._wrong(
                    at,
                    f"`{name}` is set twice, first in line {self.written.key_positions[here][0]}",
                    "it once",
                )
                continue
            self.written.key_positions[here] = at
            found[name] = self.value(value, here)
        return found

    def _pairs(self, node: MappingNode) -> Iterator[tuple[Node, Node]]:
        """Yield the mapping's own pairs, then the pairs merged by `<<` whose keys it does not have."""
        own = [(key, value) for key, value in node.value if str(key.tag) != TAG_PREFIX + "merge"]
        yield from own
        names = {key.value for key, _ in own if isinstance(key, ScalarNode)}
        for key, merged in (
            (key, value) for key, value in node.value if str(key.tag) == TAG_PREFIX + "merge"
        ):
            for source in merged.value if isinstance(merged, SequenceNode) else [merged]:
                if source is node or not isinstance(source, MappingNode):
                    self._wrong(_position(key), "`<<` without a block to merge", "an alias such as *name")
                    continue
                for inner, value in source.value:
                    if inner.value not in names and str(inner.tag) != TAG_PREFIX + "merge":
                        names.add(inner.value)
                        yield inner, value

    def _scalar(self, node: Node, at: tuple[int, int]) -> Any:  # noqa: ANN401 - any scalar
        tag, text = str(node.tag), str(node.value)
        if tag == TAG_PREFIX + "null":
            return None
        if tag == TAG_PREFIX + "bool":
            return text.lower() == "true"
        if tag == TAG_PREFIX + "int" and _INTEGER.fullmatch(text) and len(text) < 300:
            return int(text.replace("_", ""))
        if tag == TAG_PREFIX + "float":
            return _float(text)
        # A date or an octal number stays text; a field that expects a number reports it.
        if not tag.startswith(TAG_PREFIX) or "python" in tag:
            self._wrong(at, f"the tag {tag.removeprefix(TAG_PREFIX)!r}", "a plain value")
        return text

    def _wrong(self, at: tuple[int, int], what: str, expected: str) -> None:
        self.written.faults.append(self.written.fault_at_position(at, what, expected))


def _float(text: str) -> float | str:
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return text


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


_SYNTAX = (
    (r"character '\\t'", "a tab", "spaces: YAML does not allow tabs for indenting"),
    (
        r"mapping values are not allowed",
        "a second `: ` in one value",
        "quotes around a value that holds `: `",
    ),
    (r"expected ',' or '([\]}])'", r"a `[` or `{` that is not closed", r"`,` or `\1`"),
    (r"unexpected end of stream", "a quotation mark that is not closed", "the closing mark"),
    (r"undefined alias", "an alias `*name` without its anchor `&name`", "quotes if it is plain text"),
    (r"another document", "a second document (`---`)", "one document in the file"),
    (r"character '(.)' that cannot start", r"a value that starts with `\1`", "quotes around it"),
    (r"unknown escape character '(.)'", r"`\\\1` within double quotes", "single quotes around the value"),
    (r"could not find expected ':'", "a line without `: `", "`key: value`"),
    (
        r"expected <block end>, but found '-'",
        "a list item that is not indented like the others",
        "one indent",
    ),
    (r"expected <block end>", "a line that is not indented like its neighbours", "one indent for one block"),
)


def _syntax_fault(written: YamlDocument, error: MarkedYAMLError, text: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = str(error.problem or error.context or "this is not YAML").strip()
    lines = text.splitlines()
    # The parser reports a tab in the indent late, or as another problem.
    if at[0] <= len(lines) and "\t" in (line := lines[at[0] - 1])[: len(line) - len(line.lstrip())]:
        problem, at = "character '\\t'", (at[0], line.index("\t") + 1)
    for pattern, what, expected in _SYNTAX:
        if match := re.search(pattern, problem):
            return written.fault_at_position(at, match.expand(what), match.expand(expected))
    return written.fault_at_position(at, f"not valid YAML: {problem}", "a YAML file")
