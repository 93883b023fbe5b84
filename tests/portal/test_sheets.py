"""Tables as files: what a cell holds is never calculated by whoever opens it."""

import csv
import datetime as dt
import io
import zipfile

import pytest

from portal.shared.sheets import csv_pieces, harmless, xlsx_file

AT = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)


def as_csv(head, rows):
    return list(csv.reader(io.StringIO(b"".join(csv_pieces(head, rows)).decode("utf-8-sig"), newline="")))


def part(file, name):
    return zipfile.ZipFile(file).read(name).decode()


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe_in_csv(beginning):
    text = f"{beginning}HYPERLINK(1)"
    assert as_csv(["Company"], [[text]]) == [["Company"], [f"'{text}"]]


@pytest.mark.parametrize("between", [";", '; "', "\n", "\r\n", "\t", ";;", ","])
def test_no_cell_is_a_formula_where_a_spreadsheet_cuts_at_semicolons(between):
    text = f"Corvane, Ltd{between}=HYPERLINK(1);"
    lines = b"".join(csv_pieces(["Company"], [[text]])).decode("utf-8-sig").splitlines()
    cells = [cell.strip(' "') for line in lines for cell in line.split(";")]
    assert not [cell for cell in cells if cell.startswith("=")]


def test_ordinary_texts_and_negative_numbers_stay_as_they_are():
    assert as_csv(["A", "B", "C"], [["3 = 2", -4, None]])[1] == ["3 = 2", "-4", ""]
    for text in ("", "A; b - c", "first line\nsecond line", "a;b=c"):
        assert harmless(text) == text


def test_a_csv_of_more_rows_than_one_piece_holds_every_row_once():
    rows = [[n] for n in range(1203)]
    assert as_csv(["N"], rows)[1:] == [[str(n)] for n in range(1203)]


def test_rows_are_read_only_as_far_as_the_reader_has_come():
    read = []
    pieces = csv_pieces(["N"], (read.append(n) or [n] for n in range(10_000)))
    next(pieces), next(pieces)
    assert 0 < len(read) < 1000


def test_in_a_workbook_a_formula_is_a_text_cell_and_a_moment_is_a_date():
    sheet = part(xlsx_file(["Company", "At", "N"], [["=1+1", AT, -2]]), "xl/worksheets/sheet1.xml")
    assert "<f>" not in sheet
    assert "<t>=1+1</t>" in sheet
    assert "<v>-2</v>" in sheet
    assert "<v>46082.39583333" in sheet


def test_what_does_not_fit_on_a_sheet_goes_on_the_next_one_with_a_head_of_its_own():
    book = zipfile.ZipFile(xlsx_file(["N"], [[n] for n in range(5)], most=2))
    sheets = [book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2, 3)]
    assert [sheet.count("<row ") for sheet in sheets] == [3, 3, 2]
