"""What a download is narrowed to and ordered by: GraphQL's filters and orders, under flat names.

They come from an address (`?codeContains=zy&orderBy=NAME`) or a command (`--code-contains zy --order-by NAME`).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from service import ids
from service.errors import InvalidInput
from service.ids import BadId, Kind
from service.matching import CustomerFilter, GroupFilter, Match, MatchKind, Order, Reference

# A parameter of an address or a command and what it holds; several may come under one name.
Given = Iterable[tuple[str, str]]

MATCHES = {
    "": MatchKind.EQUALS,
    "Contains": MatchKind.CONTAINS,
    "StartsWith": MatchKind.STARTS_WITH,
    "In": MatchKind.IN,
}
# GraphQL's words, by themselves: a command that takes them need not wait for the whole schema.
STATUSES = ("ACTIVE", "INACTIVE")
DIRECTIONS = ("ASC", "DESC")
GROUP_ORDERS = ("CODE", "NAME", "STATUS", "CUSTOMER_COUNT", "CREATED_AT", "UPDATED_AT")
CUSTOMER_ORDERS = ("CODE", "NAME", "TYPE", "CREATED_AT")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,10}")
LARGEST_NUMBER = 2**31 - 1


def _matches(name: str) -> dict[str, str]:
    """The parameters that match a text; at most one of them may be given."""
    return {
        name: f"The {name} is this text.",
        f"{name}Contains": f"The {name} has this text in it.",
        f"{name}StartsWith": f"The {name} begins with this text.",
        f"{name}In": f"The {name} is one of these texts; may be given more than once.",
    }


def _orders(fields: Sequence[str], default: str) -> dict[str, str]:
    return {
        "orderBy": f"One of {', '.join(fields)}; {default} if left out.",
        "direction": f"{', '.join(DIRECTIONS)}; ASC if left out.",
    }


# What there is, with what it means; `grove export --help` shows it.
GROUPS = {
    "search": "Text in the code, name or description, whatever the case.",
    **_matches("code"),
    **_matches("name"),
    "status": f"One of {', '.join(STATUSES)}.",
    "minCustomers": "At least so many customers.",
    "maxCustomers": "At most so many customers.",
    "containsCustomer": "Groups that this customer, named by code or id, was put into.",
    "inHierarchy": "Groups that stand in this hierarchy, named by name or id.",
    "notInHierarchy": "Groups that do not stand in this hierarchy, named by name or id.",
    **_orders(GROUP_ORDERS, "NAME"),
}
CUSTOMERS = {
    "search": "Text in the code or name, whatever the case.",
    **_matches("code"),
    **_matches("name"),
    "type": "The type is this one, whatever the case; may be given more than once.",
    "inGroup": "Customers that are in this group itself, named by code or id.",
    "notInGroup": "Customers that are not in this group itself, named by code or id.",
    **_orders(CUSTOMER_ORDERS, "CODE"),
}
HIERARCHY = {"form": "levels: a row a leaf with its whole path; parent: a row a node. levels if left out."}
# Those that may be given more than once.
SEVERAL = ("codeIn", "nameIn", "type")


class Mistake(NamedTuple):
    """What is wrong with one parameter; the message does not name it."""

    parameter: str
    message: str


class BadParameters(InvalidInput):
    """Parameters that are unknown or hold what they cannot, all of them at once."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(" ".join(f"«{mistake.parameter}» {mistake.message}" for mistake in mistakes))
        self.mistakes = mistakes


def groups(given: Given) -> tuple[GroupFilter, Order]:
    """Which groups, in which order. Raises BadParameters."""
    asked = _Asked(given, GROUPS)
    filter = GroupFilter(
        search=asked.text("search"),
        code=asked.match("code"),
        name=asked.match("name"),
        status=asked.word("status", STATUSES),
        fewest_customers=asked.number("minCustomers"),
        most_customers=asked.number("maxCustomers"),
        contains_customer=asked.reference("containsCustomer", Kind.CUSTOMER),
        in_hierarchy=asked.reference("inHierarchy", Kind.HIERARCHY),
        not_in_hierarchy=asked.reference("notInHierarchy", Kind.HIERARCHY),
    )
    order = asked.order(GROUP_ORDERS, "NAME")
    asked.check()
    return filter, order


