"""Block: what every block of keys in the config files has in common; pydantic reads them strictly."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of keys: no other keys than these, and no guessing of types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
