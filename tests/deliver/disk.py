"""What a disk holds after the power went, and what had left by the wire: read from a record of system calls.

A write is on the disk for sure once its file was synced after it; until then it may be there, or not, or
in part. A file that was made, or taken away, is so for sure once its folder was synced. (A. Pillai et al.,
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
"""The calls of both event loops, asyncio's and uvloop's, so that a record of either can be read."""
TRACED = ",".join(("openat,pwrite64,ftruncate,fsync,fdatasync,unlink", *sorted(SENDING | RECEIVING)))
STRACE = ("strace", "-f", "-y", "-xx", "-s", "10000000", "-e", f"trace={TRACED}")
"""How to make the record; `-o FILE` and the command come behind it."""

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
    """A system call that succeeded: on which file or socket, with which data, from which line to which."""

    name: str
    on: str
    data: bytes
    numbers: tuple[int, ...]
    began: int
    ended: int


def read_calls(record: Path) -> list[Call]:
    """Return the calls of a record, in the order in which they began."""
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


# --- the wire ----------------------------------------------------------------------------------


def handed_over(calls: Sequence[Call], cut: int) -> set[str]:
    """Return the ids of the messages whose last byte may have left before the cut."""
    return {id_ for stream in _streams(calls, SENDING, cut, begun=True).values() for id_ in _ids(stream)}


def acknowledged(calls: Sequence[Call], cut: int, yes: bytes) -> set[str]:
    """Return the ids of the messages that the server said `yes` to before the cut."""
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
"""Of a call that no sync made sure of: whether each sector of it reached the disk, in order."""


def nothing(_call: Call) -> Iterator[bool]:
    """Let nothing reach the disk that was not synced."""
    while True:
        yield False


def everything(_call: Call) -> Iterator[bool]:
    """Let everything reach the disk."""
    while True:
        yield True


def by_chance(dice: random.Random) -> Survives:
    """Let about half of the sectors reach the disk, and a call as a whole as often."""

    def survives(_call: Call) -> Iterator[bool]:
        whole = dice.choice((True, False, None))
        while True:
            yield dice.random() < 0.5 if whole is None else whole

    return survives


@dataclass
class Disk:
    """A folder's files, as they lay on the disk before the first of the calls."""

    files: dict[str, bytes]
    calls: Sequence[Call]
    _known: dict[str, list[Call]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = {}
        for call in self.calls:
            self._known.setdefault(call.on, []).append(call)

    def after(self, cut: int, survives: Survives) -> dict[str, bytes]:
        """Return the files by path, as a machine finds them that lost its power at line `cut`."""
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
        """Return whether a sync that began after the call had ended came to its own end before the cut."""
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
