"""A hierarchy's file understood, without a database: what it wants, and by row and column what is wrong with it."""

from collections.abc import Sequence

import pytest

from service import namesakes
from service.arrangement import arrange, meet
from service.errors import RejectedFile
from service.outline import understand
from service.sheets import lines_of_text
from service.wanted import Outline
from tests.support.broken_files import (
    LEVELS,
    PARENT_FAULTS,
    PATH_FAULTS,
    Broken,
    Mistake,
    broken_parents,
    broken_paths,
    written,
)

SEEDS = range(120)


def outline_of(text: str, levels: Sequence[str] | None = LEVELS, *, qualify: bool = False) -> Outline:
    return understand(lines_of_text(text), levels, qualify=qualify)


def mistakes_of(text: str, levels: Sequence[str] | None = LEVELS) -> list[Mistake]:
    """What is wrong with a file for a hierarchy without nodes, in a database without groups."""
    try:
        outline = outline_of(text, levels)
        met = meet(outline.nodes, {}, {})
        arrange(1, outline.levels, outline, met, {}, {}, replace=False)
        outline.mistakes.check()
    except RejectedFile as rejected:
        return [(int(error.path[1]), error.path[2], error.code.value) for error in rejected.every if error.message]
    return []


def tree_of(outline: Outline) -> list[str]:
    """Every node by its path, with its code and description, in the outline's order."""
    paths: list[str] = []
    for node in outline.nodes:
        above = "" if node.parent is None else paths[node.parent] + ">"
        paths.append(above + node.name)
    return [
        "|".join([path, node.code or "", node.description or ""])
        for path, node in zip(paths, outline.nodes, strict=True)
    ]


# ── what is wrong ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [broken_paths, broken_parents])
@pytest.mark.parametrize("seed", SEEDS)
def test_broken_files(make: object, seed: int) -> None:
    """Every fault at its row and column with its code, nothing else, in the order of the rows."""
    assert callable(make)
    broken: Broken = make(seed)
    found = mistakes_of(broken.text)
    assert [row for row, _, _ in found] == sorted(row for row, _, _ in found)
    assert sorted(found) == sorted(broken.mistakes), broken.text


def test_every_kind_of_fault_is_made() -> None:
    for make, faults in ((broken_paths, PATH_FAULTS), (broken_parents, PARENT_FAULTS)):
        made = {(column, code) for seed in SEEDS for _, column, code in make(seed).mistakes}
        assert len(faults) >= 12
        assert len(made) >= 10, made


HEADERS: list[tuple[str, list[Mistake]]] = [
    ("", [(1, "1", "BAD_HEADER")]),
    ("State Name", [(1, "State Name", "BAD_HEADER")]),
    ("Division Name,Distributor Name", [(1, "Distributor Name", "BAD_HEADER")]),
    ("State,Division", [(1, "State", "BAD_HEADER")]),
    ("Division Name,Colour", [(1, "Colour", "BAD_HEADER")]),
    ("Division Name,Shop Name,Shop Code", [(1, "Shop Name", "BAD_HEADER"), (1, "Shop Code", "BAD_HEADER")]),
    ("Division Name,division  name", [(1, "division  name", "BAD_HEADER")]),
    ("Division Name,Division", [(1, "Division", "BAD_HEADER")]),
    ("Division Name,State Description", [(1, "State Description", "BAD_HEADER")]),
    (
        "Division Code,Division Description",
        [(1, "Division Code", "BAD_HEADER"), (1, "Division Description", "BAD_HEADER")],
    ),
    ("Name,Code,Parent", [(1, "Name", "BAD_HEADER"), (1, "Code", "BAD_HEADER"), (1, "Parent", "BAD_HEADER")]),
    ("Code,Parent Code", [(1, "Name", "BAD_HEADER")]),
    ("Name,Parent Code", [(1, "Code", "BAD_HEADER")]),
    ("Code,Name,Parent Code,Colour", [(1, "Colour", "BAD_HEADER")]),
    ("Code,Name,Parent Code,code", [(1, "code", "BAD_HEADER")]),
]


@pytest.mark.parametrize(("header", "mistakes"), HEADERS)
def test_bad_headers(header: str, mistakes: list[Mistake]) -> None:
    """All that is wrong with it, and nothing of the rows, which cannot be understood then."""
    assert mistakes_of(f"{header}\nx,y,z,\n" if header else "") == mistakes


