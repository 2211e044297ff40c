"""Files of rows and columns: every text comes back, every dialect is understood, every fault has its place."""

import os
import random
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from service import sheets
from service.errors import LimitExceeded, RejectedFile, UserError
from service.sheets import Line, Mistakes, header_of, lines_of_file, lines_of_text
from service.writing import CsvWriter
from service.writing_workbooks import XlsxWriter, write_xlsx

# Whatever a GraphQL string or a file in UTF-8 can hold, but for the NUL that no text has.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
CELLS = st.one_of(
    st.text(LETTERS, max_size=12),
    st.text(st.sampled_from("'=+-@\t\r\n\",; \ufeffa1"), max_size=6),
    st.sampled_from(
        ["_x000D_", "_x005F_x0041_", "<r><t>x</t></r>", "]]>", "&amp;", "\ufffe\uffff", "sep=;", "1e5", "007"]
    ),
)
RUNS = settings(deadline=None, max_examples=min(200, int(os.environ.get("GROVE_TEST_RUNS", "200"))))
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=8)
HEADERS = st.lists(CELLS.filter(str.strip), min_size=1, max_size=5)


def read(text: str) -> list[Line]:
    return list(lines_of_text(text))


def rows(text: str) -> list[list[str]]:
    return [line.cells for line in read(text)]


def faults(lines: Iterator[Line]) -> list[UserError]:
    with pytest.raises(RejectedFile) as refused:
        list(lines)
    return list(refused.value.every)


def fault(text: str) -> tuple[str, tuple[str, ...]]:
    (error,) = faults(lines_of_text(text))
    return error.code.value, error.path


def saved(directory: Path, content: bytes, name: str = "file.csv") -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


@given(st.text(LETTERS))
def test_what_is_made_harmless_is_restored(cell: str) -> None:
    written = sheets.harmless(cell)
    assert sheets.restored(written) == cell
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(st.sampled_from("'=+-@\t\r a")))
def test_what_is_made_harmless_is_restored_however_it_begins(cell: str) -> None:
    assert sheets.restored(sheets.harmless(cell)) == cell


def numbered(lines: Sequence[Sequence[str]]) -> list[Line]:
    """What is read of these lines: those that are blank as they stand in the file are counted, and no more."""
    return [
        Line(number, list(cells))
        for number, cells in enumerate(lines, 1)
        if any(sheets.harmless(cell).strip() for cell in cells)
    ]


def bare(lines: list[Line]) -> list[Line]:
    """Without the empty cells at a row's end, which an Excel file does not have."""
    return [Line(line.number, "\0".join(line.cells).rstrip("\0").split("\0")) for line in lines]


@RUNS
@given(HEADERS, ROWS, st.integers(1, 4))
def test_what_is_written_as_csv_is_read_as_it_was(header: list[str], others: list[list[str]], size: int) -> None:
    lines, writer = [header, *others], CsvWriter()
    text = "".join(writer.text(lines[start : start + size]) for start in range(0, len(lines), size))
    assert text.startswith("\ufeff")
    assert read(text) == numbered(lines)


@RUNS
@given(HEADERS, ROWS)
def test_what_is_written_for_excel_is_read_as_it_was(header: list[str], others: list[list[str]]) -> None:
    lines = [header, *others]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "a.xlsx")
        write_xlsx(path, lines)
        assert [entry.name for entry in Path(directory).iterdir()] == ["a.xlsx"]
        assert bare(list(lines_of_file(path))) == bare(numbered(lines))
        # Somebody else's reader finds the same, with the apostrophes; it leaves two letters as they are escaped.
        sheet = python_calamine.load_workbook(path).get_sheet_by_index(0)
        expected = [
            [sheets.harmless(cell).replace("\ufffe", "_xFFFE_").replace("\uffff", "_xFFFF_") for cell in cells]
            for cells in lines
            if any(cells)
        ]
        found = [cells for cells in sheet.to_python(skip_empty_area=False) if any(cells)]
        assert [trimmed(cells) for cells in found] == [trimmed(cells) for cells in expected]


def trimmed(cells: Sequence[Any]) -> list[Any]:
    return list(cells[: max((place for place, cell in enumerate(cells, 1) if cell), default=0)])


def test_csv_is_written_as_excel_calls_it() -> None:
    writer = CsvWriter()
    assert writer.text([]) == ""
    assert writer.text([["Code", "Naïve"]]) == "\ufeffCode,Naïve\r\n"
    assert writer.text([["1", "=cmd()"], ["2", "a,b"]]) == '1,\'=cmd()\r\n2,"a,b"\r\n'


