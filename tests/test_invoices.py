"""Invoices: what is in an inbox, what checking finds and refuses, what the book knows, and how what is in flight is
counted across processes."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections import Counter
from pathlib import Path

import pytest

from course.cases import invoices
from course.cases.invoices_make import LINES

ACCOUNT, ARTICLE = (
    "DE89370400440532013000",
    "4006381333931",
)  # with which the standards are commonly explained


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    invoices.make(folder, 1_000, seed=5)
    return folder


def invoice(**changes: object) -> str:
    """One right invoice, as a record, with changes: of its first line where the field is a line's."""
    line = {
        "StandardItemIdentification": ARTICLE,
        "Name": "screw, zinc, 4 x 40 mm, box",
        "Description": "zinc screw 4x40mm 1 box, new",
        "InvoicedQuantity": "12",
        "PriceAmount": "3.45",
        "LineExtensionAmount": "41.40",
        "Percent": 19,
    }
    header = {
        "ID": "R-1",
        "AccountingSupplierParty": "S-1",
        "DocumentCurrencyCode": "EUR",
        "PayeeFinancialAccount": ACCOUNT,
        "TaxAmount": "7.87",
        "PayableAmount": "49.27",
    }
    for name, value in changes.items():
        (line if name in line else header)[name] = value
    return json.dumps(header | {"InvoiceLine": [line]})


# Checking


def test_a_right_invoice_has_no_fault() -> None:
    assert invoices.check(invoice()) == ("S-1", "R-1", "49.27", "")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"PriceAmount": "3.46"}, "line"),
        ({"StandardItemIdentification": "4006381333932"}, "article"),
        ({"Description": "see delivery note"}, "text"),
        ({"TaxAmount": "7.86", "PayableAmount": "49.26"}, "tax"),
        ({"PayableAmount": "49.28"}, "total"),
        ({"PayeeFinancialAccount": "DE88370400440532013000"}, "account"),
        ({"Percent": 7, "TaxAmount": "2.90", "PayableAmount": "44.31"}, "total"),
    ],
)
def test_each_fault_is_found_and_named(changes: dict[str, object], fault: str) -> None:
    assert invoices.check(invoice(**changes)).faults == fault


def test_tax_is_rounded_half_up_to_whole_hundredths_for_each_rate() -> None:
    half = {"InvoicedQuantity": "1", "PriceAmount": "0.50", "LineExtensionAmount": "0.50", "Percent": 7}
    assert invoices.check(invoice(**half, TaxAmount="0.04", PayableAmount="0.54")).faults == ""


@pytest.mark.parametrize(
    ("record", "error", "says"),
    [
        (invoice()[:40], json.JSONDecodeError, "line 1"),
        (invoice().replace("TaxAmount", "VAT"), KeyError, "TaxAmount"),
        (invoice(PayableAmount="about 49"), ValueError, "'about 49' is no number"),
        (invoice(DocumentCurrencyCode="XEUR"), invoices.UnknownCurrencyError, "R-1 is in 'XEUR'"),
    ],
)
def test_what_is_no_invoice_raises(record: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        invoices.check(record)


def test_one_of_the_exceptions_does_not_survive_pickling() -> None:
    """The lab teaches to send a text: this is what it saves from."""
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(invoices.UnknownCurrencyError("XEUR", "R-1")))


# The book


def test_who_sends_an_invoice_twice_has_both_held(tmp_path: Path) -> None:
    book = invoices.Book(tmp_path)
    book.enter(0, invoices.Checked("S-1", "R-1", "5.00", ""))
    book.enter(1, invoices.Checked("S-2", "R-1", "5.00", ""))
    book.enter(2, invoices.Checked("S-1", "R-1", "5.00", "tax"))
    book.reject(3, "KeyError: 'ID'")
    assert book.report() == {
        0: "hold: twice",
        1: "pay 5.00",
        2: "hold: twice, tax",
        3: "reject: KeyError: 'ID'",
    }


def test_the_order_of_entries_changes_nothing(inbox: Path) -> None:
    checked = [(position, invoices.check(record)) for position, record in invoices.read(inbox)]
    book = invoices.Book(inbox)
    for position, one in reversed(checked):
        book.enter(position, one)
    assert book.report() == invoices.check_all(inbox)


