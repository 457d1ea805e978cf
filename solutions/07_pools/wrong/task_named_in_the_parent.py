# check: failure
# verdict: not yet
# cause: wrong answer
"""The parent adds the contract to the error. But one of the errors never arrives: it can't be unpickled."""

from concurrent.futures import ProcessPoolExecutor

from course.cases import reserves


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    values = []
    with ProcessPoolExecutor(workers) as executor:
        results = executor.map(reserves.value, contracts)
        for contract in contracts:
            try:
                values.append(next(results))
            except Exception as error:
                raise reserves.TaskError(contract.number, repr(error)) from error
            progress(len(values), len(contracts))
    return values
