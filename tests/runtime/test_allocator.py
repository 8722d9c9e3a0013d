"""The allocator's heaps are limited where the C library can do it."""

from __future__ import annotations

import ctypes

import pytest

from service.runtime.signals import ARENA_LIMIT, MAX_ARENAS, limit_arenas


class Allocator:
    """A C library with glibc's mallopt."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int]] = []

    def mallopt(self, option: int, value: int) -> int:
        self.options.append((option, value))
        return 1


@pytest.fixture
def allocator(monkeypatch: pytest.MonkeyPatch) -> Allocator:
    found = Allocator()
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: found)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    return found


def test_threads_share_two_heaps(allocator: Allocator):
    limit_arenas()
    assert allocator.options == [(ARENA_LIMIT, MAX_ARENAS)]


def test_the_environment_decides_first(allocator: Allocator, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    limit_arenas()
    assert allocator.options == []


def test_a_c_library_without_the_limit_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    limit_arenas()