def test_an_invoice_is_entered_once(tmp_path: Path) -> None:
    book = invoices.Book(tmp_path)
    book.reject(7, "unreadable")
    with pytest.raises(ValueError, match="Invoice 7 is in the book already"):
        book.reject(7, "unreadable")


# An inbox


@pytest.mark.parametrize("size", [0, 1, 2, 6, 61])
def test_every_size_can_be_made_read_and_checked(tmp_path: Path, size: int) -> None:
    invoices.make(tmp_path, size, seed=size)
    assert [position for position, _ in invoices.read(tmp_path)] == list(range(size))
    assert len(invoices.check_all(tmp_path)) == size


def test_some_of_everything_is_wrong_and_most_is_right(inbox: Path) -> None:
    report = invoices.check_all(inbox)
    kinds = Counter(
        fault
        for text in report.values()
        for fault in text.removeprefix("hold: ").split(", ")
        if "pay" not in text
    )
    assert {"account", "article", "line", "tax", "text", "total", "twice"} == kinds.keys()
    assert sum(text.startswith("pay") for text in report.values()) > 0.9 * len(report)


def test_invoices_have_as_many_lines_as_they_may(inbox: Path) -> None:
    counts = {len(json.loads(record)["InvoiceLine"]) for _, record in invoices.read(inbox)}
    assert (min(counts), max(counts)) == LINES


def test_what_is_broken_is_broken_in_four_ways_first_and_last_among_it(tmp_path: Path) -> None:
    invoices.make(tmp_path, 200, seed=1, broken=0.1)
    report = invoices.check_all(tmp_path)
    causes = Counter(text.split(": ")[1] for text in report.values() if text.startswith("reject"))
    assert causes.keys() == {"JSONDecodeError", "KeyError", "UnknownCurrencyError", "ValueError"}
    assert report[0].startswith("reject")
    assert report[199].startswith("reject")
    assert 5 < causes.total() < 50


def test_the_seed_decides_the_inbox(tmp_path: Path) -> None:
    reports = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        invoices.make(tmp_path / name, 300, seed)
        reports.append(invoices.check_all(tmp_path / name))
    assert reports[0] == reports[1] != reports[2]


# In flight


def test_nothing_is_counted_unless_it_is_asked_for(inbox: Path) -> None:
    invoices.check_all(inbox)
    assert {path.suffix for path in inbox.iterdir()} == {".jsonl"}


def test_one_at_a_time_is_one_in_flight(tmp_path: Path) -> None:
    invoices.make(tmp_path, 40, seed=1, broken=0.2)
    invoices.start_counting(tmp_path)
    invoices.check_all(tmp_path)
    moments, counts, (read, entered) = invoices.in_flight(tmp_path)
    assert (counts.max(), counts[-1], read, entered) == (1, 0, 40, 40)
    assert moments[0] == 0
    assert (moments[1:] >= moments[:-1]).all()


def test_counting_begins_anew(tmp_path: Path) -> None:
    invoices.make(tmp_path, 10, seed=1)
    for _ in range(2):
        invoices.start_counting(tmp_path)
        invoices.check_all(tmp_path)
    assert invoices.in_flight(tmp_path)[2] == (10, 10)


def test_an_empty_inbox_has_nothing_in_flight(tmp_path: Path) -> None:
    invoices.make(tmp_path, 0, seed=1)
    invoices.start_counting(tmp_path)
    assert invoices.check_all(tmp_path) == {}
    moments, counts, came = invoices.in_flight(tmp_path)
    assert (len(moments), len(counts), came) == (0, 0, (0, 0))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_what_another_process_reads_is_counted_too(tmp_path: Path, method: str) -> None:
    invoices.make(tmp_path, 25, seed=1)
    invoices.start_counting(tmp_path)
    reader = multiprocessing.get_context(method).Process(target=invoices.check_all, args=(tmp_path,))
    reader.start()
    reader.join(60)
    assert reader.exitcode == 0
    list(invoices.read(tmp_path))
    _, counts, came = invoices.in_flight(tmp_path)
    assert came == (50, 25)
    assert counts.max() == 25
