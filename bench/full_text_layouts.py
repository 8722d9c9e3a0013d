"""Full texts: the words lost and added in the layouts of tests/gather/pages, beside trafilatura's text.

python3 dev.py bench full_text_layouts
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import trafilatura

from service.gather.cleaning.markup import read_markup
from service.gather.pages.tree import article_markup
from tests.gather.pages.test_tree import LAYOUTS, differences


def main() -> None:
    """Print a row for each layout."""
    print(f"{'layout':<16} {'ours: lost':>10} {'added':>6} {'trafilatura: lost':>18} {'added':>6}")
    for path in LAYOUTS:
        page, true = path.read_text(encoding="utf-8"), path.with_suffix(".txt").read_text(encoding="utf-8")
        ours = differences(page, true, read_markup(article_markup(page)).text)
        plain = trafilatura.extract(page, fast=True, include_comments=False) or ""
        theirs = differences(page, true, plain)
        print(f"{path.stem:<16} {ours[0]:>10} {ours[1]:>6} {theirs[0]:>18} {theirs[1]:>6}")


if __name__ == "__main__":
    main()
