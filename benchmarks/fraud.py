"""The fraud case at full size: serial, in parallel, and the same work written in other ways.

Every version reads the same files, must find the same alerts, and is compared with the serial one on the same rows
in the same run. The slow ones run on a few of the parts, beside a serial run on just those.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pyarrow.parquet
from tqdm import tqdm

from benchmarks import fraud_versions as versions
from benchmarks.ctrl_c import Heed, kept_ctrl_c
from benchmarks.fraud_report import Outcome, Report, as_json, as_text
from benchmarks.fraud_versions import Version
from benchmarks.memory import metric, peak_mib
from course.cases import fraud

SUMMARY = "card transactions scored serially, in parallel, and by pandas, numba, joblib and naive Pool.map"
SEED = 20_250_101
SLOW_ROWS = 200_000  # at least so many rows for the slow versions, or all there are
FAST: dict[str, Version] = {
    "serial, one part after the other": versions.serial,
    "processes, each reads its own part": versions.own_part,
    "joblib, each reads its own part": versions.with_joblib,
    "pandas, vectorised, loop where needed": versions.pandas_candidates,
}
SLOW: dict[str, Version] = {
    "serial, these parts": versions.serial,
    "pandas, groupby and a loop": versions.pandas_groupby,
    "Pool.map, pickled rows, one card a task": versions.one_card_a_task,
    "Pool.map, pickled rows, 100 cards a task": versions.hundred_cards_a_task,
    "Pool.map, pickled rows, 2 halves by size": versions.two_halves,
}
NUMBA = "numba, compiled loop, one process"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=_positive, default=5_000_000, help="transactions (default 5,000,000)")
    parser.add_argument(
        "--workers", type=_positive, default=joblib.cpu_count(), help="default: the usable cores"
    )
    parser.add_argument("--parts", type=_positive, help="files (default 8 a worker, at least 16)")
    parser.add_argument(
        "--start-method", choices=multiprocessing.get_all_start_methods(), help="default: Python's"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="write the transactions there, and keep them"
    )


def run(options: argparse.Namespace) -> int:
    """Make, write, score in every way, print. Exit code 0, or 2 when a version found other alerts."""
    if options.json and not options.json.absolute().parent.is_dir():
        raise SystemExit(f"--json {options.json}: there is no folder {options.json.absolute().parent}")
    multiprocessing.set_start_method(options.start_method, force=True)
    with ExitStack() as stack:
        folder = options.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="corewise-fraud-"))
        )
        bar = stack.enter_context(_bar(options.rows, stack.enter_context(kept_ctrl_c())))
        facts = _transactions(options, folder, bar)
        report = _measure(facts, sorted(folder.glob("part-*.parquet")), options.workers, bar)
    print(as_text(report))
    if options.json:
        options.json.write_text(
            json.dumps(as_json(report), indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
    return 0 if all(outcome.same_alerts for outcome in (*report.fast, *report.slow)) else 2


def _positive(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or int(digits) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(digits)


def _bar(rows: int, heed: Heed) -> Any:
    """A bar that counts the rows scored by all versions, on stderr. At each step it calls `heed`."""

    class Bar(tqdm):  # type: ignore[type-arg]
        def update(self, n: float | None = 1) -> bool | None:
            heed()
            return super().update(n)

        def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
            heed()
            super().set_description(desc, refresh)

    tqdm.monitor_interval = 0  # no thread of its own: this process forks
    total = rows * (len(FAST) + 1) + min(rows, SLOW_ROWS) * len(SLOW)
    return Bar(total=total, unit=" rows", unit_scale=True, leave=False)


def _transactions(options: argparse.Namespace, folder: Path, bar: Any) -> dict[str, Any]:
    """Make and write the transactions; what is to be reported of that."""
    parts = options.parts or max(16, 8 * options.workers)
    bar.set_description("making transactions")
    began = time.perf_counter()
    table = fraud.make(options.rows, seed=SEED)
    made = time.perf_counter()
    bar.set_description("writing parts")
    files = fraud.write(table, folder, parts=parts)
    return {
        "rows": len(table),
        "cards": int(table["cc_num"].nunique()),
        "parts": parts,
        "workers": options.workers,
        "start_method": multiprocessing.get_start_method(),
        "python": platform.python_version(),
        "system": platform.system(),
        "make_seconds": made - began,
        "write_seconds": time.perf_counter() - made,
        "bytes": sum(path.stat().st_size for path in files),
    }


def _measure(facts: dict[str, Any], files: list[Path], workers: int, bar: Any) -> Report:
    alerts, fast = _compare(FAST, files, workers, bar)
    compiled, missing = _with_numba(files, fast[0].seconds, alerts, bar)
    few = _few(files)
    _, slow = _compare(SLOW, few, workers, bar)
    bar.set_description("weighing memory")
    memory = {name: peak_mib(_drain, version, files, workers) for name, version in list(FAST.items())[:2]}
    truth = fraud.read_folder(files[0].parent, ["unix_time", "trans_num", "cc_num", "amt", "is_fraud"])
    return Report(
        facts=facts,
        fast=[*fast, *compiled],
        slow=slow,
        slow_parts=len(few),
        missing=missing,
        memory_metric=metric(),
        memory_mib=memory,
        quality=fraud.quality(alerts, truth),
    )


def _compare(
    named: dict[str, Version], files: list[Path], workers: int, bar: Any
) -> tuple[pd.DataFrame, list[Outcome]]:
    """Run the versions; the first is the serial one, whose alerts and time the others are held against."""
    outcomes: list[Outcome] = []
    expected = pd.DataFrame()
    for name, version in named.items():
        bar.set_description(name)
        rows, seconds, alerts = _timed(version, files, workers, bar)
        if not outcomes:
            expected = alerts
        serial = outcomes[0].seconds if outcomes else seconds
        outcomes.append(Outcome(name, rows, seconds, serial / seconds, expected.equals(alerts)))
    return expected, outcomes


def _with_numba(
    files: list[Path], serial: float, expected: pd.DataFrame, bar: Any
) -> tuple[list[Outcome], list[str]]:
    """The compiled version, its compiling timed apart; or why there is none."""
    try:
        from benchmarks import fraud_numba
    except ModuleNotFoundError:
        return [], [f"{NUMBA}: numba is not installed (pip install numba)"]
    bar.set_description(NUMBA)
    compiling = fraud_numba.compile_seconds()
    rows, seconds, alerts = _timed(fraud_numba.compiled, files, 1, bar)
    note = f"compiled before, in {compiling:.1f} s"
    return [Outcome(NUMBA, rows, seconds, serial / seconds, expected.equals(alerts), note)], []


def _timed(version: Version, files: list[Path], workers: int, bar: Any) -> tuple[int, float, pd.DataFrame]:
    """Rows, seconds and alerts: from the files to one ordered table, workers' start and end included."""
    began = time.perf_counter()
    rows, found = 0, []
    for scored, alerts in version(files, workers):
        rows += scored
        found.append(alerts)
        bar.update(scored)
    whole = fraud.in_order(found)
    return rows, time.perf_counter() - began, whole


def _few(files: list[Path]) -> list[Path]:
    """The first parts, as many as hold `SLOW_ROWS` rows."""
    few, rows = [], 0
    for path in files:
        few.append(path)
        rows += pyarrow.parquet.read_metadata(path).num_rows
        if rows >= SLOW_ROWS:
            break
    return few


def _drain(version: Version, files: list[Path], workers: int) -> None:
    """A version without a clock or a bar, for weighing."""
    fraud.in_order(alerts for _, alerts in version(files, workers))