def test_what_excel_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.writing_workbooks.MOST_ROWS", 3)
    with XlsxWriter(tmp_path / "a.xlsx") as writer:
        writer.add([["x" * 32_767], ["="], []])
        with pytest.raises(LimitExceeded, match="CSV"):
            writer.add([["4"]])
    assert len(list(lines_of_file(tmp_path / "a.xlsx"))) == 2
    with XlsxWriter(tmp_path / "b.xlsx") as writer, pytest.raises(LimitExceeded, match="CSV"):
        writer.add([["x" * 32_768]])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_dialects(tmp_path: Path, delimiter: str, ending: str, encoding: str) -> None:
    text = ending.join(
        [
            delimiter.join(["Code", '"Na,;\tme"', "Typ"]),
            "",
            delimiter.join(["1", '"a\n""b"""', "é"]),
            delimiter * 2,
            delimiter.join(["2", '5" pipe']),
        ]
    )
    expected = [Line(1, ["Code", "Na,;\tme", "Typ"]), Line(3, ["1", 'a\n"b"', "é"]), Line(5, ["2", '5" pipe'])]
    assert list(lines_of_file(saved(tmp_path, text.encode(encoding)))) == expected
    assert read(text) == read("\ufeff" + text) == expected


def test_excel_s_own_first_line_names_the_delimiter_and_is_not_counted() -> None:
    assert read("sep=;\r\na,b;c\r\n1;2\r\n") == [Line(1, ["a,b", "c"]), Line(2, ["1", "2"])]
    assert read("SEP=|\na|b\n") == [Line(1, ["a", "b"])]


def test_the_delimiter_is_that_of_the_header() -> None:
    assert rows("Code;Name\n1;a,b,c,d\n") == [["Code", "Name"], ["1", "a,b,c,d"]]
    assert rows("\n \nCode\n1,2\n") == [["Code"], ["1", "2"]]
    assert [line.number for line in read("\n \nCode\n1\n")] == [3, 4]


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    assert [line.number for line in read('a,b\n"1\n2\n3",x\n\n,\ny,z')] == [1, 2, 5]


def test_nothing_is_read_out_of_nothing() -> None:
    for text in ("", "\n", "\r\n\r\n", " , ,\n", "\ufeff"):
        assert read(text) == []
        with pytest.raises(RejectedFile, match="must name the columns"):
            header_of(lines_of_text(text))


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ('Code,Name\n1,"open', "2", "Name"),
        ('Code,Name\n\n1,a\n"open,2\n', "4", "Code"),
        ('Code,Name\n1,a,"b"c\n', "2", "3"),
        ('Code,Name\n1,"b"c,d\n', "2", "Name"),
        ('"Code,Name\n1,2\n', "1", "1"),
        ("Code,Name\n1,a\0\n", "2", "Name"),
        ("Code,Name\n1,\ud800\n", "2", "Name"),
        ("Code,Name\n1," + "x" * 131_073 + ",y\n", "2", "Name"),
        ('Code,Name\n1,"' + "x" * 200_000, "2", "Name"),
        ("Code,Name\n" + "," * 16_384 + "x\n", "2", "16385"),
        ("Code,Name\n1,2\n" + "a," * 3_000_000, "3", "2097153"),
    ],
)
def test_what_cannot_be_read_has_its_place(text: str, row: str, column: str) -> None:
    assert fault(text) == ("BAD_ROW", ("csv", row, column))


def test_the_longest_cell_is_read() -> None:
    assert rows("a\n" + "x" * 131_072) == [["a"], ["x" * 131_072]]


def test_a_file_has_no_more_rows_than_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert len(read("a\n1\n2")) == 3
    assert fault("a\n1\n\n2") == ("BAD_ROW", ("csv", "4", "a"))
    assert fault("\n" * 5) == ("BAD_ROW", ("csv", "4", "1"))
    assert fault("\n" * 5 + "a") == ("BAD_ROW", ("csv", "4", "1"))


def test_bad_cells_are_told_all_at_once() -> None:
    errors = faults(lines_of_text("a,b\n\0,1\n2,\0\n"))
    assert [error.path for error in errors] == [("csv", "2", "a"), ("csv", "3", "b")]


@pytest.mark.parametrize(
    "content",
    [
        "Código\n".encode("latin-1"),
        b"Code\n" * 50_000 + b"\xff\n",
        "Code\n".encode("utf-16")[:-1],
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        b"PK\x03\x04" + bytes(100),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    ],
)
def test_what_is_no_csv_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RejectedFile) as refused:
        list(lines_of_file(saved(tmp_path, content)))
    (error,) = refused.value.every
    assert (error.code, error.path) == ("BAD_HEADER", ("csv", "1", "1"))
    assert "save it" in error.message


