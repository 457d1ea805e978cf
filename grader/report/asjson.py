"""Verdicts as the JSON of `corewise check LAB --json`: schema 1, finite numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.model import Block, Estimate, Finding, Verdict
from grader.report import memory, trace_text
from grader.report.words import clamp_points, clean, finite, is_void, points_of

SCHEMA = 1


def check_json(lab_id: str, verdicts: Sequence[Verdict], max_points: float) -> dict[str, Any]:
    """All checks of one lab; `max_points` are the lab's, also where not every check was run."""
    return {
        "schema": SCHEMA,
        "lab": lab_id,
        "points": clamp_points(sum(points_of(verdict) for verdict in verdicts), max_points),
        "max_points": clamp_points(max_points, max_points),
        "checks": [_check(verdict) for verdict in verdicts],
    }


def _check(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": clean(verdict.check),
        "verdict": verdict.outcome,
        "provisional": verdict.provisional,
        "reason": clean(verdict.reason),
        "points": points_of(verdict),
        "max_points": clamp_points(verdict.max_points, verdict.max_points),
        "measured": None if verdict.estimate is None else _measured(verdict.estimate),
        "blocks": [_block(block, is_void(block, verdict.bars)) for block in verdict.blocks],
        "memory": None if verdict.memory is None else memory.as_json(verdict.memory),
        "why": None if verdict.diagnosis is None else trace_text.as_json(verdict.diagnosis),
        "findings": [_finding(finding) for finding in verdict.findings],
        "for_marker": clean(verdict.for_marker),
        "log": None if verdict.log is None else clean(verdict.log),
    }


def _measured(estimate: Estimate) -> dict[str, Any]:
    return {
        "speedup": finite(estimate.speedup),
        "low": finite(estimate.low),
        "high": finite(estimate.high),
        "reach": finite(estimate.reach),
        "gain": finite(estimate.gain),
        "blocks": estimate.blocks,
        "void": estimate.void,
        "seconds": finite(estimate.seconds),
        "clock": estimate.clock,
        "wall": finite(estimate.wall),
    }


def _block(block: Block, void: bool) -> dict[str, Any]:
    """One block's seconds and reaches, by the clock that decided; `wall_*` by the wall clock."""
    wall = block.wall or block
    return {
        "serial": finite(block.t_serial),
        "parallel": finite(block.t_parallel),
        "reach_before": finite(block.reach_before),
        "reach_after": finite(block.reach_after),
        "clock": block.clock,
        "void": void,
        "wall_serial": finite(wall.t_serial),
        "wall_parallel": finite(wall.t_parallel),
        "others": finite(block.others),
        "seen": finite(block.seen),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "what": clean(finding.what),
        "evidence": clean(finding.evidence),
        "try": clean(finding.try_next),
    }
