"""Files of transactions: written whole, read back the same, in the forms that people have; and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course.cases import fraud

# The customer's columns, which are in every row of a Sparkov file, and of two of its customers.
WHO = "first,last,gender,street,city,state,zip,lat,long,city_pop,job,dob"
ADA = "Ada,Baker,F,1 Mill Lane,Boise,ID,83701,43.62,-116.2,235000,%s,1970-02-03"
BRUNO = "Bruno,Cooper,M,2 Oak Street,Boise,ID,83701,43.62,-116.2,235000,Baker,1980-02-03"
GENERATOR = f"""\
ssn|cc_num|{WHO}|acct_num|profile|trans_num|trans_date|trans_time|unix_time|category|amt|is_fraud|\
merchant|merch_lat|merch_long
000-11-2222|9000000000000011|{ADA % "Nurse"}|123|adults_50up|b2|2019-01-02|08:00:01|1546416001|gas_transport|50.8|0|\
fraud_Corner Shop|43.6|-116.3
000-11-2222|9000000000000011|{ADA % "Nurse"}|123|adults_50up|a1|2019-01-01|22:08:45|1546380525|grocery_net|7|1|\
fraud_Market; Sons and Co|43.7|-116.1
""".replace(",", "|").replace(";", ",")
SHARED = f"""\
,trans_date_trans_time,cc_num,merchant,category,amt,{WHO},trans_num,unix_time,merch_lat,merch_long,is_fraud
0,2019-01-01 00:00:18,4999999999999999999,"fraud_Market, Sons and Co",misc_net,4.97,{ADA % '"Nurse, retired"'},0b242a,\
1325376018,36.01,-82.05,0
1,2019-01-01 00:00:44,60423098,fraud_Corner Shop,grocery_pos,107.23,{BRUNO},1f7652,1325376044,49.16,-118.19,1
"""
PAYSIM = """\
step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,isFlaggedFraud
1,PAYMENT,9839.64,C1231006815,170136.0,160296.36,M1979787155,0.0,0.0,0,0
1,TRANSFER,181.0,C77,181.0,0.0,C553264065,0.0,0.0,1,0
30,CASH_OUT,229133.94,C77,15325.0,0.0,C38997010,0.0,214940.76,0,0
"""


def saved(folder: Path, text: str, name: str = "bank.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def refused(path: Path) -> str:
    with pytest.raises(fraud.FraudFileError) as caught:
        fraud.read(path)
    assert str(path) in str(caught.value)
    return str(caught.value).replace(str(path), "FILE")


def same(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal values and types; labels may be numbered otherwise."""
    pd.testing.assert_frame_equal(got, expected, check_categorical=False)
    assert list(map(str, got.dtypes)) == list(map(str, expected.dtypes))


# Writing


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("rows", [0, 1, 5_000])
def test_one_file_reads_back_as_it_was_written(form: str, rows: int, tmp_path: Path) -> None:
    table = fraud.make(rows, seed=1)
    files = fraud.write(table, tmp_path, format=form)  # type: ignore[arg-type]
    assert [path.name for path in files] == [f"transactions.{form}"]
    same(fraud.read(files[0]), table)
    same(fraud.read_folder(tmp_path), table)


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("rows", [0, 3, 5_000])
def test_parts_share_no_card_and_hold_every_row_once(form: str, rows: int, tmp_path: Path) -> None:
    table = fraud.make(rows, seed=2)
    files = fraud.write(table, tmp_path, parts=7, format=form)  # type: ignore[arg-type]
    assert [path.name for path in files] == [f"part-{number:03d}.{form}" for number in range(7)]
    parts = [fraud.read(path) for path in files]
    cards = [card for part in parts for card in part["cc_num"].unique()]
    assert len(cards) == len(set(cards)) == table["cc_num"].nunique()
    assert all(part["unix_time"].is_monotonic_increasing for part in parts)
    same(
        fraud.read_folder(tmp_path).sort_values("trans_num", ignore_index=True),
        table.sort_values("trans_num", ignore_index=True),
    )


