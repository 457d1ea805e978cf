# check: speedup
# verdict: not yet
# cause: program-waits
"""Right, but each branch is asked when the one before has answered."""

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
    for position, payment in enumerate(payments):
        if payment in seen:
            found.append(position)
        seen.add(payment)
    return found


def net_sales(quantities, cents):
    amounts = quantities.astype(np.int64) * cents
    bulk = quantities >= 100
    return amounts.sum() - (amounts[bulk] // 20).sum(), bulk.sum()


def balances(branches):
    return [month_end.ask(branch) for branch in branches]


def audit_all(files, workers):
    largest_first = sorted(files, key=lambda path: path.stat().st_size, reverse=True)
    with Pool(workers) as pool:
        return month_end.add_up(pool.imap_unordered(month_end.audit, largest_first, chunksize=1))
