"""Tables as files: CSV line by line, XLSX by a writer that keeps one row in memory. No cell is ever a formula.

A text that begins like a formula gets an apostrophe in CSV, which spreadsheets take for "this is text"; so does what
follows a semicolon, a tab or a new line in it, for half of Europe's spreadsheets cut at semicolons. In XLSX each text
is written as a text cell, so nothing has to be changed.
"""

import csv
import datetime as dt
import io
import re
import tempfile
from itertools import batched, chain

import xlsxwriter
from django.http import FileResponse, Http404, StreamingHttpResponse

CSV, XLSX = FORMS = ("csv", "xlsx")
# where a spreadsheet may take what follows for the beginning of a formula
DANGEROUS = re.compile(r"""^(?=\s*[=+\-@]|[\t\r\n|%])|(?<=[;\t\r\n])(?=["' ]*[=+\-@])""")
AT_ONCE = 500  # rows in one piece of a CSV
SHEET_ROWS = 1_048_575  # of one sheet, below its head; the next ones go on a further sheet
CELL_LENGTH = 32_767  # the longest text of a cell
MOMENT, DAY = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"


def download(form, name, head, rows):
    """The response that brings the table as a file `name`.`form`; no page for another form than FORMS.

    head: names of the columns. rows: any iterable of as many values each: text, numbers, dates, moments, None.
    Moments are aware, in the zone that they are to be read in.
    """
    if form not in FORMS:
        raise Http404("There is no such file.")
    if form == CSV:
        response = StreamingHttpResponse(csv_pieces(head, rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return FileResponse(xlsx_file(head, rows), as_attachment=True, filename=f"{name}.xlsx", content_type=kind)


def csv_pieces(head, rows):
    """The CSV in pieces of UTF-8, with the mark by which spreadsheets know it."""
    yield b"\xef\xbb\xbf"
    for piece in batched(chain([head], rows), AT_ONCE, strict=False):
        text = io.StringIO(newline="")
        csv.writer(text).writerows([_plain(value) for value in row] for row in piece)
        yield text.getvalue().encode()


def _plain(value):
    if isinstance(value, dt.date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value


def harmless(text):
    """The text, with an apostrophe before it where a spreadsheet would calculate it."""
    return DANGEROUS.sub("'", text)


def xlsx_file(head, rows, most=SHEET_ROWS):
    """An open temporary file with the workbook, at its beginning; the row after `most` begins a further sheet."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        formats = {name: book.add_format({"num_format": code}) for name, code in (("moment", MOMENT), ("day", DAY))}
        bold = book.add_format({"bold": True})
        sheet = _sheet(book, head, bold)
        for place, row in enumerate(rows):
            if place and place % most == 0:
                sheet = _sheet(book, head, bold)
            for column, value in enumerate(row):
                _write(sheet, place % most + 1, column, value, formats)
    file.seek(0)
    return file


def _sheet(book, head, bold):
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(head):
        sheet.write_string(0, column, name, bold)
    return sheet


def _write(sheet, row, column, value, formats):
    if isinstance(value, dt.datetime):
        sheet.write_datetime(row, column, value.replace(tzinfo=None), formats["moment"])
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, column, value, formats["day"])
    elif isinstance(value, str):
        sheet.write_string(row, column, value[:CELL_LENGTH])
    elif value is not None:
        sheet.write_number(row, column, value)
