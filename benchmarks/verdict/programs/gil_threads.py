"""Right, with threads: they share one interpreter, so they take turns."""

from concurrent.futures import ThreadPoolExecutor

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"), key=lambda path: path.stat().st_size, reverse=True)
    with ThreadPoolExecutor(workers) as pool:
        return fraud.in_order(pool.map(score_file, paths))
