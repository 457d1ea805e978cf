"""Finished pieces of the table, appended to a file at once, so that a run that was stopped goes on where it was.

A line belongs to a key; and to a print of the sources that it depends on, so that nothing old is taken for new.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.workers import quiet_pool

_HERE = Path(__file__).parent
#: What only runs, reads or shows what was simulated.
_SHOWS = (
    "__init__",
    "command",
    "conditions",
    "demands",
    "ledger",
    "odds",
    "one",
    "picture",
    "real",
    "report",
    "traces",
)
_GRADER = _HERE.parents[1] / "grader"
_DEPENDS = (
    *sorted(path for path in _HERE.glob("*.py") if path.stem not in _SHOWS),
    *(_GRADER / name for name in ("model.py", "assess.py")),
    *(_GRADER / "measure" / f"{name}.py" for name in ("bars", "blocks", "busy", "decide", "free", "stats")),
    _GRADER.parent / "solutions" / "11_fraud" / "lab.toml",
)


class Ledger:
    """A file of JSON lines; `resume` keeps what is there and still holds."""

    def __init__(self, path: Path, resume: bool) -> None:
        self._path, self._print = path, print_of(_DEPENDS)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [line for line in read(path) if line["print"] == self._print] if resume else []
        self._kept = {line["key"]: line["value"] for line in lines}
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def __getitem__(self, key: str) -> Any:
        return self._kept[key]

    def add(self, key: str, value: Any) -> None:
        self._kept[key] = value
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "print": self._print, "value": value}) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; a last one that was cut is left out, and cut off."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]


def print_of(files: Sequence[Path]) -> int:
    """One number for what these files hold."""
    return zlib.crc32(b"".join(path.read_bytes() for path in files))


Job = tuple[str, Callable[..., Any], tuple[Any, ...]]


def worked_off(jobs: Sequence[Job], ledger: Ledger, processes: int) -> Iterator[tuple[str, int, int]]:
    """Do what the ledger doesn't have yet, side by side; yields each key as it is done, how many are, and of how many.

    A job is a key, a function and its arguments; what it gives must be plain JSON.
    """
    todo = [job for job in jobs if job[0] not in ledger]
    if not todo:
        return
    with quiet_pool(processes) as pool:
        for count, (key, value) in enumerate(pool.imap_unordered(_do, todo), 1):
            ledger.add(key, value)
            yield key, count, len(todo)


def _do(job: Job) -> tuple[str, Any]:
    key, work, given = job
    return key, work(*given)
