"""What the fraud benchmark found, as a table for people and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from course.cases.fraud import Quality


@dataclass(frozen=True)
class Outcome:
    """One version's run. The speedup is against the serial version on the same rows, in the same run."""

    version: str
    rows: int
    seconds: float
    speedup: float
    same_alerts: bool
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The whole run. `fast` versions scored all parts and `slow` ones the first `slow_parts`; serial stands first."""

    facts: dict[str, Any]
    fast: list[Outcome]
    slow: list[Outcome]
    slow_parts: int
    missing: list[str]
    memory_metric: str
    memory_mib: dict[str, float]
    quality: Quality


def as_json(report: Report) -> dict[str, Any]:
    """Plain JSON: a number that isn't finite becomes null."""
    return _finite({"schema": 1, "benchmark": "fraud", **asdict(report)})  # type: ignore[no-any-return]


def as_text(report: Report) -> str:
    facts = report.facts
    lines = [
        f"{facts['rows']:,} transactions of {facts['cards']:,} cards in {facts['parts']} parts; {facts['workers']} "
        f"workers ({facts['start_method']}); Python {facts['python']}, {facts['system']}",
        f"made in {facts['make_seconds']:.1f} s, written in {facts['write_seconds']:.1f} s "
        f"({facts['bytes'] / 1e6:,.0f} MB)",
        "",
        *_table("from files to ordered alerts", report.fast),
        *report.missing,
        "",
        *_table(f"on the first {report.slow_parts} of the parts", report.slow),
        "",
        f"Peak memory of the process tree ({report.memory_metric}, in runs of their own):",
        *(f"  {name:42s}{mib:7,.0f} MiB" for name, mib in report.memory_mib.items()),
        "",
        *_about_alerts(report.quality),
    ]
    return "\n".join(lines)


def _table(title: str, outcomes: list[Outcome]) -> list[str]:
    head = f"{title:42s}{'rows':>11s}{'seconds':>9s}{'speedup':>9s}  same alerts"
    rows = [
        f"{o.version:42s}{o.rows:11,}{o.seconds:9.2f}{o.speedup:9.2f}  "
        f"{'yes' if o.same_alerts else 'NO'}{f'  ({o.note})' if o.note else ''}"
        for o in outcomes
    ]
    return [head, "-" * len(head), *rows]


def _about_alerts(quality: Quality) -> list[str]:
    return [
        f"{quality.alerts:,} alerts ({quality.alert_rate:.2%} of the transactions); precision "
        f"{quality.precision:.1%}, recall {quality.recall:.1%}",
        f"{quality.cases:,} frauds, {quality.cases_caught:.1%} of them caught, half within "
        f"{quality.median_delay:,.0f} s of their first transaction; {quality.money_stopped:,.0f} stopped, "
        f"{quality.money_lost:,.0f} lost; {quality.honest_declined:,} honest transactions declined",
    ]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
