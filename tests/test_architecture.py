"""The rules of ARCHITECTURE.md, checked by reading every module's syntax tree."""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

SERVICE = Path(__file__).parents[1] / "service"
MODULES = {
    path.relative_to(SERVICE).with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(SERVICE.rglob("*.py"))
    if "sample" not in path.parts
}

STAGES = ("gather", "condense", "compose", "deliver")
PACKAGES = (*STAGES, "bounces", "subscribers")
EVERYTHING_BELOW_APP = {"core", "text", *PACKAGES, "store", "settings"}
MAY_IMPORT = {
    "core": {"core"},
    "text": {"core", "text"},
    **{package: {"core", "text", package} for package in PACKAGES},
    "store": {"core", "store"},
    "settings": {"core", "settings"},
    "app": {*EVERYTHING_BELOW_APP, "app"},
    "web": {"core", "app", "web"},
    "runtime": {"core", "app", "web", "runtime"},
    "cli": {"core", "app", "web", "runtime", "cli"},
    "__main__": {"cli"},
    "__init__": set(),
}
"""Each package, and the packages that it may import."""

ALSO_ALLOWED = {
    ("store", "gather.ports"): "the store implements the ports of the packages that use it",
    ("store", "condense.ports"): "as above",
    ("store", "compose.ports"): "as above",
    ("store", "deliver.ports"): "as above",
    ("store", "subscribers.ports"): "as above",
    ("store", "bounces.ports"): "as above",
    ("bounces", "deliver.channels.smtp.replies"): "a bounce quotes an SMTP reply; one table judges both",
    ("bounces", "deliver.channels.smtp.reply_patterns"): "as above",
    ("web", "text.i18n"): "mails and pages share one label engine",
    ("runtime", "settings.values"): "frozen values without a library, which a reload compares",
    ("runtime", "bounces.lmtp_server"): "a server of this process, as the HTTP server of web is",
}
"""Single imports beyond the table above, each with its reason."""

LIBRARIES = {
    "PIL": {"gather/pictures"},
    "aiohttp": {"condense/judge/client", "gather/http/fetcher", "gather/http/post"},
    "aiosmtplib": {"deliver/channels/smtp/channel"},
    "alembic": {"store"},
    "argon2": {"app/accounts/passwords"},
    "apprise": {"deliver/channels/apprise/channel"},
    "apscheduler": {"runtime/scheduler"},
    "asyncpg": {"runtime/postgres_signals", "store"},
    "babel": {"text/i18n"},
    "backports": {"gather/http/decompression"},
    "brotli": {"gather/http/decompression"},
    "charset_normalizer": {"gather/formats/charset"},
    "compression": {"gather/http/decompression"},
    "cronsim": {"core/schedules/cron"},
    "cryptography": {"deliver/message/dkim"},
    "css_inline": {"compose/render/theme"},
    "dns": {"app/doctor/dns_records"},
    "email_validator": {"core/validators"},
    "feedparser": {"gather/formats/rss_atom"},
    "flufl": {"bounces/classify"},
    "idna": {"deliver/message/headers"},
    "imap_tools": {"bounces/imap"},
    "jinja2": {"compose/render/theme", "web"},
    "markdown_it": {"gather/cleaning/markdown"},
    "lxml": {"gather/pages/tree"},
    "markupsafe": {"compose/render/theme", "web"},
    "nh3": {"gather/cleaning/markup"},
    "numpy": {"condense", "text"},
    "prometheus_client": {"condense/judge/metrics", "deliver/metrics", "web/health"},
    "protego": {"gather/http/robots"},
    "py3langid": {"gather/language"},
    "pydantic": {"settings", "web/api"},  # the declarations that validate are the OpenAPI document
    "pydantic_core": {"settings"},
    "pyotp": {"app/accounts/one_time_codes"},
    "regex": {"compose/render/inbox"},
    "rich": {"cli"},
    "ruamel": {"settings"},
    "segno": {"web/admin/account/two_factor"},
    "snowballstemmer": {"text/phrases/word_forms"},
    "sqlalchemy": {"store"},
    "starlette": {"web"},
    "structlog": {"app", "runtime"},
    "sumy": {"condense/methods/sumy_methods"},
    "trafilatura": {"gather/pages/tree"},
    "typer": {"cli"},
    "uvicorn": {"runtime"},
    "uvloop": {"runtime"},
    "watchfiles": {"runtime/config_watcher"},
    "yarl": {"gather/http/fetcher"},
}
"""Each outside library, and the one file or package that imports it."""

MOST_MODULES = 16  # in a folder, without __init__; a longer list is not read at a glance
LARGER_FOLDERS = {
    "store": "one file a subject, and what all of them share",
    "store/migrations/versions": "one file a change of the schema",
}

THE_CLOCK = "app/clock"
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


def package_of(module: str) -> str:
    return module.partition("/")[0]


def lies_in(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}/")


def packages_imported(module: str, tree: ast.Module) -> set[str]:
    """Return the packages of service/ that a module imports, without those that ALSO_ALLOWED names."""
    ours = {name.removeprefix("service.") for name in imports(tree) if name.startswith("service.")}
    allowed = {name for package, name in ALSO_ALLOWED if package == package_of(module)}
    return {name.partition(".")[0] for name in ours if not allowed & {name, name.partition(".")[0]}}


def libraries(tree: ast.Module) -> set[str]:
    roots = {name.partition(".")[0] for name in imports(tree)}
    return roots - sys.stdlib_module_names - {"service", "__future__", "typing_extensions"}


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


def test_a_package_imports_only_what_it_may():
    wrong = {
        module: more
        for module, tree in MODULES.items()
        if (more := packages_imported(module, tree) - MAY_IMPORT[package_of(module)])
    }
    assert not wrong


def test_every_exception_to_the_import_rules_is_used():
    used = {
        (package_of(module), name.removeprefix("service."))
        for module, tree in MODULES.items()
        for name in imports(tree)
    }
    unused = [
        (package, name)
        for package, name in ALSO_ALLOWED
        if not any(by == package and lies_in(of.replace(".", "/"), name.replace(".", "/")) for by, of in used)
    ]
    assert not unused


def test_no_folder_holds_too_many_modules():
    folders = Counter(module.rpartition("/")[0] for module in MODULES if not module.endswith("__init__"))
    large = {folder for folder, count in folders.items() if count > MOST_MODULES}
    assert large == LARGER_FOLDERS.keys()


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


def test_a_class_name_means_one_thing():
    """A stranger who searches for a class name finds one class."""
    places = defaultdict(list)
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}


def test_no_drawer_is_named_for_things_without_a_place():
    assert not [module for module in MODULES if DRAWERS & set(module.rpartition("/")[2].split("_"))]
