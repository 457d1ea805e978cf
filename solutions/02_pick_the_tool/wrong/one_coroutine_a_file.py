# check: answer
# verdict: not yet
# cause: raised
"""Coroutines are made and never awaited: what is added up are promises, not audits."""

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


async def audit_one(path):
    return month_end.audit(path)


def audit_all(files, workers):
    return month_end.add_up(audit_one(path) for path in files)
