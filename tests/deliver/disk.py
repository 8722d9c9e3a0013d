"""The contents of a disk after a power failure, and the bytes sent before it: from traced system calls.

A write is durable once its file was synced after it; until then the disk may hold it, a part of it, or
nothing. A file is durably created or removed once its folder was synced. (A. Pillai et al.,
All File Systems Are Not Created Equal, OSDI 2014.)
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SENDING = frozenset({"sendto", "sendmsg", "write", "writev"})
RECEIVING = frozenset({"recvfrom", "recvmsg", "read", "readv"})
"""The calls of both event loops, asyncio's and uvloop's, so that a trace of either can be read."""
TRACED = ",".join(("openat,pwrite64,ftruncate,fsync,fdatasync,unlink", *sorted(SENDING | RECEIVING)))
STRACE = ("strace", "-f", "-y", "-xx", "-s", "10000000", "-e", f"trace={TRACED}")
"""The command that makes the trace, to be followed by `-o FILE` and the traced command."""

SECTOR = 512
UNFINISHED = " <unfinished ...>"
CALL = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)", re.DOTALL)
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
OPENED = re.compile(r"= (\d+)<(.*)>$")
FILE = re.compile(r"\d+<([^>]*)>")
RESULT = re.compile(r"= (-?\d+)")
MESSAGE = re.compile(rb"Message-ID: <([^@>]+)@.*?\r\n\.\r\n", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A successful system call: its file or socket, its data, and the trace lines of its begin and end."""

    name: str
    on: str
    data: bytes
    numbers: tuple[int, ...]
    began: int
    ended: int


def read_calls(record: Path) -> list[Call]:
    """Return the calls of a trace, in the order in which they began."""
    begun: dict[str, tuple[int, str]] = {}
    calls = []
    for line, text in enumerate(record.read_text().splitlines()):
        if (found := CALL.match(text)) is None:
            continue
        thread, resumed, name, rest = found.groups()
        began, before = begun.pop(thread) if resumed else (line, "")
        name = name or resumed
        if rest.endswith(UNFINISHED):
            begun[thread] = (began, rest.removesuffix(UNFINISHED))
        elif call := _call(name, before + rest, began, line):
            calls.append(call)
    return sorted(calls, key=lambda call: call.began)


def _call(name: str, text: str, began: int, ended: int) -> Call | None:
    result = RESULT.search(TEXT.sub("", text))
    if result is None or int(result[1]) < 0:
        return None
    data = [_bytes(found) for found in TEXT.findall(text)]
    if name == "openat":
        opened = OPENED.search(text)
        assert opened is not None
        return Call(name if "O_CREAT" in text else "open", _path(opened[2]), b"", (), began, ended)
    if name == "unlink":
        return Call(name, data[0].decode(), b"", (), began, ended)
    file = FILE.match(text)
    assert file is not None
    numbers = tuple(int(n) for n in re.findall(r", (\d+)", TEXT.sub("", text)))
    return Call(name, _path(file[1]), b"".join(data)[: int(result[1])], numbers, began, ended)


def _path(text: str) -> str:
    return _bytes(text).decode()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


# --- the network -------------------------------------------------------------------------------


def handed_over(calls: Sequence[Call], cut: int) -> set[str]:
    """Return the ids of the messages whose last byte may have left before the cut."""
    return {id_ for stream in _streams(calls, SENDING, cut, begun=True).values() for id_ in _ids(stream)}


def acknowledged(calls: Sequence[Call], cut: int, yes: bytes) -> set[str]:
    """Return the ids of the messages that the server accepted (reply `yes`) before the cut."""
    sent = _streams(calls, SENDING, cut, begun=True)
    heard = _streams(calls, RECEIVING, cut, begun=False)
    return {id_ for line, stream in sent.items() for id_ in _ids(stream)[: heard.get(line, b"").count(yes)]}


def _streams(calls: Sequence[Call], names: frozenset[str], cut: int, *, begun: bool) -> dict[str, bytes]:
    streams: dict[str, bytes] = {}
    for call in calls:
        if call.name in names and (call.began if begun else call.ended) <= cut:
            streams[call.on] = streams.get(call.on, b"") + call.data
    return streams


def _ids(stream: bytes) -> list[str]:
    return [id_.decode() for id_ in MESSAGE.findall(stream)]


# --- the disk ----------------------------------------------------------------------------------

Survives = Callable[[Call], Iterator[bool]]
"""For a call that was not synced: whether each of its sectors reached the disk, in order."""


def nothing(_call: Call) -> Iterator[bool]:
    """Lose every write that was not synced."""
    while True:
        yield False


def everything(_call: Call) -> Iterator[bool]:
    """Lose no write."""
    while True:
        yield True


def by_chance(dice: random.Random) -> Survives:
    """Lose about half of the sectors; a third of the calls is lost as a whole, and a third is kept."""

    def survives(_call: Call) -> Iterator[bool]:
        whole = dice.choice((True, False, None))
        while True:
            yield dice.random() < 0.5 if whole is None else whole

    return survives


@dataclass
class Disk:
    """The files of a folder before the first call, and the calls."""

    files: dict[str, bytes]
    calls: Sequence[Call]
    _known: dict[str, list[Call]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = {}
        for call in self.calls:
            self._known.setdefault(call.on, []).append(call)

    def after(self, cut: int, survives: Survives) -> dict[str, bytes]:
        """Return the files by path after a power failure at line `cut` of the trace."""
        paths = {*self.files, *(call.on for call in self.calls if call.name == "openat")}
        left = {path: self._file(path, cut, survives) for path in sorted(paths)}
        return {path: content for path, content in left.items() if content is not None}

    def _file(self, path: str, cut: int, survives: Survives) -> bytes | None:
        content: bytearray | None = None
        if path in self.files:
            content = bytearray(self.files[path])
        data: bytearray = content if content is not None else bytearray()
        for call in self._known.get(path, ()):
            if call.began > cut:
                break
            reached = everything(call) if self._is_synced(call, cut) else survives(call)
            match call.name:
                case "openat" if content is None and next(reached):
                    content = data = bytearray()
                case "unlink" if next(reached):
                    content = None
                case "ftruncate" if next(reached):
                    data[:] = data[: call.numbers[0]].ljust(call.numbers[0], b"\0")
                case "pwrite64":
                    _write(data, call, reached)
        return None if content is None else bytes(data)

    def _is_synced(self, call: Call, cut: int) -> bool:
        """Return whether a sync that began after the call ended has itself ended before the cut."""
        of_entries = call.name in {"openat", "unlink"}
        place = str(Path(call.on).parent) if of_entries else call.on
        return any(
            sync.name in {"fsync", "fdatasync"} and call.ended < sync.began and sync.ended <= cut
            for sync in self._known.get(place, ())
        )


def _write(data: bytearray, call: Call, reached: Iterator[bool]) -> None:
    offset = call.numbers[-1]
    for start in range(0, len(call.data), SECTOR):
        if next(reached):
            part = call.data[start : start + SECTOR]
            at = offset + start
            if len(data) < at:
                data.extend(bytes(at - len(data)))
            data[at : at + len(part)] = part
