"""Config: 10,000 people in subscribers.yaml, read by ruamel, by PyYAML, by Caveat, and from Caveat's cache.

Prints CPU seconds of reading, CPU seconds of commands that need one person (each a process of its own, with
Python's start), and for a reload in a running event loop its duration and the longest time that the loop was
blocked. The first argument is the number of people.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from ruamel.yaml import YAML

from service.app.config.plan import config_plan
from service.app.factories.application import open_application
from service.settings.load import load_config

ROUNDS = 2
FEW = 10  # people, to compare with
PROBE_SECONDS = 0.005  # between two looks at the event loop
ZONES = ("Europe/Berlin", "Asia/Qatar", "America/New_York", "Asia/Tokyo")
PERSON = "reader7@example.org"

FILES = {
    "caveat.yaml": """
site:
  name: The Bench
  url: "https://news.example.org"
  from: "The Bench <digest@news.example.org>"
  postal_address: "1 Example Street"
storage: sqlite:///../data/caveat.db
mail: {channel: file, folder: ../outbox}
""",
    "feeds.yaml": """
feeds:
  - {url: "https://courier.example/feed.xml", name: The Courier, topics: [world]}
""",
    "newsletters.yaml": """
newsletters:
  - {id: morning, title: The Morning, schedule: "daily 07:00", timezone: Europe/Berlin}
""",
}
COMMANDS = (
    ("subscriber", "show", PERSON),
    ("subscriber", "pause", PERSON),
    ("preview", "morning", "--for", PERSON),
    ("send", "morning", "--to", PERSON, "--yes"),
)


def write(folder: Path, people: int) -> None:
    """Write a configuration with so many people, each with preferences of their own."""
    folder.mkdir()
    (folder.parent / "data").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with (folder / "subscribers.yaml").open("w") as file:
        file.write("subscribers:\n")
        for number in range(people):
            file.write(
                f"  - email: reader{number}@example.org\n    name: Reader {number}\n"
                f"    timezone: {ZONES[number % len(ZONES)]}\n    newsletters:\n"
                f'      - {{id: morning, schedule: "daily {number % 24:02d}:00", '
                f"stories: {1 + number % 9}}}\n"
            )


def cpu(work: Callable[[], object], rounds: int = 1) -> float:
    """Return the CPU seconds of the fastest run."""
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def command_cpu(folder: Path, *words: str) -> float:
    """Return the CPU seconds of a command."""
    begun = os.times()
    command = [sys.executable, "-m", "service", "--config", str(folder), *words]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    ended = os.times()
    used = ended.children_user + ended.children_system
    return used - begun.children_user - begun.children_system


def print_reading(folder: Path) -> None:
    """Measure reading subscribers.yaml, and print it."""
    text = (folder / "subscribers.yaml").read_text()
    plain = cpu(lambda: YAML(typ="safe", pure=True).load(text))
    rows = {
        "ruamel.yaml, values only": plain,
        "PyYAML's C parser, values only": cpu(lambda: yaml.load(text, yaml.CSafeLoader)),
        "Caveat, checked, without the cache": cpu(lambda: load_config(folder, os.environ)),
        "Caveat, from the cache": cpu(lambda: load_config(folder, os.environ), ROUNDS),
    }
    for name, seconds in rows.items():
        print(f"{name:<44}{seconds:>8.2f} s CPU {seconds / plain:>8.2f} of ruamel")


async def blocked(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of an awaited function, and the longest time that the event loop was blocked."""
    longest, done = 0.0, asyncio.Event()

    async def probe() -> None:
        nonlocal longest
        while not done.is_set():
            begun = time.perf_counter()
            await asyncio.sleep(PROBE_SECONDS)
            longest = max(longest, time.perf_counter() - begun - PROBE_SECONDS)

    watching = asyncio.create_task(probe())
    begun = time.perf_counter()
    await work()
    taken = time.perf_counter() - begun
    done.set()
    await watching
    return taken, longest


async def print_reload(folder: Path) -> None:
    """Measure the parts of a reload after everybody moved by an hour, and print them."""
    loaded = load_config(folder, os.environ)
    text = (folder / "subscribers.yaml").read_text()
    moved = text.replace("stories: 1}", "stories: 2}")
    async with open_application(loaded.settings, loaded.roster) as app:
        await app.apply_roster()
        plan = await blocked(lambda: config_plan(app, {"subscribers.yaml": moved.encode()}))
        (folder / "subscribers.yaml").write_text(moved)
        reading = await blocked(lambda: asyncio.to_thread(load_config, folder, os.environ))
        app.roster = load_config(folder, os.environ).roster
        applying = await blocked(app.apply_roster)
    for name, (taken, longest) in (("plan", plan), ("reading", reading), ("applying", applying)):
        print(f"{name:<44}{taken:>8.2f} s     {longest * 1000:>8.0f} ms blocked at most")


def main() -> None:
    """Measure, and print the tables."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "config"
        write(folder, people)
        print_reading(folder)
        few = Path(place) / "few" / "config"
        few.parent.mkdir()
        write(few, FEW)
        command_cpu(folder, "config", "apply")
        command_cpu(few, "config", "apply")
        for words in COMMANDS:
            many, ten = (min(command_cpu(one, *words) for _ in range(ROUNDS)) for one in (folder, few))
            print(f"caveat {' '.join(words):<50}{many:>8.2f} s CPU, {ten:.2f} s with {FEW} people")
        asyncio.run(print_reload(folder))


if __name__ == "__main__":
    main()
