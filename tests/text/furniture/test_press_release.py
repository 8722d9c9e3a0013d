"""What a company says of itself in its press releases is told from news about it."""

from __future__ import annotations

import pytest

from service.text.furniture.line import Line
from service.text.furniture.press_release import describes_publisher, is_about_publisher


@pytest.mark.parametrize(
    "line",
    [
        "About Tarn Boats: Tarn Boats is the leading maker of rowing boats.",
        "About Tarn Boats Ltd.: Tarn Boats builds rowing boats.",
        "Über die Velm AG: Die Velm AG gehört zu den führenden Anbietern von Pumpen.",
        "О компании Тарн: Тарн строит лодки.",
    ],
)
def test_a_line_that_names_the_company_twice_describes_it(line: str):
    assert describes_publisher(Line(line))


@pytest.mark.parametrize(
    "line",
    [
        "About Tarn Boats: its owner will close the yard in May.",
        "About 40 boats: the harbour of Tarn is full.",
        "Tarn Boats: Tarn Boats will close its yard in May.",
        "About",
    ],
)
def test_other_lines_do_not(line: str):
    assert not describes_publisher(Line(line))


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("About Tarn Boats", "Tarn Boats is the leading maker of rowing boats."),
        ("About Tarn Boats:", "The Tarn Boats group builds rowing boats."),
        ("Über die Velm AG", "Die Velm AG gehört zu den führenden Anbietern von Pumpen."),
        ("À propos de Velmar SA", "Velmar SA fabrique des pompes."),
        ("Sobre a Velmar", "A Velmar fabrica bombas."),
    ],
)
def test_a_heading_announces_what_the_company_says_of_itself(heading: str, text: str):
    assert is_about_publisher(heading, text)


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("About the storm", "The storm broke two masts."),
        ("About Tarn Boats", "Workers heard of the closure on Monday."),
        ("Tarn Boats", "Tarn Boats will close its yard in May."),
        ("About", "About 40 boats are in the harbour."),
        ("", ""),
    ],
)
def test_other_headings_do_not(heading: str, text: str):
    assert not is_about_publisher(heading, text)
