"""Where a parallel run's time went, and what to change.

    trace(...)            around the learner's own code, unchanged       region.py, hooks.py, record.py (in every
    process)
      -> Recording        what each process wrote down                   recording.py
      -> Timeline         lanes of workers, on one clock                 timeline.py, lanes.py
      -> Bill             S = k x balance x communication x scaling      bill.py
      -> Loss, ...        causes in words, the largest loss first        diagnose.py
      -> Projection       to other numbers of cores, with an interval    project.py

All but the first two are pure. Pictures are drawn in `grader.report`.
"""
