# check: speedup
# verdict: not yet
# cause: big-arguments or added-work or tasks-too-small
"""Right, but every card is a task of its own, and its rows travel: pickling costs more than scoring."""

from multiprocessing import Pool

from course.cases import fraud


def score_card(rows):
    return fraud.find_alerts(rows)


def find_alerts(folder, workers):
    table = fraud.read_folder(folder)
    cards = [rows for _, rows in table.groupby("cc_num")]
    with Pool(workers) as pool:
        return fraud.in_order(
            [table.iloc[:0].pipe(fraud.find_alerts), *pool.map(score_card, cards, chunksize=1)]
        )