def test_the_header_finds_columns_by_name_whatever_the_case() -> None:
    header = header_of(lines_of_text(" CODE ,customer  name,,Type\n"))
    assert header.places(["Code"], ["Type"], ["Customer Name"]) == {"Code": 0, "Type": 3}


def test_the_header_tells_every_column_that_is_wrong() -> None:
    header = header_of(lines_of_text("Colour,Type,type\n"))
    with pytest.raises(RejectedFile) as refused:
        header.places(["Code", "Name"], ["Type"])
    assert [(error.code, error.path) for error in refused.value.every] == [
        ("BAD_HEADER", ("csv", "1", column)) for column in ("Colour", "type", "Code", "Name")
    ]


def test_a_text_that_stands_in_no_column_is_told() -> None:
    mistakes = Mistakes()
    lines = lines_of_text("Code,,Name\nA,,b\nA,x,b,c, \n")
    header = header_of(lines)
    for line in lines:
        header.check(line, mistakes)
    with pytest.raises(RejectedFile) as refused:
        mistakes.check()
    assert [error.path for error in refused.value.every] == [("csv", "3", "2"), ("csv", "3", "4")]


# ──────────────────────────────────────── Excel files ────────────────────────────────────────


def workbook(path: Path, lines: Sequence[Sequence[Any]], **options: Any) -> Path:
    """An .xlsx file as Excel might write it: numbers, dates, and the texts of cells shared."""
    book = xlsxwriter.Workbook(str(path), options)
    sheet = book.add_worksheet()
    for number, line in enumerate(lines):
        for place, cell in enumerate(line):
            if isinstance(cell, str):
                sheet.write_string(number, place, cell)
            elif isinstance(cell, tuple):
                value, form = cell
                sheet.write(number, place, value, book.add_format({"num_format": form}))
            elif cell is not None:
                sheet.write(number, place, cell)
    book.close()
    return path


def test_cells_of_excel_read_as_their_owner_sees_them(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.csv",
        [
            [],
            ["Code", "Name"],
            [1001, 1001.0, 10.5, 0.1 + 0.2, 1e14, -3],
            [None, "00123", True, False],
            [
                (date(2026, 1, 31), "yyyy-mm-dd"),
                (datetime(2026, 1, 31, 12, 5), "dd/mm/yy hh:mm"),  # noqa: DTZ001
                (time(12, 30), "hh:mm"),
                (date(1900, 1, 1), "d.m.y"),
                (1001, '0" days"'),
                (1001, "[Red]0.00"),
                (1.0625, "[h]:mm"),
                (-5, "yyyy-mm-dd"),
            ],
            ["'=1+1", "=1+1", "a\r\nb\tc", "_x0041_", "\x01"],
        ],
        strings_to_formulas=False,
    )
    assert list(lines_of_file(path)) == [
        Line(2, ["Code", "Name"]),
        Line(3, ["1001", "1001", "10.5", "0.3", "100000000000000", "-3"]),
        Line(4, ["", "00123", "TRUE", "FALSE"]),
        Line(5, ["2026-01-31", "2026-01-31 12:05:00", "12:30:00", "1900-01-01", "1001", "1001", "25:30:00", "-5"]),
        Line(6, ["=1+1", "=1+1", "a\r\nb\tc", "_x0041_", "\x01"]),
    ]


def test_the_other_epoch_of_excel(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [[(date(2026, 1, 31), "yyyy-mm-dd")]], date_1904=True)
    assert list(lines_of_file(path)) == [Line(1, ["2026-01-31"])]


def test_errors_of_excel_are_no_values(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Code", "Name"])
    sheet.write_formula(1, 0, "=A9&B9", value="C-1")
    sheet.write_formula(1, 1, "=1/0", value="#REF!")
    sheet.write_string(2, 1, "#REF!")
    book.close()
    (error,) = faults(lines_of_file(tmp_path / "a.xlsx"))
    assert (error.code, error.path) == ("BAD_ROW", ("csv", "2", "Name"))
    assert "#REF!" in error.message


def test_only_the_first_sheet_is_read(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    book.add_worksheet("Zoë").write(0, 0, "first")
    book.add_worksheet("Another").write(0, 0, "second")
    book.close()
    assert list(lines_of_file(tmp_path / "a.xlsx")) == [Line(1, ["first"])]


def repacked(path: Path, **parts: str | None) -> Path:
    """The archive with some parts, named by their file's stem, put in the place of its own."""
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in kept.items():
            replaced = parts.get(Path(name).stem, content)
            if replaced is not None:
                new.writestr(name, replaced)
    return path


SHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("<row><c><v>1</v></c><c/><c><v>2</v></c></row>", [Line(1, ["1", "", "2"])]),
        ('<row r="5"><c r="C5"><v>1</v></c></row>', [Line(5, ["", "", "1"])]),
        ('<row r="2"/><row><c t="inlineStr"><is><r><t>a </t></r><r><t>b</t></r></is></c></row>', [Line(3, ["a b"])]),
        ('<row><c t="str"><f>1</f><v>x</v></c><c t="d"><v>2026-01-31</v></c></row>', [Line(1, ["x", "2026-01-31"])]),
        # Two cells in far corners: nothing is made room for in between.
        (
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="B1048576"><v>2</v></c></row>',
            [Line(1, ["1"]), Line(1_048_576, ["", "2"])],
        ),
    ],
)
def test_sheets_that_other_programs_write(tmp_path: Path, cells: str, expected: list[Line]) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", [["x"]]), sheet1=SHEET.format(cells))
    assert list(lines_of_file(path)) == expected