def customers(given: Given) -> tuple[CustomerFilter, Order]:
    """Which customers, in which order. Raises BadParameters."""
    asked = _Asked(given, CUSTOMERS)
    filter = CustomerFilter(
        search=asked.text("search"),
        code=asked.match("code"),
        name=asked.match("name"),
        types=asked.texts("type"),
        in_group=asked.reference("inGroup", Kind.GROUP),
        not_in_group=asked.reference("notInGroup", Kind.GROUP),
    )
    order = asked.order(CUSTOMER_ORDERS, "CODE")
    asked.check()
    return filter, order


def form(given: Given) -> str:
    """The form of a hierarchy's file, «levels» or «parent». Raises BadParameters."""
    asked = _Asked(given, HIERARCHY)
    found = asked.word("form", ("levels", "parent")) or "levels"
    asked.check()
    return found


def none(given: Given) -> None:
    """For what takes no parameters. Raises BadParameters."""
    _Asked(given, {}).check()


class _Asked:
    """The parameters of one download, taken one by one; gathers what is wrong with them."""

    def __init__(self, given: Given, known: Mapping[str, str]) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        self._mistakes: list[Mistake] = []
        for name, value in given:
            self._values[name].append(value)
        for name, values in self._values.items():
            if name not in known:
                takes = f"choose among {', '.join(known)}" if known else "this download takes none"
                self._mistake(name, f"is not a parameter; {takes}.")
            elif len(values) > 1 and name not in SEVERAL:
                self._mistake(name, "is given more than once; give it once.")
            elif any("\0" in value for value in values):
                self._mistake(name, "holds the character NUL, which no text here has.")

    def _mistake(self, name: str, message: str) -> None:
        self._mistakes.append(Mistake(name, message))

    def check(self) -> None:
        """Raises BadParameters if there was any mistake."""
        if self._mistakes:
            raise BadParameters(self._mistakes)

    def texts(self, name: str) -> tuple[str, ...] | None:
        return tuple(self._values[name]) if name in self._values else None

    def text(self, name: str) -> str | None:
        return self._values[name][0] if name in self._values else None

    def match(self, name: str) -> Match | None:
        found = {name + ending: kind for ending, kind in MATCHES.items() if name + ending in self._values}
        for other in [*found][1:]:
            self._mistake(other, f"cannot be given together with «{next(iter(found))}»; give one of them.")
        return next((Match(kind, self.texts(named) or ()) for named, kind in found.items()), None)

    def word(self, name: str, words: Iterable[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in words:
            self._mistake(name, f"is {value[:100]!r}; set it to one of {', '.join(words)}.")
        return value

    def number(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if WHOLE_NUMBER.fullmatch(value) and abs(int(value)) <= LARGEST_NUMBER:
            return int(value)
        self._mistake(name, f"is {value[:100]!r}; set it to a whole number.")
        return None

    def reference(self, name: str, kind: Kind) -> Reference | None:
        """A thing named by its id or, where the text is no id, by its code; a hierarchy has none and is named."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found, key = ids.decode_any(value)
        except BadId:
            return Reference(name=value) if kind is Kind.HIERARCHY else Reference(code=value)
        if found is not kind:
            word = "name" if kind is Kind.HIERARCHY else "code"
            self._mistake(name, f"is the id of {ids.NAMES[found]}; the id or {word} of {ids.NAMES[kind]} is needed.")
        return Reference(key)

    def order(self, fields: Sequence[str], default: str) -> Order:
        field = self.word("orderBy", fields) or default
        return Order(field, self.word("direction", DIRECTIONS) == "DESC")
