"""Keys of one mapping in a YAML text: set or removed by replacing their characters; all others stay (pure).

A value that changes keeps its quotation marks, its list style, and the comment behind it. A new key comes
after the keys that it follows in the order of the model. A removed key takes the comment on its line along.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

UNLIMITED_WIDTH = 1 << 24  # characters; ruamel would otherwise fold a long value
_ALIAS = re.compile(r"\s*:\s*(\*[^\s,\]}]+)")
_LINE_END = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"[ \t]*#[^\r\n]*")
_SPACES_BEFORE_COMMENT = re.compile(r" {2,}(?=#)")
_HEADER_COMMENT = re.compile(r"(?<![ \t])[ \t]+#.*")
_FOLDED = ("|", ">")  # the styles of a text of several lines
_QUOTED = {"'": SingleQuotedScalarString, '"': DoubleQuotedScalarString}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A key of the mapping and the places of its characters. `alias`: the value is an alias."""

    key: Node
    value: Node
    key_start: int
    start: int
    end: int
    alias: bool


def set_keys(text: str, node: MappingNode, changes: Mapping[str, Any], order: Sequence[str] = ()) -> str:
    """Return the text with keys of the mapping set; a value of None removes the key.

    `order` is the order of the keys in the model. The caller checks the result: a removed anchor, for
    example, can make it invalid.
    """
    pairs = {str(key.value): _pair(text, key, value) for key, value in node.value if _is_plain_key(key)}
    gone = {name for name in pairs if name in changes and changes[name] is None}
    kept = {name: pair for name, pair in pairs.items() if name not in gone}
    removals = (
        _flow_removals(pairs, gone) if node.flow_style else [_removal(text, pairs[one]) for one in gone]
    )
    edits = [
        _with_aligned_comment(text, _edit(text, pair, changes[name]))
        for name, pair in kept.items()
        if name in changes
    ]
    added: dict[int, str] = {}
    for name in sorted(changes, key=lambda key: order.index(key) if key in order else len(order)):
        if name not in pairs and changes[name] is not None:
            place = _place(text, node, _predecessor(kept, name, order))
            added[place] = added.get(place, "") + _new_pair(text, node, name, changes[name])
    # From the end to the start, so that earlier places stay right; at one place, what comes last goes first.
    additions = [(place, place, _on_own_lines(text, node, place, new)) for place, new in added.items()]
    for start, end, new in sorted([*additions, *edits, *removals], key=lambda edit: edit[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _is_plain_key(key: Node) -> bool:
    return isinstance(key, ScalarNode) and not str(key.tag).endswith(":merge")


def _pair(text: str, key: Node, value: Node) -> _Pair:
    key_end = key.end_mark.index
    if value.start_mark.index < key_end:  # the marks of an alias are those of its anchor, further above
        found = _ALIAS.match(text, key_end)
        start, end = found.span(1) if found else (key_end, key_end)
        return _Pair(key, value, key.start_mark.index, start, end, alias=True)
    start, end = value.start_mark.index, _end(text, value)
    if start >= end:  # an empty value, whose mark can be that of the next key
        start = end = text.index(":", key_end) + 1
    return _Pair(key, value, key.start_mark.index, start, end, alias=False)


def _end(text: str, node: Node) -> int:
    """Return the end of a node's own characters: a block ends with its last value."""
    if isinstance(node, MappingNode | SequenceNode) and node.value and not node.flow_style:
        is_list = isinstance(node, SequenceNode)
        parts: list[Node] = node.value if is_list else [one for pair in node.value for one in pair]
        return max(_end(text, part) for part in parts)
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return start + len(text[start:end].rstrip())


def _edit(text: str, pair: _Pair, value: Any) -> tuple[int, int, str]:  # noqa: ANN401 - any value
    """Return the replacement of a value, in its present style."""
    old, ending = pair.value, _line_ending(text)
    if pair.start == pair.end:  # an empty value
        return pair.start, pair.end, f" {_flow(value)}"
    if isinstance(old, SequenceNode) and not old.flow_style and not pair.alias and isinstance(value, list):
        indent = " " * old.start_mark.column
        if value:
            lines = [f"- {_flow(_styled(one, _style_of(old, one)))}" for one in value]
            return pair.start, pair.end, f"{ending}{indent}".join(lines)
    if old.start_mark.line > pair.key.end_mark.line and not pair.alias:  # its block begins on the next line
        return text.index(":", pair.key.end_mark.index) + 1, pair.end, f" {_flow(value)}"
    if isinstance(old, SequenceNode) and isinstance(value, list) and not pair.alias:
        return pair.start, pair.end, _flow([_styled(one, _style_of(old, one)) for one in value])
    style = old.style if isinstance(old, ScalarNode) and not pair.alias else None
    if style in _FOLDED:  # its first line can have a comment
        header = _HEADER_COMMENT.search(text[pair.start : pair.end].splitlines()[0])
        return pair.start, pair.end, _flow(value) + (header[0] if header else "")
    return pair.start, pair.end, _flow(_styled(value, style))


def _with_aligned_comment(text: str, edit: tuple[int, int, str]) -> tuple[int, int, str]:
    """Return the edit with the spaces before a comment, which stays in its column if others align with it."""
    start, end, new = edit
    spaces = _SPACES_BEFORE_COMMENT.match(text, end)
    if spaces is None or "\n" in text[start:end] or "\n" in new:
        return edit
    width = len(text[start : spaces.end()]) - len(new)
    return start, spaces.end(), new + " " * max(width, 1)


def _style_of(old: SequenceNode, value: object) -> str | None:
    """Return the quotation marks of an equal item, else those of the first one."""
    items = [item for item in old.value if isinstance(item, ScalarNode)]
    same = [item for item in items if item.value == value] or items[:1]
    return same[0].style if same else None


def _removal(text: str, pair: _Pair) -> tuple[int, int, str]:
    """Return the removal of a key of a block, with its lines and the comment behind its value."""
    line_start = max(text.rfind("\n", 0, pair.key_start), text.rfind("\r", 0, pair.key_start)) + 1
    if text[line_start : pair.key_start].strip():  # the key stands behind the dash, which stays
        return pair.key_start, pair.end, ""
    return line_start, _line_end(text, pair.end), ""


def _flow_removals(pairs: Mapping[str, _Pair], gone: Collection[str]) -> list[tuple[int, int, str]]:
    """Return the removals of keys between braces, each with one comma."""
    listed, found = list(pairs.items()), []
    kept_before: _Pair | None = None
    for number, (name, pair) in enumerate(listed):
        if name not in gone:
            kept_before = pair
        elif kept_before is not None:
            found.append((listed[number - 1][1].end, pair.end, ""))
        else:
            after = listed[number + 1][1].key_start if number + 1 < len(listed) else pair.end
            found.append((pair.key_start, after, ""))
    return found


def _predecessor(pairs: Mapping[str, _Pair], name: str, order: Sequence[str]) -> _Pair | None:
    """Return the last key of the text that the model has before the new one; without such, the last key."""
    before = order[: order.index(name)] if name in order else ()
    earlier = [pair for key, pair in pairs.items() if key in before]
    return max(earlier or list(pairs.values()), key=lambda pair: pair.end, default=None)


def _place(text: str, node: MappingNode, after: _Pair | None) -> int:
    """Return where a new pair is written."""
    if after is None:
        return int(node.start_mark.index) + 1  # behind the opening brace of {}
    if node.flow_style:
        return after.end
    return _line_end(text, after.end)


def _new_pair(text: str, node: MappingNode, name: str, value: Any) -> str:  # noqa: ANN401 - any value
    key = _flow(name)
    if node.flow_style:
        quoted = bool(node.value) and node.value[0][0].style == '"'  # as in JSON
        key = f'"{name}"' if quoted else key
        return f"{', ' if node.value else ''}{key}: {_flow(_styled(value, chr(34)) if quoted else value)}"
    ending = _line_ending(text)
    return f"{' ' * node.start_mark.column}{key}: {_flow(value)}{ending}"


def _on_own_lines(text: str, node: MappingNode, place: int, new: str) -> str:
    """Return new lines with the line ending that the file lacks at its end."""
    if node.flow_style or text[:place].endswith(("\n", "\r")):
        return new
    ending = _line_ending(text)
    return ending + new.removesuffix(ending)


def _line_end(text: str, at: int) -> int:
    """Return the place after the line on which a value ends at `at`, perhaps before a comment."""
    comment = _COMMENT.match(text, at)
    found = _LINE_END.search(text, comment.end() if comment else at)
    return found.end() if found else len(text)


def _line_ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _styled(value: Any, style: str | None) -> Any:  # noqa: ANN401 - any value
    """Return a text with the quotation marks of the earlier one, and with none if that had none."""
    if isinstance(value, str) and style in _QUOTED:
        return _QUOTED[style](value)
    if isinstance(value, list):
        return [_styled(one, style) for one in value]
    return value


def _flow(value: Any) -> str:  # noqa: ANN401 - any value
    """Return a value as YAML on one line, safe within brackets and outside of them."""
    yaml = YAML(typ="rt")
    yaml.width = UNLIMITED_WIDTH
    yaml.allow_unicode = True
    stream = StringIO()
    yaml.dump(_flowing_value([value]), stream)
    return stream.getvalue().strip()[1:-1]


def _flowing_value(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return lists and mappings as ruamel's own, between brackets."""
    if isinstance(value, Mapping):
        block = CommentedMap({key: _flowing_value(one) for key, one in value.items()})
        block.fa.set_flow_style()
        return block
    if isinstance(value, list | tuple):
        items = CommentedSeq([_flowing_value(one) for one in value])
        items.fa.set_flow_style()
        return items
    if type(value) is str and not value[:1].isalnum():  # ruamel writes `?x` plain, and refuses to read it
        return SingleQuotedScalarString(value)
    return value
