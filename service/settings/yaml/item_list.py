"""Item list: a YAML file with one list, edited item by item without touching other lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from service.settings.yaml.item_keys import set_keys

MAX_LINE_WIDTH, MAX_INLINE_KEYS, DASH_INDENT = 4096, 5, 2


class YamlList:
    """The list `key` of a valid file. Each edit returns the new text and does not change this object.

    `order` are the keys of an item in the order in which new ones are written.
    """

    def __init__(self, key: str, text: str, order: Sequence[str] = ()) -> None:
        self._key, self._text, self._order = key, text, order
        self._ending = "\r\n" if "\r\n" in text else "\n"
        self._lines = text.splitlines(keepends=True)
        root = YAML(typ="safe", pure=True).compose(text)
        found = [value for name, value in root.value if name.value == key]
        self._node: SequenceNode = found[0]
        self.values: list[Any] = YAML(typ="safe", pure=True).load(text)[key]

    def append(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """Return the text with the entries after the last item, in the style of that item."""
        if self._node.flow_style or not self._node.value:
            return self._rewritten(lambda items: items.extend(_flowing(entry) for entry in entries))
        last = self._node.value[-1]
        flow = bool(last.flow_style) and all(len(entry) <= MAX_INLINE_KEYS for entry in entries)
        new = [line for entry in entries for line in self._written(entry, flow=flow)]
        at = _last_line(last) + 1
        before = self._lines[:at]
        if before and not before[-1].endswith(("\n", "\r")):
            before[-1] += self._ending
        return "".join([*before, *new, *self._lines[at:]])

    def remove(self, index: int) -> str:
        """Return the text without the item; comments around it stay."""
        if self._node.flow_style or len(self._node.value) == 1:
            return self._rewritten(lambda items: items.pop(index))
        first, last = self._span(index)
        return "".join(self._lines[:first] + self._lines[last + 1 :])

    def update(self, index: int, changes: Mapping[str, Any]) -> str:
        """Return the text with keys of the item set; a value of None removes the key.

        Where anchors forbid to change the characters of those keys alone, the item is written anew.
        """
        if (text := self._with_keys(index, changes)) is not None:
            return text
        if self._node.flow_style:
            return self._rewritten(lambda items: _set(items[index], changes))
        first, last = self._span(index)
        yaml = _round_trip(self._indent)
        try:
            items = yaml.load("".join(self._lines[first : last + 1]))
        except YAMLError:  # the item uses an anchor from elsewhere in the file
            return self._rewritten(lambda items: _set(items[index], changes))
        _set(items[0], changes)
        return "".join([*self._lines[:first], *self._dumped(yaml, items), *self._lines[last + 1 :]])

    def _with_keys(self, index: int, changes: Mapping[str, Any]) -> str | None:
        """Return the text with only the characters of those keys changed; None if that cannot be."""
        node, expected = self._node.value[index], dict(self.values[index])
        if not isinstance(node, MappingNode):
            return None
        text = set_keys(self._text, node, changes, self._order)
        expected.update(changes)
        wanted = {name: value for name, value in expected.items() if value is not None or name not in changes}
        try:
            found = YAML(typ="safe", pure=True).load(text)[self._key]
        except YAMLError:  # such as an alias whose anchor is gone
            return None
        others = [*self.values[:index], *self.values[index + 1 :]]
        is_right = found[index] == wanted and [*found[:index], *found[index + 1 :]] == others
        return text if is_right else None

    @property
    def _indent(self) -> int:
        """The column of the dashes."""
        line = self._lines[self._span(0)[0]]
        return len(line) - len(line.lstrip())

    def _span(self, index: int) -> tuple[int, int]:
        """Return the first and last line of an item, from 0."""
        node = self._node.value[index]
        first = node.start_mark.line
        # The content may start below its dash, after a comment or an anchor.
        while not self._lines[first].lstrip().startswith("-"):
            first -= 1
        return first, _last_line(node)

    def _written(self, entry: Mapping[str, Any], *, flow: bool) -> list[str]:
        item = _flowing(entry) if flow else CommentedMap(entry)
        return self._dumped(_round_trip(self._indent), CommentedSeq([item]))

    def _dumped(self, yaml: YAML, items: Any) -> list[str]:  # noqa: ANN401 - ruamel's own types
        stream = StringIO()
        yaml.dump(items, stream)
        return [line.rstrip() + self._ending for line in stream.getvalue().splitlines()]

    def _rewritten(self, alter: Any) -> str:  # noqa: ANN401 - a function of ruamel's list
        """Return the whole file, altered and reformatted, for lists that do not have a line for each item."""
        yaml = _round_trip(DASH_INDENT)
        content = yaml.load(self._text)
        alter(content[self._key])
        if content[self._key] and not self._node.value:
            content[self._key].fa.set_block_style()
        stream = StringIO(newline="")
        yaml.dump(content, stream)
        return stream.getvalue().replace("\n", self._ending)


def _round_trip(dash: int) -> YAML:
    """Return a YAML reader and writer that keeps comments and quotes; `dash` is the column of dashes."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = MAX_LINE_WIDTH
    yaml.indent(mapping=2, sequence=2 + dash, offset=dash)
    return yaml


def _last_line(node: Node) -> int:
    """Return the last line of an item, without comments after it."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return max(_last_line(part) for part in node.value)
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)


def _flowing(entry: Mapping[str, Any]) -> CommentedMap:
    item = CommentedMap(entry)
    item.fa.set_flow_style()
    return item


def _set(item: CommentedMap, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            item.pop(key, None)
        else:
            item[key] = value
