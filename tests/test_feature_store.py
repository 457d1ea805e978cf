"""The feature store: what is written is read, unpacking goes where it is told, suggestions are as described."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course.cases import feature_store, feature_store_scale
from course.cases.feature_store import FEATURES, OFFERED, PLACES, SEEN


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    feature_store.write(folder, products=5_003, visits=211, seed=4)
    return folder


def test_the_seed_decides_what_is_written(tmp_path: Path) -> None:
    written = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        feature_store.write(tmp_path / name, 100, 5, seed)
        written.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert written[0] == written[1]
    assert all(mine != other for mine, other in zip(written[0], written[2], strict=True))


def test_a_store_that_is_smaller_than_a_visit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="refers to 29 products; there are 28"):
        feature_store.write(tmp_path, SEEN + OFFERED - 1, 1, seed=0)


def test_the_shape_is_told_without_reading_and_is_that_of_the_features(store: Path) -> None:
    assert feature_store.shape(store) == (5_003, FEATURES)
    features = feature_store.unpack(store)
    assert (features.shape, features.dtype) == ((5_003, FEATURES), np.float32)
    assert features.std(axis=0).min() > 0.1


def test_unpacking_into_an_array_fills_and_returns_that_array(store: Path) -> None:
    mine = np.full(feature_store.shape(store), np.nan, np.float32)
    assert feature_store.unpack(store, out=mine) is mine
    assert np.array_equal(mine, feature_store.unpack(store))


@pytest.mark.parametrize(
    "wrong", [np.empty((5_002, FEATURES), np.float32), np.empty((5_003, FEATURES), np.float64)]
)
def test_an_array_that_does_not_fit_is_refused_with_both_shapes(
    store: Path, wrong: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    with pytest.raises(ValueError, match=r"float32 of the shape \(5003, 64\); it is float"):
        feature_store.unpack(store, out=wrong)


def test_what_is_emphasised_twice_counts_twice_and_changes_most_suggestions(store: Path) -> None:
    visits = feature_store.visits(store)
    features = feature_store.unpack(store)
    plain = feature_store.suggest(features, visits)
    feature_store.emphasise(features, store)
    once = feature_store.suggest(features, visits)
    feature_store.emphasise(features, store)
    twice = feature_store.suggest(features, visits)
    assert np.array_equal(once, feature_store.suggest_all(store))
    for other in (plain, twice):
        assert (once != other).any(axis=1).mean() > 0.3


def test_every_visit_gets_different_products_of_those_on_offer(store: Path) -> None:
    visits, suggested = feature_store.visits(store), feature_store.suggest_all(store)
    assert suggested.shape == (211, PLACES)
    for visit, chosen in zip(visits, suggested, strict=True):
        assert set(chosen) <= set(visit[SEEN:])
        assert len(set(chosen)) == PLACES or len(set(visit[SEEN:])) < OFFERED


def test_the_first_place_is_for_what_agrees_most_with_something_looked_at(store: Path) -> None:
    features, visits = feature_store.unpack(store), feature_store.visits(store)[:20]
    for visit, chosen in zip(visits, feature_store.suggest(features, visits), strict=True):
        agrees = (features[visit[SEEN:], None] * features[visit[:SEEN]]).sum(axis=2).max(axis=1)
        assert chosen[0] == visit[SEEN:][agrees.argmax()]


def test_a_twin_of_the_first_suggestion_is_not_the_second() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(0, 0.5, (SEEN + OFFERED, FEATURES)).astype(np.float32)
    visit = np.arange(SEEN + OFFERED, dtype=np.int32)
    features[SEEN] = features[0] * 4
    features[SEEN + 1] = features[SEEN] * 0.999
    (chosen,) = feature_store.suggest(features, visit[None, :])
    assert chosen[0] == SEEN
    assert SEEN + 1 not in chosen


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_parts_of_the_visits_give_the_same_as_all_at_once(store: Path, parts: int) -> None:
    features, visits = feature_store.unpack(store), feature_store.visits(store)
    joined = np.concatenate([feature_store.suggest(features, part) for part in np.array_split(visits, parts)])
    assert np.array_equal(joined, feature_store.suggest(features, visits))


def test_no_visits_give_no_suggestions(tmp_path: Path) -> None:
    feature_store.write(tmp_path, 29, 0, seed=1)
    assert feature_store.suggest_all(tmp_path).shape == (0, PLACES)


# The scale

HOLDS = "import sys, time; held = b'x' * (int(sys.argv[1]) << 20); print('held'); time.sleep(0.3)"


@pytest.mark.slow
def test_a_program_is_weighed_with_what_it_printed() -> None:
    light, heavy = (feature_store_scale.weigh([sys.executable, "-c", HOLDS, mib]) for mib in ("0", "64"))
    assert heavy.printed == "held\n"
    assert 56 << 20 < heavy.peak - light.peak < 80 << 20
    assert heavy.peak_rss - light.peak_rss > 56 << 20


def test_what_one_look_alone_has_seen_is_no_peak() -> None:
    points = tuple((0.02 * n, 10, weight) for n, weight in enumerate([1, 5, 9, 5, 6, 6, 2]))
    assert feature_store_scale.Weighed(points, "").peak == 6
    assert feature_store_scale.Weighed(points[:1], "").peak == 1
    assert feature_store_scale.Weighed((), "").peak == 0


@pytest.mark.slow
def test_a_program_that_takes_too_long_is_ended_with_all_it_started() -> None:
    starts = (
        "import subprocess, sys; "
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', 'a-mark-of-the-scale'])"
    )
    with pytest.raises(RuntimeError, match="not done after 1 seconds"):
        feature_store_scale.weigh([sys.executable, "-c", starts], limit=1)
    import psutil

    def marked() -> list[int]:
        found = []
        for process in psutil.process_iter():
            try:
                if "a-mark-of-the-scale" in process.cmdline():
                    found.append(process.pid)
            except psutil.Error:
                continue
        return found

    assert marked() == []


@pytest.mark.slow
def test_a_program_that_fails_is_told_with_its_words() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1: .*no such way"):
        feature_store_scale.weigh([sys.executable, "-c", "raise SystemExit('no such way')"])


def test_the_module_imports_without_a_library_that_starts_threads() -> None:
    """Workers import it: it must be light."""
    code = "import sys; from course.cases import feature_store; print('pandas' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"