def test_a_card_goes_to_the_same_part_whatever_else_is_in_the_table(tmp_path: Path) -> None:
    table = fraud.make(5_000, seed=3)
    whole = fraud.write(table, tmp_path / "whole", parts=5)
    half = fraud.write(table.iloc[::2], tmp_path / "half", parts=5)
    for one, other in zip(whole, half, strict=True):
        assert set(fraud.read(other)["cc_num"]) <= set(fraud.read(one)["cc_num"])


def test_skewed_cards_make_parts_of_uneven_size(tmp_path: Path) -> None:
    files = fraud.write(fraud.make(20_000, seed=4), tmp_path, parts=8)
    sizes = [len(fraud.read(path)) for path in files]
    assert max(sizes) > 1.15 * min(sizes)


def test_an_unsorted_table_is_written_sorted(tmp_path: Path) -> None:
    table = fraud.make(1_000, seed=5)
    (path,) = fraud.write(table.sample(frac=1.0, random_state=1), tmp_path)
    same(fraud.read(path), table)


def test_writing_again_replaces_what_was_written_before_and_touches_nothing_else(tmp_path: Path) -> None:
    notes = saved(tmp_path, "mine", "notes.csv")
    fraud.write(fraud.make(1_000, seed=6), tmp_path, parts=9)
    fraud.write(fraud.make(1_000, seed=6), tmp_path, format="csv")
    table = fraud.make(1_000, seed=7)
    files = fraud.write(table, tmp_path, parts=2)
    assert sorted(tmp_path.iterdir()) == sorted([*files, notes])
    assert len(fraud.read_folder(tmp_path)) == 1_000


def test_a_table_that_cannot_be_written_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    table = fraud.make(100, seed=8)
    (path,) = fraud.write(table, tmp_path, format="csv")
    bad = table.assign(merchant="here|there")
    with pytest.raises(fraud.FraudFileError, match="can't stand between"):
        fraud.write(bad, tmp_path, format="csv")
    assert list(tmp_path.iterdir()) == [path]
    same(fraud.read(path), table)


def test_the_csv_is_sparkovs_generators(tmp_path: Path) -> None:
    table = fraud.make(200, seed=9, full=True)
    (path,) = fraud.write(table, tmp_path, format="csv")
    header, first = path.read_text(encoding="utf-8").splitlines()[:2]
    assert header == "|".join(table.columns) == GENERATOR.splitlines()[0]
    values = dict(zip(header.split("|"), first.split("|"), strict=True))
    assert values["trans_date"] == table["trans_date"][0]
    assert values["trans_time"] == table["trans_time"][0]
    same(fraud.read(path), fraud.make(200, seed=9, full=True)[list(fraud.COLUMNS)])


@pytest.mark.parametrize("wrong", [{"parts": 0}, {"format": "xlsx"}])
def test_a_senseless_way_of_writing_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected"):
        fraud.write(fraud.make(10, seed=1), tmp_path, **wrong)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


# Reading


def test_sparkov_is_read_as_its_generator_writes_it(tmp_path: Path) -> None:
    table = fraud.read(saved(tmp_path, GENERATOR))
    assert list(table.columns) == list(fraud.COLUMNS)
    assert table["trans_num"].tolist() == ["a1", "b2"]  # sorted by time
    assert table["unix_time"].tolist() == [1546380525, 1546416001]
    assert table["cc_num"].tolist() == [9000000000000011] * 2
    assert table["amt"].tolist() == [7.0, 50.8]
    assert table["is_fraud"].tolist() == [1, 0]
    assert table["merchant"].tolist() == ["Market, Sons and Co", "Corner Shop"]
    assert table["merch_long"].tolist() == [-116.1, -116.3]


def test_sparkov_is_read_as_it_is_shared(tmp_path: Path) -> None:
    table = fraud.read(saved(tmp_path, SHARED))
    assert table["cc_num"].tolist() == [4999999999999999999, 60423098]
    assert table["merchant"].tolist() == ["Market, Sons and Co", "Corner Shop"]
    assert table["unix_time"].tolist() == [1325376018, 1325376044]
    assert list(map(str, table.dtypes)) == list(map(str, fraud.make(5, seed=1).dtypes))


