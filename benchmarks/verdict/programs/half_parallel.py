"""Right, and about a third of what can be gained: the parent scores three tenths of the rows before the pool starts."""

from multiprocessing import Pool

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"), key=lambda path: path.stat().st_size, reverse=True)
    alone, done, tables = 0.3 * sum(path.stat().st_size for path in paths), 0, []
    while len(paths) > workers and done < alone:
        path = paths.pop(1)  # the largest goes to the pool
        done += path.stat().st_size
        tables.append(score_file(path))
    with Pool(workers) as pool:
        return fraud.in_order([*tables, *pool.imap_unordered(score_file, paths, chunksize=1)])
