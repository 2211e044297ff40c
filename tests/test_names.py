"""Names: when two are the same, and how they are found and ordered."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.names import CODE_LENGTH, KEY_BYTES, NAME_LENGTH, cleaned, fold, key, mistakes, searchable


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert key(key(text)) == key(text)


@given(st.text())
def test_how_a_letter_is_composed_does_not_matter(text: str) -> None:
    assert key(unicodedata.normalize("NFC", text)) == key(unicodedata.normalize("NFD", text))
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


@given(st.text())
def test_texts_with_one_key_have_one_fold(text: str) -> None:
    assert fold(key(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("East", "  EAST "),
        ("straße", "STRASSE"),
        ("Łódź", "ŁÓDŹ"),
        ("I ❤️ NY", "i ❤️ ny"),
        ("New  York", "new york"),
        ("ﬁne", "FINE"),
        ("Café", "CAFE\u0301"),
        ("I ❤️ NY", "I ❤ NY"),
        ("zero\u200bwidth", "Zero\u00adWidth"),
        ("👩‍👩‍👧", "👩👩👧"),
        ("e\u034f\u0301", "é"),
    ],
)
def test_these_are_one_name(one: str, other: str) -> None:
    assert key(one) == key(other)


def test_accents_part_names_but_not_searches() -> None:
    assert key("Łódź") != key("Lodz")
    assert fold("Łódź") == fold("LODZ") == "lodz"
    assert "istanbul" in searchable("x", "İstanbul")
    assert fold("Ørsted") == "orsted"


def test_quotes_and_dashes_part_names_but_not_searches() -> None:
    assert key("Satriale’s") != key("Satriale's")
    assert fold("Satriale’s") == fold("Satriale‘s") == fold("SATRIALE＇S") == "satriale's"
    assert fold("“East” – West") == fold('"East" — West') == '"east" - west'


def test_what_is_shown_is_trimmed_and_composed() -> None:
    assert cleaned("  Cafe\u0301 ") == "Café"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "REQUIRED"),
        ("   ", "REQUIRED"),
        ("\u200b\u200b", "REQUIRED"),
        ("x" * (NAME_LENGTH + 1), "TOO_LONG"),
        ("two\nlines", "INVALID"),
        ("bell\a", "INVALID"),
        ("fine", None),
        ("x" * NAME_LENGTH, None),
        ("👩‍👩‍👧", None),
    ],
)
def test_what_is_no_name(text: str, code: str | None) -> None:
    assert [mistake.code for mistake in mistakes("The name", cleaned(text), NAME_LENGTH, "name")] == [code] * bool(code)


def test_a_name_that_grows_past_what_an_index_holds_is_too_long() -> None:
    # One letter that becomes eighteen in its compatibility form.
    text = "\ufdfa" * NAME_LENGTH
    assert len(key(text).encode()) > KEY_BYTES
    assert [mistake.code for mistake in mistakes("The name", text, NAME_LENGTH, "name")] == ["TOO_LONG"]
    assert mistakes("The code", "", CODE_LENGTH, "code", required=False) == []


def test_heaps_of_marks_keep_nobody_waiting() -> None:
    # To normalise this would take minutes: the marks stand in the wrong order.
    heap = "a" + "\u0301\u0323" * 300_000
    assert cleaned(heap) == key(heap) == fold(heap) == heap
    assert [error.code for error in mistakes("The name", heap, 200)] == ["TOO_LONG"]
    assert [error.code for error in mistakes("The name", heap[:100], 200)] == ["INVALID"]
    assert mistakes("The name", cleaned(heap[:30]), 200) == []
