# check: cancel
# verdict: not yet
# cause: timed out or wrong answer
"""The progress is called in a callback: an exception there ends the thread that brings the results."""

from multiprocessing import Pool

from course.cases import reserves

CHUNK = 16


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_chunk(chunk):
    return [value_one(contract) for contract in chunk]


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    chunks = [contracts[start : start + CHUNK] for start in range(0, len(contracts), CHUNK)]
    done = 0

    def seen(values):
        nonlocal done
        done += len(values)
        progress(done, len(contracts))

    with Pool(workers) as pool:
        results = [pool.apply_async(value_chunk, (chunk,), callback=seen) for chunk in chunks]
        return [value for result in results for value in result.get()]
