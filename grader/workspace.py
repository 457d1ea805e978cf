"""The learner's workspace: a folder with what a learner opens, and nothing else.

    checkout                          workspace
    course/START.md               ->  START.md               the start page
    course/MEASURING.md           ->  MEASURING.md           how a speedup is measured
    course/TRACING.md             ->  TRACING.md             where the time of a run went
    course/GLOSSARY.md            ->  GLOSSARY.md            the words of the course
    course/PROGRESS.ipynb         ->  PROGRESS.ipynb         where the learner is, what comes next
    course/nbgrader_config.py     ->  nbgrader_config.py     what the Validate button needs
    labs/<lab>/...                ->  labs/<lab>/...         as nbgrader released it
    course/<nn>_<name>/           ->  modules/<nn>_<name>/   notebooks and pictures only
                                      .corewise/             what was delivered, what was checked; JupyterLab's settings

In START.md and GLOSSARY.md links lead from `course/` in the checkout; they are turned into the workspace's.

No folder of it is named after an installed package, and no `.py` lies where notebooks run but a lab's own
`checks.py`: nothing in it shadows an import. What an update does to a learner's files: see `grader.delivery`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from grader import jupyter
from grader.delivery import ALWAYS_THERE, Changes, deliver, withdraw
from grader.errors import EXIT_FINE, GraderError, LearnerError
from grader.manifest import Manifest, refuse_links, sweep

HIDDEN = r"(^|/)(\.|__pycache__)"
PICTURES = {".png", ".svg", ".jpg", ".jpeg", ".gif", ".webp"}
#: What the start page links to, beside modules and labs.
PAGES = {name: f"course/{name}" for name in ("MEASURING.md", "TRACING.md", "GLOSSARY.md", "PROGRESS.ipynb")}
IN_USE = "Close the lab's notebook, end JupyterLab, and try again."
ELSEWHERE = "Choose another folder: corewise learn FOLDER"


def default_folder(source: Path) -> Path:
    """`COREWISE_HOME`, else `~/corewise`; `~/corewise-workspace` where the checkout lies in the former."""
    chosen = os.environ.get("COREWISE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    folder = Path.home() / "corewise"
    return Path.home() / "corewise-workspace" if source.resolve().is_relative_to(folder.resolve()) else folder


def tell(line: str) -> None:
    print(line, flush=True)


def learn(
    folder: Path, source: Path, browser: bool, port: int | None, say: Callable[[str], None] = tell
) -> int:
    """Make or update the workspace `folder` from the checkout `source`; run JupyterLab in it until it ends.

    Returns the exit code. Raises LearnerError for a folder or port that can't be used. Changes this process's
    environment and current folder for JupyterLab, so it is the last thing that a command does.
    """
    if port is not None:
        jupyter.refuse_taken(port)
    try:
        for line in update(folder, source).lines():
            say(line)
        return jupyter.run(folder.resolve(), source / "course" / "jupyter", browser, port, say)
    except KeyboardInterrupt:  # before JupyterLab was up; from then on it handles Ctrl-C itself
        say("Stopped.")
        return EXIT_FINE


def update(folder: Path, source: Path) -> Changes:
    """Make or update the workspace `folder` from the checkout `source`.

    The manifest is written after each file: an update that was killed goes on where it was.
    Raises LearnerError for a folder that can't be used, having lost nothing.
    """
    files = released(source)
    folder = folder.resolve()
    refuse_unusable(folder, source.resolve())
    try:
        manifest = Manifest.read(folder)
        manifest.write()  # first of all: from now on the folder is known as ours
        sweep(folder)
        changes = Changes()
        for name, path in files.items():
            deliver(manifest, name, content(path), changes)
        for name in sorted(set(manifest.files) - set(files)):
            withdraw(manifest, name, changes)
        return changes
    except OSError as error:
        raise cannot_write(folder, error, ELSEWHERE) from None


def reset(folder: Path, source: Path, lab: str) -> str:
    """Put `lab` back as it was delivered; returns the message that says where the learner's version is."""
    folder = folder.resolve()
    backup = reset_lab(folder, source, lab)
    if backup is None:
        return f"{lab} is as delivered, in {folder / 'labs' / lab}."
    return f"{lab} is as delivered. Your version of it is kept in {backup}."


