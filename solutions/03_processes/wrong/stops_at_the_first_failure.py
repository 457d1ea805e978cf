# check: failure
# verdict: not yet
# cause: raised
"""One worker that failed ends everything: the totals of the files that are sound are thrown away."""

import json
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory

from course.cases import branches


def work(paths, notes):
    with open(notes, "w", encoding="utf-8") as out:
        for path in paths:
            print(json.dumps([branches.branch_of(path), branches.total(path)]), file=out, flush=True)


def total_branches(folder, workers):
    paths = branches.files(folder)
    totals = {}
    with TemporaryDirectory() as room:
        notes = [Path(room, str(i)) for i in range(workers)]
        processes = [Process(target=work, args=(paths[i::workers], notes[i])) for i in range(workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        for process in processes:
            if process.exitcode != 0:
                raise RuntimeError(f"{process.name} ended with exit code {process.exitcode}")
        for note in notes:
            for line in note.read_text(encoding="utf-8").splitlines():
                branch, cents = json.loads(line)
                totals[branch] = totals.get(branch, 0) + cents
    return {"totals": totals, "failures": []}