@pytest.mark.parametrize(
    "parts",
    [
        {"sheet1": "<worksheet><sheetData>"},
        {"sheet1": None},
        {"workbook": None},
        {"workbook": "<workbook><sheets/></workbook>"},
        {"sharedStrings": "<sst><si><t>"},
        {"sheet1": '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'},
        *(
            {"sheet1": SHEET.format(cells)}
            for cells in (
                '<row r="2"/><row r="1"/>',
                '<row r="x"/>',
                '<row><c r="XFE1"/></row>',
                '<row><c r="1"/></row>',
                '<row><c r="B1"/><c r="A1"/></row>',
                '<row><c t="s"><v>7</v></c></row>',
                "<row><c><v>abc</v></c></row>",
                "<row><c><v>1e999</v></c></row>",
                f"<row r='{'9' * 5_000}'/>",
            )
        ),
    ],
)
def test_broken_workbooks_are_refused(tmp_path: Path, parts: dict[str, str | None]) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", [["x"]]), **parts)
    (error,) = faults(lines_of_file(path))
    assert (error.code, error.path) == ("BAD_HEADER", ("csv", "1", "1"))


@pytest.mark.parametrize("start", ["<row>{}", "{}", "<a>{}", '<row a="{}'])
def test_what_is_held_of_a_sheet_is_bounded(tmp_path: Path, start: str) -> None:
    cells = start.format("<c/>" * 300_000 if "=" not in start else "x" * 1_200_000)
    path = repacked(workbook(tmp_path / "a.xlsx", [["x"]]), sheet1=SHEET.format(cells))
    (error,) = faults(lines_of_file(path))
    assert (error.code, error.path) == ("BAD_HEADER", ("csv", "1", "1"))
    assert "1 MiB" in error.message


def test_a_sheet_in_another_dialect_is_refused_rather_than_read_as_empty(tmp_path: Path) -> None:
    sheet = SHEET.replace(
        "schemas.openxmlformats.org/spreadsheetml/2006/main", "purl.oclc.org/ooxml/spreadsheetml/main"
    )
    path = repacked(workbook(tmp_path / "a.xlsx", [["x"]]), sheet1=sheet.format("<row><c><v>1</v></c></row>"))
    (error,) = faults(lines_of_file(path))
    assert "Strict Open XML" in error.message


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["x"]])
    padding = " " * 1_000_000
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in kept.items():
            with new.open(name, "w") as part:
                part.write(content)
                for _ in range(135 if name.endswith("sharedStrings.xml") else 0):
                    part.write(padding.encode())
    assert path.stat().st_size < 1_000_000
    (error,) = faults(lines_of_file(path))
    assert error.code == "BAD_HEADER"
    assert "128 MiB" in error.message


def test_a_text_of_a_workbook_is_no_longer_than_any_other(tmp_path: Path) -> None:
    cells = f'<row><c t="inlineStr"><is><t>{"x" * 500_000}</t></is></c></row>'
    path = repacked(workbook(tmp_path / "a.xlsx", [["x"]]), sheet1=SHEET.format(cells))
    (error,) = faults(lines_of_file(path))
    assert (error.code, error.path[1]) == ("BAD_ROW", "1")


def test_damaged_workbooks_are_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "whole.xlsx", [["Code", 5, True], ["x", (7, "yyyy")]]).read_bytes()
    chance = random.Random(7)
    refused = 0
    for _ in range(400):
        broken = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 5, 50])):
            broken[chance.randrange(4, len(broken))] = chance.randrange(256)
        if chance.random() < 0.2:
            del broken[chance.randrange(4, len(broken)) :]
        try:
            list(lines_of_file(saved(tmp_path, bytes(broken))))
        except RejectedFile:
            refused += 1
    assert refused > 100
