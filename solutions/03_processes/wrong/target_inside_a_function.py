# check: answer
# verdict: not yet
# cause: raised
"""What the workers run is defined inside another function: fork copies it, the other start methods can't find it."""

import json
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory

from course.cases import branches


def total_branches(folder, workers):
    def work(paths, notes):
        notes.write_text(json.dumps([[branches.branch_of(path), branches.total(path)] for path in paths]))

    paths = branches.files(folder)
    totals = {}
    with TemporaryDirectory() as room:
        notes = [Path(room, str(i)) for i in range(workers)]
        processes = [Process(target=work, args=(paths[i::workers], notes[i])) for i in range(workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        for note in notes:
            for branch, cents in json.loads(note.read_text()):
                totals[branch] = totals.get(branch, 0) + cents
    return {"totals": totals, "failures": []}
