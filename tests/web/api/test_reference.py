"""The reference page of the API has every operation and field that the program declares."""

from __future__ import annotations

from pathlib import Path

from service.web.api.openapi import openapi_document
from service.web.api.reference import BEGIN, END, reference_page
from service.web.api.resources import OPERATIONS

PAGE = Path(__file__).parents[3] / "docs/reference/api.md"


def test_the_reference_page_is_what_the_declarations_say():
    """After a change: python -m tests.web.api.test_reference writes the page."""
    page = PAGE.read_text(encoding="utf-8")
    made = page.partition(f"{BEGIN}\n")[2].partition(END)[0]
    assert made == reference_page(OPERATIONS), "run python -m tests.web.api.test_reference"


def test_every_operation_has_an_id_of_its_own_and_a_description_of_each_parameter():
    document = openapi_document(OPERATIONS)
    described = [one for path in document["paths"].values() for one in path.values()]
    ids = [one["operationId"] for one in described]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)
    assert not [
        (one["operationId"], parameter["name"])
        for one in described
        for parameter in one["parameters"]
        if parameter["in"] == "query" and not parameter["description"]
    ]


def write_page() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{reference_page(OPERATIONS)}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write_page()
