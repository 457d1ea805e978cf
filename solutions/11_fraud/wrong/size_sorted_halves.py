# check: speedup
# verdict: not yet
# cause: uneven parts
"""Right, but the cards are sorted by activity and cut in the middle: one worker gets nearly all the rows."""

from multiprocessing import Pool

import numpy as np

from course.cases import fraud


def score_cards(folder, cards):
    table = fraud.read_folder(folder)
    return fraud.find_alerts(table[table["cc_num"].isin(cards)])


def find_alerts(folder, workers):
    activity = fraud.read_folder(folder, columns=["cc_num"])["cc_num"].value_counts()
    shares = np.array_split(activity.index.to_numpy(), workers)
    with Pool(workers) as pool:
        return fraud.in_order(pool.starmap(score_cards, [(folder, cards) for cards in shares], chunksize=1))
