"""Right, with eight workers, whatever the cores."""

from multiprocessing import Pool

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"), key=lambda path: path.stat().st_size, reverse=True)
    with Pool(8) as pool:
        return fraud.in_order(pool.imap_unordered(score_file, paths, chunksize=1))
