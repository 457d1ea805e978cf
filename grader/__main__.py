"""`python -m grader`: the same as `corewise`, where that is not on the path."""

from __future__ import annotations

from grader.cli import main

if __name__ == "__main__":
    main()