@pytest.mark.parametrize(
    ("header", "mistakes"),
    [
        ("Name,Description", [(1, "Name", "BAD_HEADER"), (1, "Description", "BAD_HEADER")]),
        ("Code,Name", [(1, "Code", "BAD_HEADER"), (1, "Name", "BAD_HEADER")]),
        ("Division,Division Name", [(1, "Division Name", "BAD_HEADER")]),
        ("Division,State Description", [(1, "State Description", "BAD_HEADER")]),
        ("D" * 201, [(1, "D" * 201, "TOO_LONG")]),
        (",".join(f"L{depth}" for depth in range(1, 131)), [(1, "L129", "OUT_OF_RANGE")]),
    ],
)
def test_bad_headers_of_a_new_hierarchy(header: str, mistakes: list[Mistake]) -> None:
    assert mistakes_of(f"{header}\n", None) == mistakes


def test_a_fault_of_the_file_itself_joins_the_others() -> None:
    """An open quotation mark ends the reading; what was found before it is told with it."""
    text = 'Division,State\n,FL\nEast,"FL\n'
    assert mistakes_of(text) == [(2, "Division", "BAD_ROW"), (3, "State", "BAD_ROW")]
    # A character that is no text is told once, and in words that every database takes.
    assert mistakes_of("Division\nE\0st\n") == [(2, "Division", "INVALID")]
    assert mistakes_of("Di\0vision\nEast\n") == [(1, "Di\ufffdvision", "BAD_HEADER")]


def test_mistakes_without_number() -> None:
    """They are counted, and not all of them kept."""
    outline = outline_of("Division,State\n" + ",A,x,x,x\n" * 30_000)
    with pytest.raises(RejectedFile) as rejected:
        outline.mistakes.check()
    assert (len(rejected.value.errors), len(rejected.value.every), rejected.value.count) == (100, 100_000, 120_000)


def test_levels_that_contradict_each_other() -> None:
    header = "Code,Name,Parent Code,Level\n"
    assert mistakes_of(header + "a,A,,Top\nb,B,,Bottom\nc,C,a,Lower\n", None) == [(3, "Level", "BAD_ROW")]
    assert mistakes_of(header + "a,A,,Top\nc,C,a,TOP\n", None) == [(3, "Level", "BAD_ROW")]
    assert mistakes_of(header + f"a,A,,{'L' * 201}\n", None) == [(2, "Level", "TOO_LONG")]


def test_a_chain_of_too_many_rows() -> None:
    rows = [["Code", "Name", "Parent Code"], *([f"c{n}", f"N{n}", f"c{n - 1}" if n else ""] for n in range(131))]
    assert mistakes_of(written(rows), None) == [(row, "Parent Code", "TOO_DEEP") for row in (130, 131, 132)]
    rows.reverse()
    assert mistakes_of(written([rows[-1], *rows[:-1]]), None) == [(row, "Parent Code", "TOO_DEEP") for row in (2, 3, 4)]


# ── what is wanted ──────────────────────────────────────────────────────────────────────────────────────────


def test_paths() -> None:
    """Rows repeat what is above them, in any order; codes and descriptions may come later."""
    outline = outline_of(
        "division NAME,Division Description,State,State Code,Distributor Name\n"
        "East,,FL,S-1,Palm Tree\n"
        " West ,The west,,,\n"
        "EAST,The east,fl,s-1,\n"
        "East,,IL\n"
        "East,The east,FL,,Sol Family\n"
    )
    assert tree_of(outline) == [
        "East||The east",
        "East>FL|S-1|",
        "East>FL>Palm Tree||",
        "West||The west",
        "East>IL||",
        "East>FL>Sol Family||",
    ]
    assert (outline.rows, outline.levels, bool(outline.mistakes)) == (5, list(LEVELS), False)
    assert [node.row for node in outline.nodes] == [2, 2, 2, 3, 5, 6]


def test_rows_of_parents() -> None:
    """In any order of rows and columns; parents go before their children, siblings as their rows do."""
    outline = outline_of("Parent Code,Name,CODE\nb,Leaf,c\na,Middle,B\n,Top,A\nA,Other,d\n")
    assert tree_of(outline) == ["Top|A|", "Top>Middle|B|", "Top>Other|d|", "Top>Middle>Leaf|c|"]


