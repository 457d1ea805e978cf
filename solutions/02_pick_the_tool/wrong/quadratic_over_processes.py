# check: speedup
# verdict: not yet
# cause: added-work
"""Right, but cores are set against the quadratic loop instead of another algorithm."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

import numpy as np

from course.cases import month_end


def close_month(folder, workers):
    payments = month_end.payments(folder)
    return {
        "paid_twice": paid_twice(payments, workers),
        "net_sales": net_sales(*month_end.order_lines(folder)),
        "balances": balances(month_end.branches(folder)),
        "audit": audit_all(month_end.note_files(folder), workers),
    }


def paid_twice(payments, workers):
    shares = [(payments, start, 4 * workers) for start in range(4 * workers)]
    with Pool(workers) as pool:
        return [position for found in pool.map(repeated, shares, chunksize=1) for position in found]


def repeated(share):
    payments, start, step = share
    return [
        position
        for position in range(start, len(payments), step)
        if any(payments[earlier] == payments[position] for earlier in range(position))
    ]


def net_sales(quantities, cents):
    amounts = quantities.astype(np.int64) * cents
    bulk = quantities >= 100
    return amounts.sum() - (amounts[bulk] // 20).sum(), bulk.sum()


def balances(branches):
    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(month_end.ask, branches))


def audit_all(files, workers):
    largest_first = sorted(files, key=lambda path: path.stat().st_size, reverse=True)
    with Pool(workers) as pool:
        return month_end.add_up(pool.imap_unordered(month_end.audit, largest_first, chunksize=1))
