"""Every regular expression of the service, and how each is used.

Patterns compiled at import are recorded during the import. Patterns that a function compiles or uses are
found in its source; where they are not literals, `MADE` explains them.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

SERVICE = Path(__file__).parents[2] / "service"
FUNCTIONS = ("compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
ANCHORED = {"match", "fullmatch"}
"""These match at one position only; the other functions try every position."""

MADE: Mapping[str, str] = {
    "service.text.word_lists:load_ordered_patterns": "the lines of the word lists, each attacked below",
    "service.gather.formats.split_items:__init__": "a literal name between literals",
    "service.gather.pages.walls:__init__": "literal words, matched at one position",
    "service.gather.boilerplate:compiled": "called while modules are loaded, so recorded",
    "service.settings.yaml.document:_syntax_fault": "the operator's own file, one sentence of its parser",
}
"""The functions whose patterns are not literal, and why each is harmless or where it is attacked."""

HANDED_ON = {"_BEFORE", "_NAME", "_SUBSET"}
"""Patterns that a function of their module gets as an argument and matches at one position."""

WORD_LISTS: Mapping[str, str] = {
    "inbound_mail.txt": "service.bounces",
    "reply_patterns.txt": "service.deliver.channels.smtp",
}
"""The lists of patterns and their packages."""

LIMITS: Mapping[str, int] = {
    "_TAIL": 120,  # markup._without_tail searches the end of a paragraph
    "_CUT": 160,  # teasers.is_truncated searches the end of an entry
    "_NUMBER_BEFORE": 60,  # raised_text.MAX_CONTEXT_CHARACTERS
    "_WORD_BEFORE": 60,
    "_DATE_TOKEN": 2_200,  # grammar.MAX_CHARACTERS, times 18: the most that NFKC makes of a character
    "_QUESTION_END": 12,  # questions.MAX_MARKS
    "_META_CHARSET": 4_096,  # full_text.CHARSET_BYTES
    "NUMBER_RANGE": 200,  # lines of our own help texts
    "inbound_mail.txt": 50_000,  # inbound_mail.MAX_TEXT_CHARACTERS
    "reply_patterns.txt": 20_000,  # reply_patterns.MAX_TEXT_CHARACTERS
    "_LANGUAGE_RANGE": 500,  # page_text
    "RECIPIENTS_HEADING": 6_000,  # heuristics.MAX_REPORT_CHARACTERS
    "ADDRESS_ON_ITS_OWN_LINE": 6_000,
    "LABELLED_ADDRESS": 6_000,
}
"""Maximum length of the text of a pattern, because the code that uses it cuts the text there."""


@dataclass(frozen=True)
class Use:
    """A pattern, whether it is tried at one position alone, and the maximum length of its text."""

    pattern: re.Pattern[Any]
    anchored: bool = False
    limit: int | None = None


def every_pattern() -> dict[str, Use]:
    """Return the uses by place: a module, with a name or line. The service must not be loaded yet."""
    found = {**_recorded(), **_in_functions()[0]}
    for file in WORD_LISTS:
        found |= {f"{file}:{number}": Use(line, limit=LIMITS[file]) for number, line in _lines(file)}
    return found


def unexplained() -> set[str]:
    """Return the functions that make patterns and are not in `MADE`, and those in `MADE` that are gone."""
    return _in_functions()[1] ^ set(MADE)


def _recorded() -> dict[str, Use]:
    """Import every module of the service and return the patterns that are compiled while it is loaded."""
    assert not [name for name in sys.modules if name.startswith("service.")]
    compiled: list[tuple[str, re.Pattern[Any]]] = []

    def recorder(function: Callable[..., Any]) -> Callable[..., Any]:
        def record(pattern: Any, *args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            module = str(frame.f_globals.get("__name__", ""))
            result = function(pattern, *args, **kwargs)
            if module.startswith("service.") and isinstance(result, re.Pattern):
                compiled.append((f"{module}:{frame.f_lineno}", result))
            return result

        return record

    originals = {name: getattr(re, name) for name in FUNCTIONS}
    for name, function in originals.items():
        setattr(re, name, recorder(function))
    try:
        service = importlib.import_module("service")
        for module in pkgutil.walk_packages(service.__path__, "service."):
            if not module.name.endswith("__main__") and "migrations" not in module.name:
                importlib.import_module(module.name)
    finally:
        for name, function in originals.items():
            setattr(re, name, function)
    names, methods = _names(), _methods()
    return {
        f"{place} {names.get(id(pattern), '')}": _use(names.get(id(pattern), ""), pattern, methods)
        for place, pattern in compiled
        if not place.startswith("service.text.word_lists:")  # attacked line by line
    }


def _names() -> dict[int, str]:
    """Return the names of the patterns in their modules."""
    return {
        id(value): name
        for module in [module for key, module in sys.modules.items() if key.startswith("service.")]
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


def _methods() -> dict[str, set[str]]:
    """Return the methods that the service calls on each name."""
    found: dict[str, set[str]] = {}
    for path in SERVICE.rglob("*.py"):
        for name, method in re.findall(r"\b(\w+)\.(\w+)\(", path.read_text("utf-8")):
            found.setdefault(name, set()).add(method)
    return found


def _use(name: str, pattern: re.Pattern[Any], methods: Mapping[str, set[str]]) -> Use:
    called = methods.get(name, set())
    anchored = name in HANDED_ON or (bool(called) and called <= ANCHORED)
    return Use(pattern, anchored, LIMITS.get(name))


def _in_functions() -> tuple[dict[str, Use], set[str]]:
    """Return the literal patterns that functions use, and the functions whose patterns are made."""
    found: dict[str, Use] = {}
    made: set[str] = set()
    for path in sorted(SERVICE.rglob("*.py")):
        module = ".".join(path.relative_to(SERVICE.parent).with_suffix("").parts)
        for function, call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call.args[0], ast.Constant):
                pattern = re.compile(call.args[0].value, _flags(call))
                found[f"{module}:{call.lineno}"] = Use(pattern, _called(call) in ANCHORED)
            else:
                made.add(f"{module}:{function}")
    return found, made


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of re's functions inside functions, each with the name of the function around it."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _called(node) in FUNCTIONS:
                    yield function.name, node


def _called(call: ast.Call) -> str:
    """Return which of re's functions is called; empty for another function."""
    what = call.func
    named = isinstance(what, ast.Attribute) and isinstance(what.value, ast.Name) and what.value.id == "re"
    return what.attr if named and isinstance(what, ast.Attribute) else ""


def _flags(call: ast.Call) -> re.RegexFlag:
    flags = re.NOFLAG
    for node in [*call.args[1:], *(keyword.value for keyword in call.keywords)]:
        for name in ast.walk(node):
            known = isinstance(name, ast.Attribute) and name.attr in re.RegexFlag.__members__
            flags |= re.RegexFlag[name.attr] if isinstance(name, ast.Attribute) and known else re.NOFLAG
    return flags


def _lines(file: str) -> Iterator[tuple[int, re.Pattern[str]]]:
    """Yield the expressions of a word list, with its shorthand written out."""
    shorthand = importlib.import_module("service.deliver.channels.smtp.reply_patterns").SHORTHAND
    for number, text in enumerate((files(WORD_LISTS[file]) / file).read_text("utf-8").splitlines(), 1):
        if text and text[0] not in "#[":
            line = text
            for short, long in shorthand.items():
                line = line.replace(short, long)
            yield number, re.compile(line, re.IGNORECASE | re.MULTILINE)
