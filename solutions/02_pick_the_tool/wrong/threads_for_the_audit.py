# check: speedup
# verdict: not yet
# cause: one busy process
"""Right, but the audit is spread over threads: they share one interpreter, so one core computes."""

from concurrent.futures import ThreadPoolExecutor

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
    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(month_end.ask, branches))


def audit_all(files, workers):
    with ThreadPoolExecutor(workers) as threads:
        return month_end.add_up(threads.map(month_end.audit, files))
