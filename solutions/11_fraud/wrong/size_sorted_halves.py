# check: speedup
# verdict: not yet
# cause: uneven parts
"""Right, but the cards are sorted by activity and cut in the middle: one worker gets nearly all the rows."""

from multiprocessing import Pool

import numpy as np
import pandas as pd

from course.cases import fraud


def score_cards(paths, cards):
    mine = []
    for path in paths:
        table = fraud.read(path)
        mine.append(fraud.find_alerts(table[table["cc_num"].isin(cards)]))
    return fraud.in_order(mine)


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"))
    activity = pd.concat([fraud.read(path, columns=["cc_num"]) for path in paths])["cc_num"].value_counts()
    shares = np.array_split(activity.index.to_numpy(), workers)
    with Pool(workers) as pool:
        return fraud.in_order(pool.starmap(score_cards, [(paths, cards) for cards in shares], chunksize=1))
