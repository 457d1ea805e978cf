# check: speedup
# verdict: not yet
# cause: tasks-too-small
"""Right, but each contract is a task of its own: handing most of them out takes longer than valuing them."""

from concurrent.futures import ProcessPoolExecutor

from course.cases import reserves


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    values = []
    executor = ProcessPoolExecutor(workers)
    try:
        for value in executor.map(value_one, contracts):
            values.append(value)
            progress(len(values), len(contracts))
    finally:
        executor.shutdown(cancel_futures=True)
    return values
