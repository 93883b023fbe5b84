"""The file of refused rows reads in the order of the imported file, whenever each problem was found."""

import csv

from leads.intake.imports.problems import ErrorsFile, Problem


def test_refused_rows_are_told_in_row_order_though_some_are_found_late(tmp_path):
    errors = ErrorsFile(tmp_path / "errors.csv", keep=3)
    for row in (5, 9, 12, 3, 40, 7):
        errors.add(Problem(row, "email", f"line one of {row}\nline “two”", "bad_email", "Not an address."))
    errors.close()
    text = (tmp_path / "errors.csv").read_bytes().decode("utf-8-sig")
    lines = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [line["row"] for line in lines] == ["3", "5", "7", "9", "12", "40"]
    assert lines[2]["value"] == "line one of 7\nline “two”"
    assert [problem.row for problem in errors.first] == [3, 5, 7]
    assert [path.name for path in tmp_path.iterdir()] == ["errors.csv"]
    assert (errors.count, errors.name) == (6, str(tmp_path / "errors.csv"))


def test_no_file_is_made_when_no_row_was_refused(tmp_path):
    errors = ErrorsFile(tmp_path / "errors.csv")
    errors.close()
    assert (errors.count, errors.name, list(tmp_path.iterdir())) == (0, None, [])