def test_paysim_is_read_by_account_and_step_and_without_places(tmp_path: Path) -> None:
    table = fraud.read(saved(tmp_path, PAYSIM))
    assert table["cc_num"].tolist() == [1231006815, 77, 77]
    assert table["unix_time"].tolist() == [3_600, 3_600, 108_000]
    assert table["trans_num"].tolist() == ["paysim-000000001", "paysim-000000002", "paysim-000000003"]
    assert table["merchant"].tolist() == ["M1979787155", "C553264065", "C38997010"]
    assert table["is_fraud"].tolist() == [0, 1, 0]
    assert table[["merch_lat", "merch_long"]].isna().all(axis=None)
    reasons = fraud.find_alerts(table)["reasons"]
    assert len(reasons) == 2
    assert not (reasons & fraud.Reason.SPEED.value).any()
    fraud.write(table, tmp_path / "again", format="csv")
    same(fraud.read_folder(tmp_path / "again"), table)


@pytest.mark.parametrize("text", [GENERATOR, SHARED, PAYSIM], ids=["generator", "shared", "paysim"])
def test_a_byte_order_mark_windows_line_ends_and_blank_lines_change_nothing(
    text: str, tmp_path: Path
) -> None:
    plain = fraud.read(saved(tmp_path, text))
    same(fraud.read(saved(tmp_path, "\ufeff" + text.replace("\n", "\r\n") + "\r\n\r\n")), plain)


@pytest.mark.parametrize("text", [GENERATOR, SHARED, PAYSIM], ids=["generator", "shared", "paysim"])
def test_a_header_alone_is_an_empty_table_of_the_right_types(text: str, tmp_path: Path) -> None:
    table = fraud.read(saved(tmp_path, text.splitlines()[0] + "\n"))
    assert len(table) == 0
    assert list(map(str, table.dtypes)) == list(map(str, fraud.make(0, seed=1).dtypes))


def test_only_the_columns_asked_for_are_given_in_that_order(tmp_path: Path) -> None:
    for form in ("parquet", "csv"):
        (path,) = fraud.write(fraud.make(100, seed=1), tmp_path, format=form)  # type: ignore[arg-type]
        assert list(fraud.read(path, ["amt", "cc_num"]).columns) == ["amt", "cc_num"]
        assert list(fraud.read_folder(tmp_path, ["merchant"]).columns) == ["merchant"]
    with pytest.raises(fraud.FraudFileError, match="no column is called colour"):
        fraud.read(path, ["colour"])


def test_another_programs_parquet_with_other_types_is_read(tmp_path: Path) -> None:
    table = fraud.make(100, seed=1)
    other = table.astype({"cc_num": "uint64", "is_fraud": bool, "merchant": str, "unix_time": "float64"})
    other["nonsense"] = 1
    other.to_parquet(tmp_path / "x.bin")
    same(fraud.read(tmp_path / "x.bin"), table)


# What is refused


def test_a_missing_file_a_folder_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == "FILE: there is no such file"
    assert "read_folder" in refused(tmp_path)
    assert "empty" in refused(saved(tmp_path, ""))
    with pytest.raises(fraud.FraudFileError, match=r"found no part-\*\.parquet"):
        fraud.read_folder(tmp_path)
    with pytest.raises(fraud.FraudFileError, match=r"found no part-\*\.parquet"):
        fraud.read_folder(tmp_path / "none")


def test_what_is_not_parquet_or_only_half_of_it_is_refused(tmp_path: Path) -> None:
    assert "not Parquet" in refused(saved(tmp_path, GENERATOR, "part-000.parquet"))
    (path,) = fraud.write(fraud.make(1_000, seed=1), tmp_path / "whole")
    half = tmp_path / "half.parquet"
    half.write_bytes(path.read_bytes()[:5_000])
    assert "damaged or unfinished" in refused(half)
    noise = tmp_path / "noise.csv"
    noise.write_bytes(bytes(range(256)))
    assert "neither Parquet nor text" in refused(noise)


