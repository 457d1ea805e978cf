"""Bringing one file of a workspace up to date without losing what the learner did. The rules:

- A file as delivered is replaced, or removed when it left the course.
- A notebook that was run but not written in is replaced too; the copy with its outputs is kept beside it, as
  `NAME.old.ipynb`. Running is what learners do: it must not cut them off from corrections.
- A file that the learner wrote in is left alone. A newer one is put beside it, once a version, as
  `NAME.new.ipynb`.
- A file that the learner deleted stays deleted: it is their folder. `corewise reset LAB` brings a lab back.
  Only the two files that `corewise learn` itself needs are always there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grader.manifest import (
    NEVER,
    Delivered,
    Fingerprint,
    Manifest,
    fingerprint,
    fingerprint_here,
    refuse_links,
    write_whole,
)

ALWAYS_THERE = {"START.md": "course/START.md", "nbgrader_config.py": "course/nbgrader_config.py"}

Action = Literal["leave", "know", "add", "replace", "replace, keep the run copy", "put beside"]


@dataclass
class Changes:
    """What an update did: relative paths, and for what was put beside a file the pair (file, name beside)."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    beside: list[tuple[str, str]] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """In words, nothing where nothing happened."""
        many = len(self.added) > 3
        lines = [f"New: {len(self.added)} files."] if many else [f"New: {name}." for name in self.added]
        lines += [f"Updated: {name}." for name in self.replaced]
        lines += [f"Updated: {name}. The one you ran is kept as {old}." for name, old in self.kept]
        lines += [f"You changed {name}: left as it is. The new one is {new}." for name, new in self.beside]
        lines += [f"Removed: {name} (no longer in the course)." for name in self.removed]
        return lines


def decide(here: Fingerprint | None, new: Fingerprint, known: Delivered | None) -> Action:
    """What to do about one file: `here` in the workspace, `new` upstream, `known` as last delivered.

    None: not there, never delivered. Only these three count, so an update can be run again at any time.
    """
    if here is None:
        return "add" if known is None else "leave"
    if here == new:
        return "know"
    if known is not None:
        if known.sha256 == new.sha256:
            return "leave"
        if here.sha256 == known.sha256:
            return "replace"
        if here.written == known.written:
            return "replace, keep the run copy"
        if known.offered == new.sha256:
            return "leave"
    return "know" if here.written == new.written else "put beside"


def deliver(manifest: Manifest, name: str, content: bytes, changes: Changes) -> None:
    """Bring one file of the workspace up to date, and the manifest with it."""
    folder, path = manifest.folder, manifest.folder / name
    known, new, here = manifest.files.get(name), fingerprint(name, content), fingerprint_here(path)
    action = decide(here, new, None if here is None and name in ALWAYS_THERE else known)
    if action == "leave":
        return
    entry = Delivered.as_is(new)
    if action == "put beside":
        # A learner's own file in this place is known as "never as delivered": it stays touched for good.
        entry = (known or NEVER).offering(new)
        beside = put_beside(folder, path, "new", content, known.offered if known else "")
        changes.beside.append((name, beside.relative_to(folder).as_posix()))
    elif action == "replace, keep the run copy":
        old = put_beside(folder, path, "old", path.read_bytes())
        changes.kept.append((name, old.relative_to(folder).as_posix()))
    elif action != "know":
        (changes.added if action == "add" else changes.replaced).append(name)
    if action not in ("know", "put beside"):
        write_whole(folder, path, content)
    if entry != known:
        manifest.files[name] = entry
        manifest.write()


def put_beside(folder: Path, path: Path, tag: str, content: bytes, ours: str = "") -> Path:
    """Write `content` beside `path` as NAME.tag.EXT, or NAME.tag2.EXT and so on; the path written.

    A file already there is only replaced when it is the one we put there last: when its SHA-256 is `ours`.
    """
    new, number = fingerprint(path.name, content).sha256, 1
    while True:
        beside = path.with_name(f"{path.stem}.{tag}{number if number > 1 else ''}{path.suffix}")
        here = fingerprint_here(beside)
        if here is None or (ours and here.sha256 == ours):
            write_whole(folder, beside, content)
            return beside
        if here.sha256 == new:
            return beside
        number += 1


def withdraw(manifest: Manifest, name: str, changes: Changes) -> None:
    """A file that left the course: removed when it is as delivered, else the learner's own from now on."""
    path = manifest.folder / name
    here = fingerprint_here(path)
    if here is not None and here.sha256 == manifest.files[name].sha256:
        refuse_links(manifest.folder, path.parent)
        path.unlink()
        changes.removed.append(name)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    del manifest.files[name]
    manifest.write()
