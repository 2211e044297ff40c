"""Ids: opaque, typed, and proof against a slip of the hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ids import LARGEST_KEY, BadId, Kind, decode, decode_any, encode, encode_all, new_keys

keys = st.integers(1, LARGEST_KEY)
kinds = st.sampled_from(Kind)


@given(kinds, keys)
def test_an_id_comes_back_as_it_went(kind: Kind, key: int) -> None:
    assert decode(encode(kind, key), kind) == key
    assert decode_any(encode(kind, key)) == (kind, key)


@given(kinds, st.lists(keys))
def test_many_ids_are_those_of_each(kind: Kind, several: list[int]) -> None:
    assert encode_all(kind, several) == [encode(kind, key) for key in several]


@given(kinds, keys, st.data())
def test_a_changed_letter_is_found(kind: Kind, key: int, data: st.DataObject) -> None:
    text = encode(kind, key)
    place = data.draw(st.integers(len(kind) + 1, len(text) - 1))
    letter = data.draw(
        st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz_ -+").filter(lambda one: one != text[place])
    )
    with pytest.raises(BadId):
        decode_any(text[:place] + letter + text[place + 1 :])


@given(kinds, keys, st.data())
def test_two_exchanged_letters_are_found(kind: Kind, key: int, data: st.DataObject) -> None:
    text = encode(kind, key)
    place = data.draw(st.integers(len(kind) + 1, len(text) - 2))
    exchanged = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if exchanged != text:
        with pytest.raises(BadId):
            decode_any(exchanged)


@given(kinds, keys, st.integers(1, 30))
def test_a_part_of_an_id_is_none(kind: Kind, key: int, missing: int) -> None:
    text = encode(kind, key)
    with pytest.raises(BadId):
        decode_any(text[:-missing])
    with pytest.raises(BadId):
        decode_any(text + text[-1])


@given(st.text())
def test_any_other_text_is_refused_with_words(text: str) -> None:
    with pytest.raises(BadId, match="is not an id"):
        decode_any(text)


def test_an_id_of_another_type_is_named() -> None:
    with pytest.raises(BadId, match=r"is the id of a customer group; the id of a hierarchy node is needed here"):
        decode(encode(Kind.GROUP, 7), Kind.NODE)


def test_keys_are_made_in_order_and_never_twice() -> None:
    made = [*new_keys(1_000), *new_keys(1), *new_keys(500)]
    assert made == sorted(set(made))
    assert all(0 < key <= LARGEST_KEY for key in made)
