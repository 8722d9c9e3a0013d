"""The house rules of ARCHITECTURE.md, kept by reading every module's syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[1] / "service"
MODULES = {
    path.relative_to(HOUSE).with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(HOUSE.rglob("*.py"))
    if "sample" not in path.parts
}

COLUMNS = ("gather", "condense", "compose", "deliver", "people")
MAY_IMPORT = {
    "core": {"core"},
    **{column: {"core", column} for column in COLUMNS},
    "store": {"core", "store"},
    "assets": {"core"},
    "settings": {"core", "settings", "assets"},
    "dispatch": {"core"},
    "scheduler": {"core"},
    "wiring": {"core", "settings", "assets", "dispatch", "scheduler", "store", "web", "wiring", *COLUMNS},
    "web": {"core", "web"},
    "cli": {"core", "settings", "assets", "wiring", "cli"},
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
    "backports": {"gather/bodies"},
    "brotli": {"gather/bodies"},
    "charset_normalizer": {"gather/charset"},
    "compression": {"gather/bodies"},
    "cryptography": {"deliver/dkim"},
    "css_inline": {"compose/render"},
    "dns": {"wiring/dns_records"},
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
    "store/schema": "every table, one glance",
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


def rooms_reached(tree: ast.Module) -> set[str]:
    return {name.split(".")[1] for name in imports(tree) if name.startswith("service.")}


def libraries(tree: ast.Module) -> set[str]:
    roots = {name.partition(".")[0] for name in imports(tree)}
    return roots - sys.stdlib_module_names - {"service", "__future__"}


def asks_the_clock(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in CLOCK_CALLS
        and ast.unparse(node.value).rpartition(".")[2] in CLOCK_OWNERS
        for node in ast.walk(tree)
    )


def length(tree: ast.Module) -> int:
    return max((node.end_lineno or 0 for node in tree.body), default=0)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body behind the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_rooms_import_only_what_they_may():
    wrong = {
        module: reached
        for module, tree in MODULES.items()
        if (reached := rooms_reached(tree) - MAY_IMPORT[room(module)])
    }
    assert not wrong


def test_each_library_is_known_by_its_own_file_alone():
    wrong = [
        f"{library} in {module}"
        for module, tree in MODULES.items()
        for library in libraries(tree)
        if not any(lies_in(module, place) for place in LIBRARIES.get(library, ()))
    ]
    assert not wrong, "a library belongs to the file that the table names"


def test_there_is_one_clock_and_no_dice():
    assert {module for module, tree in MODULES.items() if asks_the_clock(tree)} == {THE_CLOCK}
    assert not [
        module for module, tree in MODULES.items() if "random" in {n.partition(".")[0] for n in imports(tree)}
    ]


def test_every_module_says_what_it_is_for():
    captions = {
        module: (ast.get_docstring(tree) or "").partition("\n")[0] for module, tree in MODULES.items()
    }
    assert not [module for module, caption in captions.items() if not caption.endswith((".", ":"))]


def test_files_and_functions_stay_small():
    long = {module for module, tree in MODULES.items() if length(tree) > LONGEST_FILE}
    assert long == LONGER_FILES.keys()
    assert not [
        f"{module}.{function.name}"
        for module, tree in MODULES.items()
        if "migrations" not in module  # a migration lists a schema from top to bottom, and is never changed
        for function in functions(tree)
        if lines_of_code(function) > LONGEST_FUNCTION
    ]


def test_no_drawer_is_named_for_things_without_a_place():
    assert not [module for module in MODULES if DRAWERS & set(module.rpartition("/")[2].split("_"))]


def test_no_stage_knows_another():
    others = {column: set(COLUMNS) - {column} for column in COLUMNS}
    assert not [m for m, tree in MODULES.items() if rooms_reached(tree) & others.get(room(m), set())]
