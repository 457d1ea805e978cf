"""Where a parallel run's time went, and what to change.

    trace(...)            around the learner's own code, unchanged        region.py, hooks.py, tasks.py, record.py
      -> Recording        what each process wrote down                    recording.py
      -> Timeline         lanes of workers, on one clock                  timeline.py, lanes.py
      -> Bill             S = k x balance x communication x scaling       bill.py
      -> Loss, ...        causes in words, the largest loss first         diagnose.py
      -> Diagnosis        all of it, for one run                          diagnosis.py

From recording.py on it is pure, but for reading the files. Pictures are drawn in `grader.report`. Nothing here imports
another part of the grader, but for region.py's temporary folder: traced workers import record.py and what it needs.
"""
