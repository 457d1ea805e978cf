# check: failure
# verdict: not yet
# cause: wrong answer
"""A broad except swallows what goes wrong, and every worker that lives ends with exit code 0."""

import json
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory

from course.cases import branches


def work(paths, notes):
    with open(notes, "w", encoding="utf-8") as out:
        for path in paths:
            try:
                cents = branches.total(path)
            except Exception:
                cents = 0  # let the others go on
            print(json.dumps([path.name, cents]), file=out, flush=True)


def total_branches(folder, workers):
    left = branches.files(folder)
    totals, failures = {}, []
    with TemporaryDirectory() as room:
        while left:
            shares = [share for i in range(workers) if (share := left[i::workers])]
            left = []
            notes = [Path(room, str(i)) for i in range(len(shares))]
            processes = [
                Process(target=work, args=(share, note)) for share, note in zip(shares, notes, strict=True)
            ]
            for process in processes:
                process.start()
            for process, share, note in zip(processes, shares, notes, strict=True):
                process.join()
                lines = note.read_text(encoding="utf-8").splitlines()
                for path, line in zip(share, lines, strict=False):
                    branch = branches.branch_of(path)
                    totals[branch] = totals.get(branch, 0) + json.loads(line)[1]
                if process.exitcode != 0:
                    failed, *rest = share[len(lines) :]
                    cause = f"its worker died with exit code {process.exitcode}"
                    failures.append({"file": failed.name, "exit_code": process.exitcode, "cause": cause})
                    left += rest
    return {"totals": totals, "failures": failures}
