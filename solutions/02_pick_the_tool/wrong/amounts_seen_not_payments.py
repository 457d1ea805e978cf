# check: answer
# verdict: not yet
# cause: wrong answer
"""The set holds the amounts alone: two suppliers that got the same amount count as one paid twice."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

import numpy as np

from course.cases import month_end


def close_month(folder, workers):
    return {
        "paid_twice": paid_twice(month_end.payments(folder)),
        "net_sales": net_sales(*month_end.order_lines(folder)),
        "balances": balances(month_end.branches(folder)),
        "audit": audit_all(month_end.note_files(folder), workers),
    }


def paid_twice(payments):
    seen, found = set(), []
    for position, (_, cents) in enumerate(payments):
        if cents in seen:
            found.append(position)
        seen.add(cents)
    return found


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