def test_the_levels_of_a_new_hierarchy() -> None:
    assert outline_of("Division,State Name,Shop\n", None).levels == ["Division", "State", "Shop"]
    assert outline_of("Code,Name,Parent Code\nb,B,a\na,A,\n", None).levels == ["Level 1", "Level 2"]
    text = "Code,Name,Parent Code,Level\nb,B,a,Lower\na,A,,\nc,C,b,\n"
    assert outline_of(text, None).levels == ["Level 1", "Lower", "Level 3"]
    assert outline_of("Code,Name,Parent Code\n", None).levels == ["Level 1"]


def test_parents_that_stand_in_the_tree() -> None:
    outline = understand(lines_of_text("Code,Name,Parent Code\nb,B,T-1\n"), LEVELS, qualify=False, standing={"t-1"})
    assert [(node.name, node.above, node.parent) for node in outline.nodes] == [("B", "t-1", None)]


# ── one name for several ────────────────────────────────────────────────────────────────────────────────────


def names_of(
    text: str, named: dict[str, str] | None = None, standing: set[tuple[str | None, str]] | None = None
) -> list[str]:
    """The names of a file's nodes after those that repeat have got others."""
    outline = outline_of(text, qualify=True)
    outline.mistakes.check()
    namesakes.qualify(outline, named or {}, standing or set())
    return [node.name for node in outline.nodes]


SPRINGFIELDS = "Division,State\nIllinois,Springfield\nMissouri,springfield\nOhio,Springfield\n"


def test_later_ones_get_their_parents_name() -> None:
    assert names_of(SPRINGFIELDS)[1::2] == ["Springfield", "springfield (Missouri)", "Springfield (Ohio)"]


def test_where_that_repeats_too() -> None:
    """Their code or a number."""
    text = "Division,State,State Code\nOhio,Main,m-1\nOhio,Main,m-2\nOhio,Main,m-3\nMain (Ohio) m-3,,\n"
    assert names_of(text) == ["Ohio", "Main", "Main (Ohio)", "Main (Ohio) 2", "Main (Ohio) m-3"]
    assert names_of("Division,State\nA,West\nB,West (B)\nB,West\nWest,\n") == [
        *("A", "West", "B", "West (B)", "West (B) 2", "West 2"),
    ]


def test_a_parent_that_was_qualified_itself() -> None:
    text = "Division,State,Distributor\nOhio,Main,Shop\nUtah,Main,Shop\n"
    assert names_of(text) == ["Ohio", "Main", "Shop", "Utah", "Main (Utah)", "Shop (Main (Utah))"]


def test_who_stands_there_keeps_the_name() -> None:
    """Whichever row comes first."""
    rows = SPRINGFIELDS.splitlines(keepends=True)
    turned = rows[0] + "".join(reversed(rows[1:]))
    standing = {
        *((None, "illinois"), (None, "missouri"), (None, "ohio")),
        *(("illinois", "springfield"), ("missouri", "springfield (missouri)")),
    }
    assert names_of(turned, standing=standing) == [
        *("Ohio", "Springfield (Ohio)", "Missouri", "springfield (Missouri)", "Illinois", "Springfield"),
    ]
    # By code, too.
    coded = "Division,State,State Code\nOhio,Main,m-2\nUtah,Main,m-1\n"
    assert names_of(coded, {"m-1": "Main", "m-2": "Main (Ohio)"}) == ["Ohio", "Main (Ohio)", "Utah", "Main"]


def test_qualified_names_are_as_long_as_names_may_be() -> None:
    long = "N" * 200
    found = names_of(f"Division,State\n{'P' * 200},{long}\n{'Q' * 200},{long}\n{'Q' * 199}R,{long}\n")
    assert all(len(name) <= 200 for name in found)
    assert len({name.casefold() for name in found}) == len(found)
    assert found[3].endswith(f" ({'Q' * 80})")
    assert found[5].endswith(f" ({'Q' * 80}) 2")
    # Letters that grow when they are compared.
    assert len(set(names_of(f"Division,State\nA,\ufdfa\n{'ﷺ' * 60},\ufdfa\n"))) == 4
