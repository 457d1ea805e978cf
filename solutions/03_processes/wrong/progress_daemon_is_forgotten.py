# check: clean_up
# verdict: not yet
# cause: process left
"""A process that reports progress is a daemon, and so nobody ends it: it lives as long as the program does."""

import json
import time
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory

from course.cases import branches


def report(room):
    while True:
        time.sleep(5)
        print(sum(note.stat().st_size for note in Path(room).glob("*")), "bytes so far", flush=True)


def work(paths, notes):
    with open(notes, "w", encoding="utf-8") as out:
        for path in paths:
            try:
                line = ["total", branches.total(path)]
            except Exception as error:
                line = ["cause", repr(error)]
            print(json.dumps(line), file=out, flush=True)
            if line[0] == "cause":
                raise SystemExit(1)


def total_branches(folder, workers):
    left = branches.files(folder)
    totals, failures = {}, []
    Process(target=report, args=(folder,), daemon=True).start()
    while left:
        left = one_round([left[i::workers] for i in range(workers)], totals, failures)
    return {"totals": totals, "failures": failures}


def one_round(shares, totals, failures):
    left = []
    with TemporaryDirectory() as room:
        notes = [Path(room, str(i)) for i in range(len(shares))]
        processes = [
            Process(target=work, args=(share, note)) for share, note in zip(shares, notes, strict=True)
        ]
        for process in processes:
            process.start()
        for process, share, note in zip(processes, shares, notes, strict=True):
            process.join()
            done, cause = 0, "its worker was ended"
            for line in note.read_text(encoding="utf-8").splitlines():
                kind, said = json.loads(line)
                if kind == "total":
                    branch = branches.branch_of(share[done])
                    totals[branch] = totals.get(branch, 0) + said
                    done += 1
                else:
                    cause = said
            if process.exitcode != 0:
                name = share[done].name
                failures.append({"file": name, "exit_code": process.exitcode, "cause": cause})
                left += share[done + 1 :]
    return left
