"""Generated web pages for benchmarks: a known article text with the clutter of real sites around it."""

from __future__ import annotations

import json
import random
from collections import Counter

from _newsfeeds import sentence

LAYOUTS = ("article", "main", "div", "form", "table", "sections", "aside within", "data only")
CARDS = "".join(
    f"<div class='card'><a href='/a/{n}'><h3>Headline {n} of another story</h3></a><p>Teaser.</p></div>"
    for n in range(60)
)
LINKS = (
    "<nav><ul>" + "".join(f"<li><a href='/s/{n}'>Section {n}</a></li>" for n in range(120)) + "</ul></nav>"
)
SCRIPTS = "<script>" + "var a='b';" * 8_000 + "</script>"


def cluttered(page: str) -> bytes:
    """Return the page with links, cards and scripts around its content, as on a real site."""
    return (
        page.replace("</head>", f"{SCRIPTS}</head>")
        .replace("<body>", f"<body>{LINKS}")
        .replace("</body>", f"{CARDS}{LINKS}</body>")
        .encode()
    )


def page(number: int) -> tuple[bytes, str]:
    """Return the page of that number and its article's words, in one of many layouts and lengths."""
    dice = random.Random(number)
    texts = [" ".join(sentence(dice, dice.randint(8, 30)) for _ in range(4)) for _ in range(3 + number % 30)]
    last = f"<p>{texts.pop()}</p>" if (layout := LAYOUTS[number % len(LAYOUTS)]) == "aside within" else ""
    body = "".join(f"<p>{text}</p>" for text in texts)
    data = {"@type": "NewsArticle", "articleBody": " ".join(texts)}
    inner = {
        "article": f"<article><h1>Title {number}</h1>{body}<footer>Share this</footer></article>",
        "main": f"<main><h1>Title {number}</h1><noscript><img src='x'></noscript>{body}</main>",
        "div": f"<div class='post'><div class='entry-content'>{body}</div></div>",
        "form": f"<form action='/'><div id='content'><h1>Title</h1>{body}</div></form>",
        "table": f"<table><tr><td width='20%'>{LINKS}</td><td>{body}</td></tr></table>",
        "sections": "".join(f"<section><div><p>{text}</p></div></section>" for text in texts),
        "aside within": f"<article>{body}<aside><p>Read also</p></aside>{last}</article>",
        "data only": f"<script type='application/ld+json'>{json.dumps(data)}</script><div id='app'></div>",
    }[layout]
    clutter = "<svg><title>Logo</title><path d='M0 0'/></svg><iframe src='/ad'></iframe>" * 5
    html = f"<html><head><title>Title {number}</title></head><body>{clutter}{inner}</body></html>"
    return cluttered(html), " ".join([*texts, last.removeprefix("<p>").removesuffix("</p>")]).strip()


def f1(found: str, expected: str) -> float:
    """Return the F1 of the words of `found` against the expected words."""
    present, wanted = Counter(found.split()), Counter(expected.split())
    common = (present & wanted).total()
    return 2 * common / (present.total() + wanted.total()) if common else 0.0