def reset_lab(folder: Path, source: Path, lab: str) -> Path | None:
    """Move the lab's folder to a backup and deliver the lab anew; the backup, None where there was nothing to keep.

    Renamed, not copied: a backup is whole or isn't there. The manifest forgets the lab first, so that after
    a kill the next update delivers it.
    """
    files = {name: path for name, path in released(source).items() if name.startswith("labs/")}
    labs = sorted({name.split("/")[1] for name in files})
    if lab not in labs:
        raise LearnerError(f"There is no lab {lab!r}.", f"The labs are: {', '.join(labs)}")
    if not Manifest.path(folder).is_file():
        raise not_one(folder, f"corewise reset {lab} FOLDER")
    mine = {name: path for name, path in files.items() if name.startswith(f"labs/{lab}/")}
    try:
        refuse_links(folder, folder / "labs")
        if _is_as_delivered(folder, lab, mine):
            return None
        manifest = Manifest.read(folder)
        for name in [name for name in manifest.files if name.startswith(f"labs/{lab}/")]:
            del manifest.files[name]
        manifest.write()
        backup = set_aside(folder / "labs" / lab)
        for name, path in mine.items():
            deliver(manifest, name, path.read_bytes(), Changes())
        return backup
    except OSError as error:
        raise cannot_write(folder, error, IN_USE) from None


def _is_as_delivered(folder: Path, lab: str, files: Mapping[str, Path]) -> bool:
    """Whether the lab's folder holds these files and no other, but for what tools hide there."""
    paths = [path for path in (folder / "labs" / lab).rglob("*") if path.is_file()]
    there = {path.relative_to(folder).as_posix(): path for path in paths}
    there = {name: path for name, path in there.items() if not re.search(HIDDEN, name)}
    return there.keys() == files.keys() and all(
        there[name].read_bytes() == path.read_bytes() for name, path in files.items()
    )


def released(source: Path) -> dict[str, Path]:
    """What the checkout `source` gives to a learner: path in the workspace -> file in the checkout."""
    files = {name: source / path for name, path in ALWAYS_THERE.items()}
    missing = [str(path) for path in (*files.values(), source / "labs") if not path.exists()]
    if missing:
        raise GraderError(f"This copy of Corewise has no {missing[0]}.", "Fetch it again.")
    files |= {name: source / path for name, path in PAGES.items()}
    for path in sorted((source / "labs").glob("*/**/*")):
        if path.suffix != ".py" or path.name == "checks.py":
            files[path.relative_to(source).as_posix()] = path
    for path in sorted((source / "course").glob("[0-9][0-9]_*/**/*")):
        if path.suffix == ".ipynb" or path.suffix in PICTURES:
            files[f"modules/{path.relative_to(source / 'course').as_posix()}"] = path
    return {name: path for name, path in files.items() if path.is_file() and not re.search(HIDDEN, name)}


def content(path: Path) -> bytes:
    """A file of the checkout as a learner gets it: a page's links lead to where modules and labs lie here."""
    if path.suffix != ".md":
        return path.read_bytes()
    page = path.read_bytes().replace(b"](../labs/", b"](labs/")
    return re.sub(rb"\]\((?=\d\d_\w+/)", b"](modules/", page)


def refuse_unusable(folder: Path, source: Path) -> None:
    """Raise LearnerError unless `folder` is ours, or can become ours with no file of theirs in the way."""
    if folder.is_relative_to(source):
        raise LearnerError(f"{folder} is inside Corewise itself, {source}.", ELSEWHERE)
    if folder.exists() and not folder.is_dir():
        raise LearnerError(f"{folder} is a file; the workspace needs a folder.", ELSEWHERE)
    if folder.resolve() == Path(folder.resolve().anchor):
        raise LearnerError(
            f"{folder} is the root of the file system; the workspace needs a folder.", ELSEWHERE
        )
    if Manifest.path(folder).is_file():
        return
    top = (*ALWAYS_THERE, *PAGES, "labs", "modules")
    there = [name for name in top if os.path.lexists(folder / name)]
    if there:
        raise LearnerError(f"{folder} already holds {', '.join(there)}, not made by Corewise.", ELSEWHERE)


def not_one(folder: Path, named: str) -> LearnerError:
    """What is said of a folder that is no workspace; `named` is the command that names another one."""
    remedy = f"Yours is elsewhere? Name it: {named}\nOr make one: corewise learn FOLDER"
    return LearnerError(f"{folder} is not a workspace of Corewise.", remedy)


def cannot_write(folder: Path, error: OSError, try_next: str) -> LearnerError:
    where = f" ({error.filename})" if error.filename else ""
    return LearnerError(f"The workspace {folder} can't be written: {error.strerror}{where}.", try_next)


def set_aside(lab: Path) -> Path | None:
    """Rename the folder `lab` to a backup with the date and time in its name, never onto another one."""
    if not os.path.lexists(lab):
        return None
    stamp, number = f"{lab.name}.backup-{datetime.now():%Y%m%d-%H%M%S}", 1
    backup = lab.with_name(stamp)
    while os.path.lexists(backup):
        number += 1
        backup = lab.with_name(f"{stamp}-{number}")
    lab.rename(backup)
    return backup
