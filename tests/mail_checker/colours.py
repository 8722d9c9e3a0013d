"""Contrast of a mail's texts, computed from its inlined styles and from its block for dark colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from service.compose.render.check.page import PageElement

MIN_CONTRAST = 4.5  # of text to its background (WCAG 2.2, 1.4.3)
WHITE = "#ffffff"
_DARK_BLOCK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SIMPLE = re.compile(r"([a-z0-9]*)((?:\.[\w-]+)*)((?:\[[\w-]+(?:=\"?\w+\"?)?\])*)", re.IGNORECASE)
_HEX = re.compile("#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


class DarkRule(NamedTuple):
    """A rule of the dark block: a selector as simple selectors from the outside in, and what it sets."""

    selector: tuple[str, ...]
    declarations: dict[str, str]


class PoorContrast(NamedTuple):
    """A text that is hard to read, with its colours and their contrast."""

    scheme: str
    text: str
    colour: str
    ground: str
    contrast: float


def poor_contrasts(page: PageElement) -> Iterator[PoorContrast]:
    """Yield the texts with too little contrast in light and in dark colours, each pair of colours once."""
    for scheme, rules in (("light", ()), ("dark", dark_rules(page))):
        seen: set[tuple[str, str]] = set()
        _collect(page, scheme, rules, ("#000000", WHITE), found := [])
        for text, colour, ground in found:
            if (colour, ground) not in seen and (ratio := contrast(colour, ground)) < MIN_CONTRAST:
                yield PoorContrast(scheme, text[:40], colour, ground, round(ratio, 2))
            seen.add((colour, ground))


def dark_rules(page: PageElement) -> tuple[DarkRule, ...]:
    """Return the rules of the blocks for dark colours that are strong enough to override inlined styles."""
    css = "\n".join(str(child) for style in page.elements("style") for child in style.children)
    return tuple(
        DarkRule(tuple(selector.split()), strong)
        for block in _DARK_BLOCK.findall(css)
        for selectors, body in _RULE.findall(block)
        for selector in selectors.split(",")
        if (strong := {name: value for name, (value, important) in _declarations(body).items() if important})
    )


def _collect(
    element: PageElement,
    scheme: str,
    rules: tuple[DarkRule, ...],
    inherited: tuple[str, str],
    found: list[tuple[str, str, str]],
) -> None:
    """Append text, colour and background of each piece of text inside the element."""
    colour, ground = inherited
    for child in element.children:
        if isinstance(child, str):
            if child.strip(" \n\t\xa0·…"):
                found.append((child.strip(), colour, ground))
        elif not child.is_unseen:
            set_here = _styles(child, rules)
            own = set_here.get(
                "color", "#0000ee" if child.tag == "a" and "href" in child.attributes else colour
            )
            behind = set_here.get("background-color", ground)
            _collect(child, scheme, rules, (own, behind), found)


def _styles(element: PageElement, rules: tuple[DarkRule, ...]) -> dict[str, str]:
    styles = {name: value for name, (value, _) in _declarations(element.attributes.get("style", "")).items()}
    for rule in rules:
        if _matches(element, rule.selector):
            styles |= rule.declarations
    return {name: value for name, value in styles.items() if _HEX.fullmatch(value)}


@lru_cache(maxsize=4096)
def _declarations(body: str) -> dict[str, tuple[str, bool]]:
    """Return property -> (value, whether it is important)."""
    found = {}
    for declaration in body.split(";"):
        name, _, value = declaration.partition(":")
        plain = value.replace("!important", "").strip().lower()
        found[name.strip().lower()] = (plain, "!important" in value)
    if "background" in found:
        found.setdefault("background-color", found["background"])
    return found


def _matches(element: PageElement, selector: tuple[str, ...]) -> bool:
    if not _matches_simple(element, selector[-1]):
        return False
    ancestor, rest = element.parent, list(selector[:-1])
    while ancestor is not None and rest:
        if _matches_simple(ancestor, rest[-1]):
            rest.pop()
        ancestor = ancestor.parent
    return not rest


def _matches_simple(element: PageElement, simple: str) -> bool:
    parsed = _SIMPLE.fullmatch(simple)
    if parsed is None:
        return False
    tag, classes, attributes = parsed.groups()
    own_classes = element.attributes.get("class", "").split()
    return (
        tag in ("", element.tag)
        and all(name in own_classes for name in classes.split(".") if name)
        and all(_has(element, one) for one in re.findall(r"\[([^\]]+)\]", attributes))
    )


def _has(element: PageElement, attribute: str) -> bool:
    name, equals, value = attribute.partition("=")
    return element.attributes.get(name) == value.strip('"') if equals else name in element.attributes


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours in hexadecimal notation, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
