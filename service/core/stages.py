"""The stages of the pipeline, in the order in which they run."""

from __future__ import annotations

STAGES = ("gather", "condense", "compose", "deliver")
