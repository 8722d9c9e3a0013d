"""The house rules of ARCHITECTURE.md, kept by reading every module's syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "service"
MODULES = {
    path.relative_to(HOUSE).with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(HOUSE.rglob("*.py"))
    if "sample" not in path.parts
}

COLUMNS = ("gather", "condense", "compose", "deliver", "people")
DOORS = ("cli", "web")
MAY_IMPORT = {
    "core": {"core"},
    **{column: {"core", column} for column in COLUMNS},
    "store": {"core", "store"},
    "assets": {"core"},
    "settings": {"core", "settings", "assets"},
    "dispatch": {"core"},
    "scheduler": {"core"},
    "wiring": {"core", "settings", "assets", "dispatch", "scheduler", "store", "web", "wiring", *COLUMNS},
    **{door: {"core", "settings", "assets", "wiring", door} for door in DOORS},
    "__main__": {"cli"},
    "__init__": set(),
}

LIBRARIES = {
    "aiohttp": {"gather/fetch"},
    "aiosmtplib": {"deliver/smtp"},
    "alembic": {"store"},
    "apscheduler": {"scheduler"},
    "asyncpg": {"dispatch", "store"},
    "babel": {"compose/wording"},
    "charset_normalizer": {"gather/charset"},
    "cryptography": {"deliver/dkim"},
    "css_inline": {"compose/render"},
    "email_validator": {"settings", "people"},
    "feedparser": {"gather/rss_atom"},
    "flufl": {"deliver/bounces"},
    "idna": {"deliver/headers"},
    "imap_tools": {"deliver/mailbox"},
    "jinja2": {"compose/render", "web"},
    "markupsafe": {"compose/render", "web"},
    "nh3": {"gather/clean"},
    "numpy": {"condense"},
    "pgqueuer": {"dispatch"},
    "protego": {"gather/robots"},
    "py3langid": {"gather/language"},
    "prometheus_client": {"deliver/metrics", "web/vitals"},
    "pydantic": {"settings"},
    "pydantic_core": {"settings"},
    "rich": {"cli"},
    "ruamel": {"settings"},
    "sqlalchemy": {"store"},
    "starlette": {"web"},
    "structlog": {"dispatch", "wiring"},
    "sumy": {"condense/sumy_methods"},
    "trafilatura": {"gather/page"},
    "typer": {"cli"},
    "uvicorn": {"wiring"},
    "uvloop": {"wiring"},
    "watchfiles": {"wiring"},
    "yarl": {"gather/fetch"},
}
"""Each outside library, and the one file or room that knows it."""

THE_CLOCK = "wiring/clock"
CLOCK_CALLS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
CLOCK_OWNERS = {"datetime", "date", "time"}
DRAWERS = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
LONGEST_FILE, LONGEST_FUNCTION = 350, 40
LONGER_FILES = {
    "core/model": "the nouns of the whole house, one glance",
    "core/contracts": "what every stage asks of the outside, one glance",
}


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides where it leads"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if node.module == "service" else [node.module or ""]


def room(module: str) -> str:
    return module.partition("/")[0]


def lies_in(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}/")


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body behind the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.fixture(params=MODULES, ids=str)
def module(request: pytest.FixtureRequest) -> str:
    return request.param


def test_rooms_import_only_what_they_may(module: str):
    ours = {name.split(".")[1] for name in imports(MODULES[module]) if name.startswith("service.")}
    assert ours <= MAY_IMPORT[room(module)]


def test_each_library_is_known_by_its_own_file_alone(module: str):
    roots = {name.split(".")[0] for name in imports(MODULES[module])} - {"service", "__future__"}
    for library in roots - sys.stdlib_module_names:
        assert library in LIBRARIES, f"{library} has no file of its own yet"
        assert any(lies_in(module, place) for place in LIBRARIES[library]), f"{library} in {module}"


def test_there_is_one_clock_and_no_dice(module: str):
    assert "random" not in {name.split(".")[0] for name in imports(MODULES[module])}
    asked = [
        node.lineno
        for node in ast.walk(MODULES[module])
        if isinstance(node, ast.Attribute)
        and node.attr in CLOCK_CALLS
        and ast.unparse(node.value).rpartition(".")[2] in CLOCK_OWNERS
    ]
    assert bool(asked) == (module == THE_CLOCK), f"the clock is asked in lines {asked}"


def test_every_module_says_what_it_is_for(module: str):
    caption = ast.get_docstring(MODULES[module])
    assert caption
    assert caption.splitlines()[0].endswith((".", ":"))


def test_files_and_functions_stay_small(module: str):
    tree = MODULES[module]
    longest = max((node.end_lineno or 0 for node in tree.body), default=0)
    assert longest <= LONGEST_FILE or module in LONGER_FILES
    # A migration lists a schema from top to bottom and is never changed again.
    if "migrations" not in module:
        assert not {f.name for f in functions(tree) if lines_of_code(f) > LONGEST_FUNCTION}


def test_no_drawer_is_named_for_things_without_a_place(module: str):
    assert not DRAWERS & set(module.rpartition("/")[2].split("_"))


def test_no_stage_knows_another():
    stages = {column: f"service.{column}" for column in COLUMNS}
    for name, tree in MODULES.items():
        others = [home for column, home in stages.items() if column != room(name)]
        if room(name) in stages:
            assert not [i for i in imports(tree) if any(i.startswith(other) for other in others)]


def test_the_exceptions_are_still_needed():
    assert not [name for name in LONGER_FILES if (MODULES[name].body[-1].end_lineno or 0) <= LONGEST_FILE]
