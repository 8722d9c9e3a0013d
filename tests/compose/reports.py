"""Reports for tests of stories: pairs on one event by two publishers, and lookalikes that are not."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from service.core.model import Article
from tests.builders import NOON, an_article


class Report(NamedTuple):
    event: str
    title: str
    text: str


REPORTS = (
    Report(
        "match one",
        "Northgate beat Seaford 2-1 with late Lund goal",
        "Northgate came from behind to beat Seaford 2-1 in the Premier Division on Saturday, with "
        "Erik Lund scoring the winner two minutes from time. Seaford took the lead after 12 minutes "
        "when Paul Adeyemi headed in a corner, but captain Tom Hale levelled from the penalty spot "
        "before half-time. The win takes Northgate up to third place, four points behind the leaders. "
        '"We kept believing until the end," said manager Carla Voss. Seaford had midfielder Ian Rowe '
        "sent off after an hour for a second yellow card.",
    ),
    Report(
        "match one",
        "Lund strikes late as ten-man Seaford lose at Northgate",
        "A goal by Erik Lund in the 88th minute gave Northgate a 2-1 victory over ten-man Seaford in "
        "the Premier Division on Saturday. Adeyemi had put the visitors in front early in the first "
        "half, and Hale equalised with a penalty. Ian Rowe saw red on the hour. Seaford coach Mick "
        "Dunne called the second booking a joke.",
    ),
    Report(
        "match two",
        "Milltown thrash Oakham 4-0 to stay top",
        "Milltown stay top of the Premier Division after a 4-0 win over Oakham on Saturday, with Sam "
        "Brandt scoring twice before half-time. Oakham, who had goalkeeper Luis Prado sent off after "
        "20 minutes, are second from bottom. Manager Derek Shaw said his team had shown character. "
        '"We kept going until the end," he said.',
    ),
    Report(
        "match three",
        "Northgate held 1-1 at Brampton",
        "Northgate were held to a 1-1 draw by Brampton in the Premier Division on Wednesday night. "
        "Tom Hale gave the visitors the lead with a header after half an hour, but substitute Joel "
        "Finch levelled ten minutes from time. Manager Carla Voss said her team had lacked energy "
        "after Saturday. Northgate stay third.",
    ),
    Report(
        "figures one",
        "Helvar profit rises 12% on cloud demand",
        "Helvar Systems reported a 12% rise in third-quarter profit on Thursday as demand for its "
        "cloud services grew. Net income was $1.4 billion, or 62 cents a share, against $1.25 billion "
        "a year earlier. Revenue rose 8% to $9.6 billion, ahead of the $9.4 billion analysts had "
        "expected. Shares rose 4% in after-hours trading. Chief executive Dana Holt said customers "
        "were moving faster than planned.",
    ),
    Report(
        "figures one",
        "Helvar raises outlook after strong quarter",
        "Shares of Helvar Systems jumped 4% late on Thursday after the software maker raised its "
        "full-year forecast. Third-quarter net income came to $1.4 billion and revenue to $9.6 "
        "billion, both better than Wall Street expected. Cloud services grew fastest, said chief "
        "executive Dana Holt.",
    ),
    Report(
        "figures two",
        "Brightwater profit falls 7% as costs bite",
        "Brightwater Foods reported a 7% fall in third-quarter profit on Thursday as the cost of "
        "packaging grew. Net income was $310 million, or 41 cents a share, against $333 million a "
        "year earlier. Revenue rose 2% to $4.1 billion, behind the $4.2 billion analysts had "
        "expected. Shares fell 5% in after-hours trading. Chief executive Omar Reyes said prices "
        "would have to rise.",
    ),
    Report(
        "quake one",
        "Earthquake of magnitude 6.1 shakes northern Tarvia",
        "An earthquake of magnitude 6.1 shook northern Tarvia early on Tuesday, killing at least "
        "eight people and damaging hundreds of houses, officials said. The quake struck at a depth of "
        "10 kilometres near the town of Osmet. Rescue workers were searching the rubble. Several "
        "aftershocks were felt in the capital, Belgor.",
    ),
    Report(
        "quake one",
        "At least eight dead in Tarvia quake",
        "Rescuers in northern Tarvia searched collapsed houses on Tuesday after a strong earthquake "
        "near Osmet killed at least eight people. The tremor of magnitude 6.1 came before dawn and "
        "was felt as far away as Belgor.",
    ),
    Report(
        "quake two",
        "Magnitude 6.3 quake hits off coast of Lunara",
        "An earthquake of magnitude 6.3 struck off the coast of Lunara early on Tuesday, but there "
        "were no reports of damage, officials said. The quake struck at a depth of 40 kilometres "
        "about 90 kilometres from the town of Pessa. No tsunami warning was issued. Several "
        "aftershocks were felt in the capital, Quillon.",
    ),
    Report(
        "court one",
        "Man jailed for 12 years for warehouse fire",
        "A man who set fire to a warehouse in Dunmore was jailed for 12 years on Monday. Victor Lane, "
        "41, had pleaded guilty to arson at Dunmore Crown Court. Judge Helen Price said that it was a "
        "miracle nobody had died.",
    ),
    Report(
        "court two",
        "Woman jailed for six years over pension fraud",
        "A bookkeeper who stole from a pension fund in Harwick was jailed for six years on Monday. "
        "Rita Cole, 52, had pleaded guilty to fraud at Harwick Crown Court. More than 300 pensioners "
        "lost savings. Judge Alan Moss said that it was a cruel breach of trust.",
    ),
)


def a_report(number: int, *, publisher: str | None = None, hours: float = 0, **changes: object) -> Article:
    """Return the report as an article of a publisher of its own, `hours` after noon."""
    report = REPORTS[number]
    name = publisher or f"Paper {number}"
    at = NOON + timedelta(hours=hours)
    defaults = {
        "url": f"https://{name.lower().replace(' ', '-')}.example/{number}",
        "publisher": name,
        "published_at": at,
        "gathered_at": at,
        "position": number + 1,
    }
    return an_article(report.title, report.text, **(defaults | changes))
