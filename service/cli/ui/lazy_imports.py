"""Imports that are executed at first use, so that a help page does not wait for a command's libraries."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

LAZY = ("service.", "importlib.metadata")


class _LazyFinder:
    """Finds the modules in LAZY and gives them a loader that waits for the first attribute access."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the lazy spec of a module in LAZY, None for any other."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname.startswith(LAZY) else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def lazy_imports() -> Iterator[None]:
    """Within the block, `from package import module` binds the module without executing it.

    The first access to an attribute executes it. So import modules in the block, not their names.
    """
    finder = _LazyFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