def test_parquet_without_a_column_or_with_wrong_values_is_refused(tmp_path: Path) -> None:
    table = fraud.make(100, seed=1)
    path = tmp_path / "x.parquet"
    table.drop(columns=["amt", "merchant"]).to_parquet(path)
    assert "missing column amt, merchant" in refused(path)
    for name, value in (("amt", np.nan), ("is_fraud", 2), ("unix_time", 0.5), ("cc_num", "C1")):
        table.assign(**{name: value}).to_parquet(path)
        assert "FILE: " in refused(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GENERATOR.replace("|", ";"), "FILE, line 1: the columns are separated by ';'; expected '|'"),
        (GENERATOR.replace(", ", " ").replace("|", ","), "FILE, line 1: the columns are separated by ','"),
        (SHARED.replace(",", "\t"), "FILE, line 1: the columns are separated by a tab; expected ','"),
        (PAYSIM.replace(",", ";"), "FILE, line 1: the columns are separated by ';'; expected ','"),
        (SHARED.replace("cc_num", "card"), "FILE, line 1: missing column cc_num; expected"),
        (
            PAYSIM.replace("isFraud,", "").replace("step", "hour"),
            "FILE, line 1: missing column step, isFraud",
        ),
        ("a,b,c\n1,2,3\n", "FILE, line 1: 'a,b,c' is no header that we know; expected"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_by_name(text: str, expected: str, tmp_path: Path) -> None:
    assert refused(saved(tmp_path, text)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (
            GENERATOR,
            "2019-01-01",
            "01/01/2019",
            "line 3: trans_date is '01/01/2019'; expected a date YYYY-MM-DD",
        ),
        (GENERATOR, "22:08:45", "25:08:45", "line 3: trans_time is '25:08:45'; expected a time HH:MM:SS"),
        (GENERATOR, "|50.8|", "|50,8|", "line 2: amt is '50,8'; expected a number"),
        (GENERATOR, "|50.8|", "||", "line 2: amt is ''; expected a number"),
        (GENERATOR, "|50.8|", "|nan|", "line 2: amt is 'nan'; expected a number"),
        (GENERATOR, "|7|1|", "|7|2|", "line 3: is_fraud is '2'; expected 0 or 1"),
        (GENERATOR, "|7|1|", "|7|1|x|", "line 3: 27 columns; expected 26"),
        (GENERATOR, "|43.7|", "|north|", "line 3: merch_lat is 'north'; expected degrees"),
        (
            SHARED,
            "2019-01-01 00:00:44",
            "01/01/2019 00:00",
            "line 3: trans_date_trans_time is '01/01/2019 00:00'",
        ),
        (
            SHARED,
            "60423098",
            "6.0423E+07",
            "line 3: cc_num is '6.0423E+07'; expected a card number, all digits",
        ),
        (SHARED, "Market, Sons", "Market,\nSons", ""),
        (PAYSIM, "\n30,", "\nthirty,", "line 4: step is 'thirty'; expected a whole number"),
        (PAYSIM, "\n30,", "\n\n\nthirty,", "line 6: step is 'thirty'; expected a whole number"),
        (PAYSIM, "C77", "M77", "line 3: nameOrig is 'M77'; expected C and a number"),
        (PAYSIM, "9839.64", "inf", "line 2: amount is 'inf'; expected a number"),
    ],
)
def test_a_bad_line_is_named_with_what_stands_there(
    text: str, old: str, new: str, expected: str, tmp_path: Path
) -> None:
    path = saved(tmp_path, text.replace(old, new, 1))
    if expected:
        assert refused(path).startswith(f"FILE, {expected}")
    else:  # a line break inside quotes is no fault
        assert len(fraud.read(path)) == 2


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = SHARED.replace("Nurse, retired", "Nurse,\nretired").replace("107.23", "much")
    assert refused(saved(tmp_path, text)).startswith("FILE, line 4: amt is 'much'")


def test_a_bad_line_far_down_a_long_file_is_found(tmp_path: Path) -> None:
    (path,) = fraud.write(fraud.make(20_000, seed=1), tmp_path, format="csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[15_000] = lines[15_000].replace("|2025-", "|2O25-")
    path.write_text("\n".join(lines), encoding="utf-8")
    assert refused(path).startswith("FILE, line 15001: trans_date is '2O25-")


def test_text_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(SHARED.replace("Corner", "Caf\u00e9").encode("latin-1"))
    assert refused(path).startswith("FILE, line 3: merchant is")
