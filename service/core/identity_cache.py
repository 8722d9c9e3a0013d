"""Identity cache: values that are made of large objects, found again by the object itself.

Two stories are equal if all of their texts are: comparing takes longer than making the value again. So the
key is the identity of the object, which is not kept in memory for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import ref

Of = TypeVar("Of")
Value = TypeVar("Value")


class IdentityCache(Generic[Of, Value]):
    """Values made of objects, by the object and a `variant`; at most `limit`, then all are forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[tuple[int, Hashable], tuple[ref[Of], Value]] = {}

    def get(self, of: Of, variant: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of the object in this variant, made by `make` if it is not there."""
        key = id(of), variant
        found = self._values.get(key)
        # The identity of an object that is gone may be that of another one now.
        if found is None or found[0]() is not of:
            if len(self._values) >= self._limit:
                self._values.clear()
            found = self._values[key] = ref(of), make()
        return found[1]
