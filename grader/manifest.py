"""What was delivered to a learner's workspace: each file's fingerprint, in `.corewise/manifest.json`.

From the fingerprints, and from nothing else, an update knows which files the learner touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from grader.errors import LearnerError

OURS = ".corewise"


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 of a file, and of what a person writes in it.

    `written` differs from `sha256` only for notebooks: there it covers the cells' types, sources and attached
    pictures, and leaves out outputs, counts and metadata, which change when a notebook is merely run.
    """

    sha256: str
    written: str


# A link, a folder or anything else in a file's place: the learner's, equal to no file of ours.
NOT_A_FILE = Fingerprint("not a file", "not a file")


@dataclass(frozen=True)
class Delivered:
    """A file as it was delivered, and the SHA-256 of the version last put beside it ("" for none)."""

    sha256: str
    written: str
    offered: str = ""

    @classmethod
    def as_is(cls, file: Fingerprint) -> Delivered:
        return cls(file.sha256, file.written)

    def offering(self, newer: Fingerprint) -> Delivered:
        return replace(self, offered=newer.sha256)


# A learner's own file where one of ours would go: it was never as delivered.
NEVER = Delivered("never", "never")


def fingerprint(name: str, content: bytes) -> Fingerprint:
    """The fingerprint of a file called `name`; a notebook that can't be read counts as plain bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    if not name.endswith(".ipynb"):
        return Fingerprint(sha256, sha256)
    try:
        cells = json.loads(content)["cells"]
        written = [
            [cell["cell_type"], "".join(cell["source"]), cell.get("attachments", {})] for cell in cells
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Fingerprint(sha256, sha256)
    return Fingerprint(sha256, hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest())


def fingerprint_here(path: Path) -> Fingerprint | None:
    """The fingerprint of what is at `path`, None where there is nothing. Links are not followed."""
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        return NOT_A_FILE
    return fingerprint(path.name, path.read_bytes())


@dataclass
class Manifest:
    """The files delivered to the workspace `folder`, by relative path with forward slashes."""

    folder: Path
    files: dict[str, Delivered] = field(default_factory=dict)

    @staticmethod
    def path(folder: Path) -> Path:
        return folder / OURS / "manifest.json"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of `folder`; an empty one where there is none or it can't be understood.

        An empty manifest loses nothing: files equal to ours are known again, all others count as touched.
        """
        try:
            known = json.loads(cls.path(folder).read_bytes())["files"]
            return cls(folder, {name: Delivered(**entry) for name, entry in known.items()})
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return cls(folder)

    def write(self) -> None:
        files = {name: asdict(entry) for name, entry in sorted(self.files.items())}
        text = json.dumps({"schema": 1, "files": files}, indent=1) + "\n"
        write_whole(self.folder, self.path(self.folder), text.encode())


def write_whole(folder: Path, path: Path, content: bytes) -> None:
    """Write `path`, inside the workspace `folder`, whole or not at all, even when we are killed half-way.

    Raises LearnerError where a link on the way would lead elsewhere, OSError where nothing can be written.
    """
    scratch = folder / OURS / f"half-written-{os.getpid()}"
    for place in (path.parent, scratch.parent):
        refuse_links(folder, place)
        place.mkdir(parents=True, exist_ok=True)
    try:
        scratch.write_bytes(content)
        os.replace(scratch, path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def refuse_links(folder: Path, place: Path) -> None:
    """Raise LearnerError when a folder on the way from `folder` to `place` is a link."""
    for step in (place, *place.parents):
        if step == folder:
            return
        if step.is_symlink():
            raise LearnerError(
                f"{step} is a link to {os.readlink(step)}; Corewise writes only inside {folder}.",
                "Move the link away, or choose another folder: corewise learn FOLDER",
            )


def sweep(folder: Path) -> None:
    """Remove what killed updates left half-written, an hour later (one at work now is left alone)."""
    for scratch in (folder / OURS).glob("half-written-*"):
        if time.time() - scratch.stat().st_mtime > 3600:
            scratch.unlink(missing_ok=True)
