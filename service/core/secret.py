"""Secret: text that must not appear in a log, a page or a dump (pure)."""

from __future__ import annotations

import hmac

HIDDEN = "********"


class Secret:
    """Text that only `reveal()` gives away; printed, it is `HIDDEN`."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __str__(self) -> str:
        return HIDDEN if self._text else ""

    def __repr__(self) -> str:
        return f"Secret({str(self)!r})"
