"""Recorded traces of the programs in `tests/faults`: `python tests/recorded_traces.py` makes them anew, on two cores.

Each is one run's timeline as JSON in `tests/traces/`, with the usable cores of the machine that it was made on.
"""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.tracing.timeline import Lane, Span, Task, Timeline

HERE = Path(__file__).parent
FAULTS = HERE / "faults"
TRACES = HERE / "traces"


def write(timeline: Timeline, path: Path) -> None:
    """Compressed, with microseconds: the same timeline gives the same bytes."""
    text = json.dumps(_rounded(asdict(timeline)), separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read(path: Path) -> Timeline:
    told = json.loads(gzip.decompress(path.read_bytes()))
    return Timeline(
        told["wall"],
        _lane(told["parent"]),
        tuple(map(_lane, told["workers"])),
        told["cores"],
        told["start_method"],
    )


def _lane(told: dict[str, Any]) -> Lane:
    spans = {name: tuple(Span(**one) for one in told.pop(name)) for name in ("spans", "helpers")}
    return Lane(tasks=tuple(Task(**one) for one in told.pop("tasks")), **spans, **told)


def _rounded(told: Any) -> Any:
    if isinstance(told, float):
        return round(told, 6)
    if isinstance(told, dict):
        return {key: _rounded(value) for key, value in told.items()}
    return [_rounded(one) for one in told] if isinstance(told, (list, tuple)) else told


def main() -> None:
    from grader import why

    TRACES.mkdir(exist_ok=True)
    for script in sorted(FAULTS.glob("*.py")):
        told = why.of_script(script, (), None, lambda line: print(line, file=sys.stderr))
        write(told.timeline, TRACES / f"{script.stem}.json.gz")
        print(script.stem, [loss.cause for loss in told.losses], f"{told.bill.wall:.2f} s")


if __name__ == "__main__":
    main()
