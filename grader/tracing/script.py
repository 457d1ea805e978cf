"""A script of the learner's own, traced: `python -m grader.tracing.script FOLDER SCRIPT.py ARGUMENT...`.

It runs as `python SCRIPT.py ARGUMENT...` would run it, in a process of its own.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from pathlib import Path

from grader.tracing.region import trace


def main() -> None:
    folder, script, *arguments = sys.argv[1:]
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    try:
        with trace(Path(folder)):
            runpy.run_path(script, run_name="__main__")
    except KeyboardInterrupt:  # `corewise why` has had it, too, and says so
        sys.exit(130)
    except Exception as error:
        # What the learner would see without us: the traceback from the script's own first line on.
        while error.__traceback__ and error.__traceback__.tb_frame.f_code.co_filename != script:
            error.__traceback__ = error.__traceback__.tb_next
        traceback.print_exception(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
