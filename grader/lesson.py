"""A notebook of the course, read as data -> Lesson. Nothing here runs it.

What a lesson says about itself stands in the notebook's metadata, under `corewise`: minutes, objectives, prerequisites,
starts_processes. What a cell is for stands in its tags. `course/STYLE.md` explains both to authors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import LearnerError

CHECK_YOURSELF = "check_yourself"

#: `> **term**: what it means.` on a line of its own; lines that go on begin with `> ` too.
_DEFINITION = re.compile(r"^> \*\*([^*\n]+)\*\*: *(\S.*(?:\n> ?(?!\*\*)\S.*)*)", re.MULTILINE)
_TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1[`~]* *$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Term:
    """A term of the glossary, and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Cell:
    """One cell: `kind` is `markdown`, `code` or `raw`; `ran` says that it carries an output or a count."""

    id: str
    kind: str
    source: str
    tags: frozenset[str] = frozenset()
    ran: bool = False

    @property
    def prose(self) -> str:
        """What a markdown cell says, without its blocks of code; "" for other cells."""
        return _FENCE.sub("", self.source) if self.kind == "markdown" else ""

    @property
    def terms(self) -> tuple[Term, ...]:
        """What a markdown cell defines."""
        return tuple(
            Term(name.strip(), re.sub(r"\n> ?", " ", meaning).strip())
            for name, meaning in _DEFINITION.findall(self.prose)
        )


@dataclass(frozen=True)
class Lesson:
    """One notebook. `facts` is its metadata's `corewise` as it stands there: anything may be in it."""

    path: Path
    cells: tuple[Cell, ...]
    facts: Mapping[str, Any]

    @property
    def module(self) -> str:
        """The folder of its module, such as `01_measure_first`."""
        return self.path.parent.name

    @property
    def id(self) -> str:
        """Such as `01_measure_first/02_where_time_goes`: how prerequisites name it."""
        return f"{self.module}/{self.path.stem}"

    @property
    def number(self) -> str:
        """Such as `01.2`: module, then lesson."""
        module, lesson = (name.split("_")[0] for name in (self.module, self.path.stem))
        return f"{module}.{lesson.lstrip('0') or lesson}"

    @property
    def name(self) -> str:
        """As a reader sees it: "01.2 · Where the time goes"."""
        return f"{self.number} · {self.title}"

    @property
    def page(self) -> str:
        """Where it lies in a workspace."""
        return f"modules/{self.module}/{self.path.name}"

    @property
    def title(self) -> str:
        """Its first heading, else the name of its file."""
        first = _TITLE.search(self.cells[0].prose) if self.cells else None
        return first[1] if first else self.path.stem

    @property
    def is_check(self) -> bool:
        """Whether it is the last page of a module, with the quiz."""
        return self.path.stem.endswith(CHECK_YOURSELF)

    @property
    def minutes(self) -> int:
        """0 where it doesn't say."""
        told = self.facts.get("minutes")
        return told if isinstance(told, int) and not isinstance(told, bool) else 0

    @property
    def plain_words(self) -> frozenset[str]:
        """Terms that it defines, in small letters, which earlier pages may use in their everyday sense."""
        told = self.facts.get("plain_words")
        return frozenset(str(one).casefold() for one in told) if isinstance(told, list) else frozenset()

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Paths of lessons, and plain sentences; what is neither is left out."""
        told = self.facts.get("prerequisites")
        return tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()

    @property
    def starts_processes(self) -> bool:
        """Whether CI runs it under several start methods."""
        return self.facts.get("starts_processes") is True


def read(path: Path) -> Lesson:
    """Read one notebook.

    Raises:
        LearnerError: it is no notebook.
    """
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(_cell(cell) for cell in page["cells"])
        facts = page.get("metadata", {}).get("corewise", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LearnerError(f"{path} is not a notebook: {error!r}", "Mend or remove it.") from None
    return Lesson(path, cells, facts if isinstance(facts, dict) else {})


def is_path(prerequisite: str) -> bool:
    """Whether a prerequisite names a page of the course; otherwise it is a sentence."""
    return re.fullmatch(r"(labs/)?\d\d_\S+", prerequisite) is not None


def _cell(cell: Mapping[str, Any]) -> Cell:
    source = cell["source"]
    tags = cell.get("metadata", {}).get("tags", ())
    return Cell(
        id=str(cell.get("id", "")),
        kind=str(cell["cell_type"]),
        source=source if isinstance(source, str) else "".join(source),
        tags=frozenset(str(tag) for tag in tags),
        ran=bool(cell.get("outputs") or cell.get("execution_count")),
    )
