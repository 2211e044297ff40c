"""What stands under which response key: two selections can be merged where their keys agree."""

from dataclasses import dataclass, field

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


@dataclass
class Field:
    """One way in which a response key is filled."""

    parent: Composite
    name: str
    arguments: str
    type: str

    def stands_beside(self, other: "Field") -> bool:
        """Whether both may fill the same key: as the same field, or for objects of different types."""
        if self.type != other.type:
            return False
        if (self.name, self.arguments) == (other.name, other.arguments):
            return True
        one, two = self.parent, other.parent
        return one is not two and isinstance(one, GraphQLObjectType) and isinstance(two, GraphQLObjectType)


@dataclass
class Key:
    """What fills a response key, and what is selected below it."""

    fields: list[Field] = field(default_factory=list)
    below: "Shape" = field(default_factory=dict)


Shape = dict[str, Key]


def agree(one: Shape, two: Shape) -> bool:
    """Whether two selections can be merged."""
    return all(
        all(first.stands_beside(second) for first in one[key].fields for second in two[key].fields)
        and agree(one[key].below, two[key].below)
        for key in one.keys() & two.keys()
    )


def merge(into: Shape, other: Shape) -> None:
    for name, key in other.items():
        here = into.setdefault(name, Key())
        here.fields += [found for found in key.fields if found not in here.fields]
        merge(here.below, key.below)
