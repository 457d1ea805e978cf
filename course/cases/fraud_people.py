"""The world of the fraud case: cities, shops and card holders. All of it invented but the cities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# name, state, zip, latitude, longitude, population in thousands (rounded)
CITIES = (
    ("New York", "NY", 10001, 40.71, -74.01, 8300), ("Los Angeles", "CA", 90001, 34.05, -118.24, 3800),
    ("Chicago", "IL", 60601, 41.88, -87.63, 2660), ("Houston", "TX", 77001, 29.76, -95.37, 2300),
    ("Phoenix", "AZ", 85001, 33.45, -112.07, 1650), ("Philadelphia", "PA", 19019, 39.95, -75.17, 1550),
    ("Jacksonville", "FL", 32099, 30.33, -81.66, 990), ("Columbus", "OH", 43004, 39.96, -83.00, 910),
    ("Indianapolis", "IN", 46201, 39.77, -86.16, 880), ("Charlotte", "NC", 28201, 35.23, -80.84, 900),
    ("Seattle", "WA", 98101, 47.61, -122.33, 750), ("Denver", "CO", 80014, 39.74, -104.99, 710),
    ("Boston", "MA", 2101, 42.36, -71.06, 650), ("Nashville", "TN", 37201, 36.16, -86.78, 690),
    ("Detroit", "MI", 48201, 42.33, -83.05, 630), ("Portland", "OR", 97201, 45.52, -122.68, 630),
    ("Memphis", "TN", 37501, 35.15, -90.05, 620), ("Milwaukee", "WI", 53201, 43.04, -87.91, 560),
    ("Albuquerque", "NM", 87101, 35.08, -106.65, 560), ("Kansas City", "MO", 64101, 39.10, -94.58, 510),
    ("Omaha", "NE", 68101, 41.26, -95.94, 480), ("Minneapolis", "MN", 55401, 44.98, -93.27, 425),
    ("New Orleans", "LA", 70112, 29.95, -90.07, 365), ("Boise", "ID", 83701, 43.62, -116.20, 235),
)  # fmt: skip

# Sparkov's category names, each with the typical amount that we give it, in dollars.
CATEGORIES = {
    "misc_net": 25, "misc_pos": 20, "shopping_net": 45, "shopping_pos": 40, "gas_transport": 50,
    "grocery_net": 40, "grocery_pos": 60, "entertainment": 35, "food_dining": 30, "health_fitness": 30,
    "home": 45, "kids_pets": 35, "personal_care": 25, "travel": 60,
}  # fmt: skip
SHOPS_PER_CITY = 70

_FIRST = {
    "F": ("Ada", "Bella", "Clara", "Dora", "Elena", "Fatima", "Grace", "Hana", "Ines", "Joan"),
    "M": ("Adam", "Bruno", "Carl", "David", "Emil", "Farid", "George", "Hugo", "Ivan", "Jack"),
}
_LAST = ("Archer", "Baker", "Cooper", "Dyer", "Fisher", "Glover", "Hunter", "Mason", "Potter", "Weaver")
_STREETS = ("Oak Street", "Elm Avenue", "Mill Lane", "High Road", "Lake Drive", "Station Way")
_JOBS = ("Accountant", "Baker", "Carpenter", "Driver", "Engineer", "Librarian", "Nurse", "Teacher")
_SHOP_SIGNS = ("Corner", "Market", "Central", "Harbour", "Garden", "Union", "Golden")


@dataclass(frozen=True)
class World:
    """Shops, and the homes of `cards` cards. Shop `s` is in city `s // SHOPS_PER_CITY`."""

    shop_name: list[str]
    shop_category: NDArray[np.int8]  # code into CATEGORIES
    shop_level: Floats  # log of the typical amount
    shop_lat: Floats
    shop_long: Floats
    cc_num: Ints
    home_city: Ints
    card_level: Floats  # log of the card's spending beside the typical
    favourite: Ints  # the card's own first shop in its city


def make_world(rng: np.random.Generator, cards: int) -> World:
    """A world whose shops lie within some 20 km of their city's middle."""
    shops = len(CITIES) * SHOPS_PER_CITY
    city = np.repeat(np.arange(len(CITIES)), SHOPS_PER_CITY)
    category = rng.integers(0, len(CATEGORIES), shops)
    people = np.array([c[5] for c in CITIES], dtype=np.float64)
    return World(
        shop_name=[f"{_SHOP_SIGNS[s % 7]} {CITIES[c][0]} {s:04d}" for s, c in enumerate(city.tolist())],
        shop_category=category.astype(np.int8),
        shop_level=np.log(np.array(list(CATEGORIES.values()), dtype=np.float64))[category],
        shop_lat=np.round(np.array([c[3] for c in CITIES])[city] + rng.normal(0, 0.08, shops), 6),
        shop_long=np.round(np.array([c[4] for c in CITIES])[city] + rng.normal(0, 0.08, shops), 6),
        cc_num=_card_numbers(rng, cards),
        home_city=rng.choice(len(CITIES), cards, p=people / people.sum()),
        card_level=rng.normal(0, 0.35, cards),
        favourite=rng.integers(0, SHOPS_PER_CITY, cards),
    )


def _card_numbers(rng: np.random.Generator, cards: int) -> Ints:
    """Distinct 16-digit numbers that begin with 9: no bank issues those."""
    # Odd and no multiple of 5, so multiplying permutes the residues of 10**15.
    scattered = (np.arange(cards, dtype=np.int64) * 7_368_787 + int(rng.integers(10**15))) % 10**15
    return scattered + 9 * 10**15


def customers(rng: np.random.Generator, world: World) -> pd.DataFrame:
    """Sparkov's columns of the customer, one row a card in the order of `world.cc_num`."""
    cards = len(world.cc_num)
    where = pd.DataFrame(CITIES, columns=["city", "state", "zip", "lat", "long", "city_pop"])
    where = where.iloc[world.home_city].reset_index(drop=True)
    gender = rng.integers(0, 2, cards)
    age = rng.integers(18, 90, cards)
    born = np.datetime64("2024-01-01") - (age * 365 + rng.integers(0, 365, cards)).astype("timedelta64[D]")
    table = pd.DataFrame(
        {
            "ssn": [
                f"000-{n // 10_000:02d}-{n % 10_000:04d}" for n in rng.integers(0, 10**6, cards).tolist()
            ],
            "cc_num": world.cc_num,
            "first": _pick(_FIRST["F"] + _FIRST["M"], gender * 10 + rng.integers(0, 10, cards)),
            "last": _pick(_LAST, rng.integers(0, len(_LAST), cards)),
            "gender": _pick(("F", "M"), gender),
            "street": [f"{n} {_STREETS[n % len(_STREETS)]}" for n in rng.integers(1, 1000, cards).tolist()],
            **{name: where[name] for name in ("city", "state")},
            "zip": where["zip"].astype(str).str.zfill(5),
            "lat": (where["lat"] + rng.normal(0, 0.08, cards)).round(4),
            "long": (where["long"] + rng.normal(0, 0.08, cards)).round(4),
            "city_pop": where["city_pop"] * 1000,
            "job": _pick(_JOBS, rng.integers(0, len(_JOBS), cards)),
            "dob": np.datetime_as_string(born, unit="D").astype(object),
            "acct_num": rng.integers(10**11, 10**12, cards),
        }
    )
    table["profile"] = np.where(age < 25, "young_adults", np.where(age < 50, "adults_2550", "adults_50up"))
    return table


def _pick(words: tuple[str, ...], which: Ints) -> pd.Series[str]:
    return pd.Series(list(words)).take(which).reset_index(drop=True)
