"""Authors' commands: derived files are what their sources say, and a lab is proven by the answers tried on it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny_checkout import REPOSITORY, SERIAL, STUB, corewise, left_of, make, notebook

from grader.author import build, verify
from grader.errors import GraderError, LearnerError
from grader.launch.scripted import Program, Report, Script, ScriptedLauncher, ScriptedSession
from grader.model import Lab, MachineFacts, Order, WorkerModule

# build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose derived files have been made."""
    checkout = make(tmp_path_factory.mktemp("built") / "checkout")
    build.build(checkout)
    return checkout


@pytest.fixture
def checkout(built: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return shutil.copytree(built, tmp_path / "checkout", ignore=shutil.ignore_patterns("__pycache__"))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


@pytest.mark.slow
def test_the_derived_files_of_this_repository_are_what_their_sources_say() -> None:
    assert build.check(REPOSITORY) == ()


@pytest.mark.slow
def test_a_lab_is_its_solution_without_solutions_and_wrong_answers(built: Path) -> None:
    released = files(built / "labs" / "primes")
    assert set(released) == {"primes.ipynb", "checks.py", "lab.toml"}
    source = released["primes.ipynb"].decode()
    assert "raise NotImplementedError" in source
    assert "SOLUTION" not in source
    assert released["checks.py"] == (built / "solutions/primes/checks.py").read_bytes()


@pytest.mark.slow
def test_making_it_again_changes_not_one_byte(checkout: Path) -> None:
    before = files(checkout)
    shutil.rmtree(checkout / "labs")
    build.build(checkout)
    assert files(checkout) == before


@pytest.mark.slow
def test_whatever_differs_is_named_with_its_source_and_mended(checkout: Path) -> None:
    lab, before = checkout / "labs" / "primes", files(checkout)
    (lab / "primes.ipynb").write_text((lab / "primes.ipynb").read_text().replace("check(", "chekc("))
    (lab / "stray.txt").write_text("left over")
    (checkout / "labs" / "old_lab").mkdir()
    (checkout / "labs" / "old_lab" / "lab.toml").write_text("")
    (checkout / "environment.yml").write_text("name: mine\n")
    (lab / "lab.toml").unlink()

    run = corewise(checkout, "author", "build", "--check")
    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.splitlines() == [
        "would remove labs/old_lab/lab.toml (from solutions/old_lab)",
        "would write labs/primes/lab.toml (from solutions/primes)",
        "would write labs/primes/primes.ipynb (from solutions/primes)",
        "would remove labs/primes/stray.txt (from solutions/primes)",
        "would write environment.yml (from pyproject.toml)",
        "Derived files differ from their sources. Make them: corewise author build",
    ]
    assert (lab / "stray.txt").exists(), "a check writes nothing"

    run = corewise(checkout, "author", "build")
    assert (run.returncode, run.stderr) == (0, "")
    assert "wrote labs/primes/lab.toml (from solutions/primes)" in run.stdout
    assert "removed labs/primes/stray.txt (from solutions/primes)" in run.stdout
    shutil.rmtree(checkout / "tmp")
    assert files(checkout) == before

    run = corewise(checkout, "author", "build", "--check")
    assert (run.returncode, run.stdout) == (0, "Every derived file is what its source says.\n")


@pytest.mark.slow
def test_a_notebook_with_outputs_is_put_into_canonical_form(checkout: Path) -> None:
    path = checkout / "solutions" / "primes" / "primes.ipynb"
    before, page = path.read_bytes(), read(path)
    page.cells[0].outputs = [nbformat.v4.new_output("stream", text="Lab primes")]
    page.cells[0].execution_count = 3
    page.metadata["kernelspec"]["name"] = "my-kernel"
    nbformat.write(page, path)
    assert build.check(checkout)[0].path == path
    (change,) = build.build(checkout)
    assert (change.path, change.source) == (path, "itself, without outputs and in canonical form")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_an_edited_solution_changes_its_lab_and_nothing_else(checkout: Path) -> None:
    path = checkout / "solutions" / "primes" / "primes.ipynb"
    path.write_text(path.read_text().replace("%lab primes", "%lab primes  "), encoding="utf-8")
    (change,) = build.build(checkout)
    assert (change.path, change.source) == (checkout / "labs/primes/primes.ipynb", "solutions/primes")
    assert "%lab primes  " in (checkout / "labs/primes/primes.ipynb").read_text()


def test_what_is_no_notebook_is_the_authors_to_mend(checkout: Path) -> None:
    (checkout / "solutions" / "primes" / "notes.ipynb").write_text("not JSON")
    with pytest.raises(LearnerError, match=r"notes\.ipynb is not a notebook"):
        build.check(checkout)


@pytest.mark.slow
def test_what_nbgrader_refuses_is_said_in_its_words(checkout: Path) -> None:
    path = checkout / "solutions" / "primes" / "primes.ipynb"
    page = read(path)
    page.cells[1].metadata.nbgrader.grade_id = page.cells[0].metadata.nbgrader.grade_id
    nbformat.write(page, path)
    run = corewise(checkout, "author", "build")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.splitlines() == [
        "nbgrader can't release primes: Duplicate grade id: open.",
        "Mend the cells' metadata in solutions/primes, then: corewise author build",
    ]


# verify, on scripted trials

FACTS = MachineFacts(2, 2, None, 2, 2.0, ("fork", "spawn"), 0.3, None, "Linux", "3.13")
GOOD = Program()
UNWRITTEN = replace(GOOD, ending="stub", message="it is not written yet.")
ONE_BUSY = Program(speedup=1.0, cpu=(0.5,))
WRONG = replace(GOOD, right=False)
CLOSE = Program(speedup=1.36, cpu=(0.02, 0.33, 0.25), noise=0.01)  # neither clearly good nor clearly bad


class Tried(ScriptedLauncher):
    """Gives each answer, told by its source, a program of its own, and remembers which were tried."""

    def __init__(self, **programs: Script) -> None:
        super().__init__(self._play)
        self._programs = {"stub": UNWRITTEN, "reference": GOOD, "serial": ONE_BUSY, **programs}
        self.tried: list[str] = []

    def session(
        self, lab: Lab, worker: WorkerModule | None, start_method: str
    ) -> AbstractContextManager[ScriptedSession]:
        if worker is not None:
            source = worker.sources["counter"]
            self.tried.append(
                "stub" if "NotImplemented" in source else "serial" if "# check:" in source else "reference"
            )
        return super().session(lab, worker, start_method)

    def _play(self, order: Order, number: int) -> Report:
        return self._programs[self.tried[-1] if self.tried else "reference"](order, number)


Proven = Callable[..., verify.LabProof]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A checkout with a lab that nbgrader has not released, but that looks like it; sizes that take no time."""
    checkout = make(tmp_path / "checkout")
    judge = checkout / "solutions" / "primes" / "checks.py"
    judge.write_text(judge.read_text().replace("SPEED_SIZE = 2000", "SPEED_SIZE = 12"))
    toml = checkout / "solutions" / "primes" / "lab.toml"
    toml.write_text(toml.read_text().replace("budget = 15", "budget = 60"))
    released = checkout / "labs" / "primes"
    released.mkdir(parents=True)
    (released / "primes.ipynb").write_text(notebook(STUB), encoding="utf-8")
    return checkout


@pytest.fixture
def prove(sources: Path, monkeypatch: pytest.MonkeyPatch) -> Proven:
    def proven(launcher: Tried) -> verify.LabProof:
        # The script stands for the machine too: its clock, its cores.
        monkeypatch.setattr("grader.assess.time", launcher.clock)
        monkeypatch.setattr("grader.machine.look", lambda: FACTS)
        return verify.verify("primes", launcher, lambda line: None, sources)

    return proven


def of(proof: verify.LabProof, name: str) -> verify.Proof:
    """The last proof of that answer: for the reference, the one about speed."""
    return [one for one in proof.proofs if one.answer.name == name][-1]


def test_a_sound_lab_is_proven_answer_by_answer(prove: Proven, sources: Path) -> None:
    proof = prove(Tried())
    assert proof.ok
    assert [(one.answer.name, one.got) for one in proof.proofs] == [
        ("stub", "answer: not yet (stub)"),
        ("reference", "answer: met"),
        ("reference", "speedup: met"),
        ("serial", "speedup: not yet (one busy process)"),
    ]
    said = verify.report(proof, sources).splitlines()
    assert said[0] == "          ok  stub: answer: not yet (stub)"
    assert said[-1].startswith("primes: proven, in ")


def test_a_wrong_answer_that_passes_fails_the_lab_with_an_explanation(prove: Proven, sources: Path) -> None:
    proof = prove(Tried(serial=GOOD))
    assert not proof.ok
    assert not of(proof, "serial").ok
    said = verify.report(proof, sources)
    assert "FAILED  serial: speedup: met" in said
    assert "serial: expected speedup: not yet (one busy process); got speedup: met." in said
    assert "A wrong answer must be refused" in said
    assert "Look at solutions/primes/wrong/serial.py, then: corewise author verify primes" in said
    assert said.splitlines()[-1].startswith("primes: 1 of 4 answers are not as expected, in ")


def test_a_wrong_answer_that_is_refused_for_another_reason_fails_the_lab(
    prove: Proven, sources: Path
) -> None:
    proof = prove(Tried(serial=WRONG))
    assert not proof.ok
    assert of(proof, "serial").got == "speedup: not yet (wrong answer)"


def test_a_stub_that_is_solved_already_fails_the_lab(prove: Proven, sources: Path) -> None:
    proof = prove(Tried(stub=GOOD))
    assert not of(proof, "stub").ok
    assert "must not be solved already" in verify.report(proof, sources)


def test_a_reference_that_is_refused_fails_the_lab_with_the_reason(prove: Proven, sources: Path) -> None:
    proof = prove(Tried(reference=WRONG))
    assert not proof.ok
    said = verify.report(proof, sources)
    assert "The reference must meet every check" in said
    assert "of the numbers are prime; your answer is" in said


def test_cannot_tell_is_tried_once_more_and_then_inconclusive_but_not_failed(
    prove: Proven, sources: Path
) -> None:
    launcher = Tried(reference=CLOSE)
    proof = prove(launcher)
    assert proof.ok
    assert of(proof, "reference").inconclusive
    assert launcher.tried.count("reference") == 2 + 2  # the answer under two start methods, the speed twice
    said = verify.report(proof, sources)
    assert "inconclusive  reference: speedup: cannot tell" in said
    assert "primes: proven; 1 inconclusive: try again on a quiet machine, in" in said


def test_a_second_measurement_that_can_tell_settles_it(prove: Proven) -> None:
    launcher = Tried()

    def clearer(order: Order, number: int) -> Report:
        sure = launcher.tried.count("reference") > launcher.tried.count("stub") + 2
        return (GOOD if sure else CLOSE)(order, number)

    launcher._programs["reference"] = clearer
    proof = prove(launcher)
    assert (of(proof, "reference").got, of(proof, "reference").inconclusive) == ("speedup: met", False)


def test_the_json_has_every_answer(prove: Proven) -> None:
    proof = prove(Tried(serial=GOOD))
    told = json.loads(json.dumps(verify.as_json([proof]), allow_nan=False))
    assert (told["schema"], told["ok"]) == (1, False)
    (lab,) = told["labs"]
    assert (lab["lab"], lab["ok"]) == ("primes", False)
    assert lab["seconds"] >= 0
    assert [(one["answer"], one["ok"]) for one in lab["answers"]] == [
        ("stub", True),
        ("reference", True),
        ("reference", True),
        ("serial", False),
    ]
    assert lab["answers"][3]["expected"] == "speedup: not yet (one busy process)"
    assert lab["answers"][3]["got"] == "speedup: met"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# check: speedup\n", ""),
        ("# check: speedup", "# check: sped"),
        ("# verdict: not yet", "# verdict: no"),
        ("# cause: one busy process", "# because: one busy process"),
    ],
)
def test_a_wrong_answer_that_does_not_say_what_is_expected_is_said_before_anything_runs(
    prove: Proven, sources: Path, old: str, new: str
) -> None:
    (sources / "solutions/primes/wrong/serial.py").write_text(SERIAL.replace(old, new))
    launcher = Tried()
    with pytest.raises(LearnerError) as raised:
        prove(launcher)
    assert raised.value.what == "solutions/primes/wrong/serial.py doesn't say what is expected of it."
    assert "# check: answer or speedup" in raised.value.try_next
    assert launcher.tried == []


def test_a_lab_that_is_not_released_yet_says_how_to_release_it(prove: Proven, sources: Path) -> None:
    shutil.rmtree(sources / "labs")
    with pytest.raises(LearnerError) as raised:
        prove(Tried())
    assert raised.value.try_next == "Make it: corewise author build"


@pytest.mark.parametrize("name", ["prime", "../solutions/primes", "primes/wrong", ".", ""])
def test_an_unknown_lab_lists_those_that_are_there(sources: Path, name: str) -> None:
    with pytest.raises(LearnerError) as raised:
        verify.verify(name, Tried(), lambda line: None, sources)
    assert raised.value.try_next == "The labs here: primes."


def test_without_solutions_there_is_nothing_to_prove(tmp_path: Path) -> None:
    with pytest.raises(LearnerError, match="There are no solutions here"):
        verify.lab_ids(tmp_path)


def test_a_lab_whose_baseline_fails_is_our_fault(prove: Proven) -> None:
    def broken(order: Order, number: int) -> Report:
        return (
            Report(0.1, (), "raised", message="no such file")
            if order.arm == "serial"
            else GOOD(order, number)
        )

    with pytest.raises(GraderError, match="The baseline raised"):
        prove(Tried(stub=broken, reference=broken))


# For real


@pytest.mark.slow
@pytest.mark.alone
def test_a_real_lab_is_proven_by_the_command() -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:  # a short name: sockets lie in it
        checkout = make(Path(folder).resolve())
        build.build(checkout)
        run = corewise(checkout, "author", "verify", "--json")
        assert left_of(checkout) == []
    told = json.loads(run.stdout)
    assert (run.returncode, told["ok"]) == (0, True), run.stdout
    stub, answer, speedup, serial = told["labs"][0]["answers"]
    assert stub["got"] == "answer: not yet (stub)"
    assert answer["got"] == "answer: met"
    assert speedup["got"] == "speedup: met" or speedup["inconclusive"]
    assert serial["got"] == "speedup: not yet (one busy process)"
    assert "primes: serial, expected speedup: not yet (one busy process)" in run.stderr
