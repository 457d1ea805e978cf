"""lab.toml + checks.py -> Lab. Always the instructor's copies, never those of a submission."""

from __future__ import annotations

import difflib
import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.errors import GraderError, LearnerError
from grader.model import Bars, Check, CostModel, Hint, Lab
from grader.weights import MemoryBars

CHECKOUT = Path(__file__).resolve().parents[1]

#: What a lab's checks.py must define.
#:
#: SIZES                     sizes for the answer check
#: make_input(folder, size, seed)   writes the input files (in the parent)
#: arguments(folder)         what the learner's function gets before `workers` (in the child, before "go")
#: serial(*arguments)        the honest serial baseline
#: encode(answer)            the answer as named plain arrays (in the child); TypeError for a wrong type
#: compare(expected, got)    "" when equal, else the difference in words (in the parent)
JUDGE_NEEDS = ("SIZES", "make_input", "arguments", "serial", "encode", "compare")

#: What it may define.
#:
#: SCENARIOS   by check, what replaces this file's own names in that check. A check that is none of BUILT_IN is a
#:             check of the answer in another situation, and has its entry here. In an entry there may also be
#:             `call(function, arguments)`: it runs in the child in place of `function(*arguments)` (the number of
#:             workers is the last of them), and returns what `encode` gets.
BUILT_IN = ("answer", "speedup", "memory", "clean_up")

#: And what for a speedup check: the size at which the sizing for speed starts.
SPEED_NEEDS = ("SPEED_SIZE",)

#: And what for a memory check.
#:
#: MEMORY_SIZE       the size of input that is weighed: 64 MiB of data, and work on it for a second or so
#: payload(folder)   the bytes of the data that the workers share (in the parent)
#:
#: What `arguments` loads is weighed too, and is there as long as the function runs: hand over a path instead.
MEMORY_NEEDS = ("MEMORY_SIZE", "payload")


def lab_folders(checkout: Path = CHECKOUT) -> dict[str, Path]:
    """The folder of each lab by its id: the solution's where it is, else the released one."""
    folders: dict[str, Path] = {}
    for room in ("labs", "solutions"):
        for toml in sorted((checkout / room).glob("*/lab.toml")):
            folders[toml.parent.name] = toml.parent
    return folders


def find(lab_id: str, checkout: Path = CHECKOUT) -> Lab:
    """The lab of that id.

    Raises:
        LearnerError: there is no such lab; the message lists those that are there.
        GraderError: its lab.toml or checks.py is broken.
    """
    folders = lab_folders(checkout)
    if lab_id not in folders:
        near = difflib.get_close_matches(Path(lab_id).stem, folders, 1)
        close = f"Did you mean {near[0]}? " if near else ""
        raise LearnerError(
            f"There is no lab {lab_id!r}.", f"{close}The labs here: {', '.join(sorted(folders)) or 'none'}."
        )
    return load(folders[lab_id])


def load(folder: Path) -> Lab:
    """Read one lab's folder.

    Raises:
        GraderError: lab.toml or checks.py can't be read, or lacks something.
    """
    folder = folder.resolve()  # trials run elsewhere
    try:
        data = tomllib.loads((folder / "lab.toml").read_text(encoding="utf-8"))
        return _lab(folder, data, load_judge(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GraderError(f"{folder.name}/lab.toml: {type(error).__name__}: {error}") from error


def load_judge(folder: Path) -> ModuleType:
    """Import the folder's checks.py under a name of its own, so that no learner's module can take its place."""
    path = folder / "checks.py"
    spec = importlib.util.spec_from_file_location(f"_corewise_checks_{folder.name}", path)
    if spec is None or spec.loader is None:
        raise GraderError(f"{path} can't be imported.")
    judge = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(judge)
    except (Exception, SystemExit) as error:
        raise GraderError(f"{folder.name}/checks.py: {type(error).__name__}: {error}") from error
    missing = [name for name in JUDGE_NEEDS if not hasattr(judge, name)]
    if missing:
        raise GraderError(f"{folder.name}/checks.py lacks {', '.join(missing)}.")
    return judge


def in_scenario(judge: ModuleType, check: str) -> ModuleType:
    """The judge as it is in that check: with what its SCENARIOS replace there."""
    replaced = getattr(judge, "SCENARIOS", {}).get(check)
    if replaced is None:
        return judge
    judged = ModuleType(f"{judge.__name__}.{check}")
    judged.__dict__.update({**vars(judge), **replaced})
    return judged


def _lab(folder: Path, data: dict[str, Any], judge: ModuleType) -> Lab:
    checks = data["checks"]
    _refuse_odd_scenarios(folder, checks, judge)
    for check, needs in (("speedup", SPEED_NEEDS), ("memory", MEMORY_NEEDS)):
        missing = [name for name in needs if check in checks and not hasattr(judge, name)]
        if missing:
            raise GraderError(f"{folder.name}/checks.py lacks {', '.join(missing)} for the {check} check.")
    return Lab(
        id=data["id"],
        title=data["title"],
        minutes=data["minutes"],
        folder=folder,
        module=data["module"],
        function=data["function"],
        signature=data["signature"],
        checks={name: Check(name, float(c["points"]), c["asks"]) for name, c in checks.items()},
        hints={name: Hint(name, tuple(c["hints"])) for name, c in checks.items() if c.get("hints")},
        bars=Bars(**data.get("bars", {})),
        max_workers=data.get("max_workers", 4),
        imports=tuple(data.get("imports", ())),
        judge=judge,
        cost=CostModel(**data.get("cost", {})),
        memory=MemoryBars(**data.get("memory", {})),
        takes_workers=data.get("takes_workers", True),
    )


def _refuse_odd_scenarios(folder: Path, checks: dict[str, Any], judge: ModuleType) -> None:
    scenarios = getattr(judge, "SCENARIOS", {})
    for check in checks:
        if check not in BUILT_IN and check not in scenarios:
            raise GraderError(
                f"{folder.name}/lab.toml: the check {check} is none of {', '.join(BUILT_IN)}, and checks.py has no "
                "entry for it in SCENARIOS."
            )
    for check, replaced in scenarios.items():
        if check not in checks:
            raise GraderError(
                f"{folder.name}/checks.py: SCENARIOS has {check}, which is no check of lab.toml."
            )
        known = {*JUDGE_NEEDS, *SPEED_NEEDS, *MEMORY_NEEDS, "CLEAN_UP_SIZE", "call"}
        if odd := sorted(set(replaced) - known):
            raise GraderError(
                f"{folder.name}/checks.py: SCENARIOS[{check!r}] replaces unknown {', '.join(odd)}."
            )
