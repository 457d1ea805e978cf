# check: speedup
# verdict: not yet
# cause: big-arguments or added-work or memory-bandwidth
"""Right, but the loop over the order lines stays a loop: its rows are pickled and sent to processes."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

from course.cases import month_end


def close_month(folder, workers):
    return {
        "paid_twice": paid_twice(month_end.payments(folder)),
        "net_sales": net_sales(*month_end.order_lines(folder), workers),
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


def net_sales(quantities, cents, workers):
    size = max(1, -(-len(quantities) // (4 * workers)))
    starts = range(0, len(quantities), size)
    shares = [(quantities[start : start + size], cents[start : start + size]) for start in starts]
    with Pool(workers) as pool:
        found = pool.map(net_of, shares, chunksize=1)
    return sum(net for net, _ in found), sum(bulk for _, bulk in found)


def net_of(share):
    return month_end.net_sales(*share)


def balances(branches):
    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(month_end.ask, branches))


def audit_all(files, workers):
    largest_first = sorted(files, key=lambda path: path.stat().st_size, reverse=True)
    with Pool(workers) as pool:
        return month_end.add_up(pool.imap_unordered(month_end.audit, largest_first, chunksize=1))
