"""What a learner is told to try: the real errors of this Python are known, whatever words it has for them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import DefaultContext
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pytest

from grader import remedies
from grader.lab import CHECKOUT, load

METHOD = multiprocessing.get_context("spawn")


def local_function() -> None:
    def inside() -> None: ...

    pickle.dumps(inside)


def a_lambda() -> None:
    pickle.dumps(_lambda)


_lambda = lambda: None  # noqa: E731  (what learners write)


def a_lock_in_a_task() -> None:
    pickle.dumps(METHOD.Lock())


def a_queue_in_a_task() -> None:
    pickle.dumps(METHOD.Queue())


def a_value_in_a_task() -> None:
    pickle.dumps(METHOD.Value("i"))


def a_threads_lock() -> None:
    pickle.dumps(threading.Lock())


def an_open_file() -> None:
    with open(__file__) as file:
        pickle.dumps(file)


def a_generator() -> None:
    pickle.dumps(number for number in range(3))


def a_pool_in_a_task() -> None:
    with METHOD.Pool(1) as pool:
        pickle.dumps(pool)


def a_pool_that_is_joined_open() -> None:
    with METHOD.Pool(1) as pool:
        pool.join()


def a_closed_pool() -> None:
    with METHOD.Pool(1) as pool:
        pass
    pool.map(abs, [1])


def a_closed_executor() -> None:
    with ProcessPoolExecutor(1) as executor:
        pass
    executor.submit(abs, 1)


def a_block_closed_under_a_view() -> None:
    block = SharedMemory(create=True, size=64)
    view = block.buf[:8]
    try:
        block.close()
    finally:
        view.release()
        block.close()
        block.unlink()


def a_start_method_set_twice() -> None:
    own = DefaultContext(METHOD)
    for _ in range(2):
        own.set_start_method("spawn")


def a_pool_in_a_worker() -> None:
    with METHOD.Pool(1) as pool:
        pool.apply(multiprocessing.get_context("spawn").Pool, (1,))


def a_worker_that_died() -> None:
    with ProcessPoolExecutor(1, mp_context=METHOD) as executor:
        executor.submit(os._exit, 3).result()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (local_function, "top level of the module"),
        (a_lambda, "top level of the module"),
        (a_lock_in_a_task, "initargs"),
        (a_queue_in_a_task, "initargs"),
        (a_value_in_a_task, "initargs"),
        (a_threads_lock, "initargs"),
        (an_open_file, "make it in the worker"),
        (a_generator, "make it in the worker"),
        (a_pool_in_a_task, "A pool stays where it was made"),
        (a_pool_that_is_joined_open, "Close the pool first"),
        (a_closed_pool, "inside its with block"),
        (a_closed_executor, "inside its with block"),
        (a_block_closed_under_a_view, "Delete it"),
        (a_start_method_set_twice, "set_start_method"),
        (a_pool_in_a_worker, "may not start processes"),
        (a_worker_that_died, "died without a word"),
    ],
    ids=lambda one: one.__name__ if callable(one) else "",
)
def test_an_error_of_multiprocessing_is_told_its_remedy(fault: Callable[[], None], says: str) -> None:
    with pytest.raises(BaseException) as raised:  # noqa: PT011  (which one it is depends on the Python)
        fault()
    assert says in remedies.of_error(f"{raised.type.__name__}: {raised.value}")


@pytest.mark.parametrize("message", ["ValueError: month must be in 1..12", "KeyError: 'card'", ""])
def test_an_error_of_the_learners_own_speaks_for_itself(message: str) -> None:
    assert remedies.of_error(message) == ""


def test_what_was_right_under_fork_and_looks_for_a_global_elsewhere_is_told_that_workers_import_anew() -> (
    None
):
    error = "IndexError: list index out of range"
    assert "Under spawn each worker imports" in remedies.of_error(error, "spawn", passed=True)
    assert remedies.of_error(error, "spawn") == ""
    assert remedies.of_error("ValueError: no such fund", "spawn", passed=True) == ""


def test_the_callers_progress_in_a_task_is_told_from_a_function_of_the_learners_own() -> None:
    own = "Can't pickle local object 'value_book.<locals>.one'"
    theirs = "Can't pickle local object 'call_watched.<locals>.progress'"
    assert "top level of the module" in remedies.of_error(own)
    assert "belongs to whoever calls you" in remedies.of_error(theirs)


def test_a_right_answer_in_a_wrong_order_is_told_what_keeps_it() -> None:
    assert "keep the order" in remedies.of_difference("Row 3 differs. All rows are there, in another order.")
    judge = load(CHECKOUT / "labs" / "07_pools").judge
    said = judge.compare({"values": np.array([1, 2])}, {"values": np.array([2, 1])})
    assert "keep the order" in remedies.of_difference(said)
    assert remedies.of_difference("Row 3 is missing.") == ""
