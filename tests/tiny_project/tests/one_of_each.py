"""One fast test that passes and one slow test that fails, for `start.py test`."""

import pytest


def test_fast() -> None:
    pass


@pytest.mark.slow
def test_slow() -> None:
    raise SystemError("slow")
