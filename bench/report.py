"""What was measured, as a page of Markdown."""

import os
import platform
from collections.abc import Mapping, Sequence

from bench.tree import Measured

# What is measured, by its sizes in the tree at hand.
NAMES = {
    "children": "first 50 children of {hundred}",
    "children from the middle": "50 children from the middle of {wide}",
    "children with index": "the same with the `index` of each",
    "breadcrumb": "breadcrumb: `path` and `ancestors` of a deep node",
    "display order": "{page} nodes in display order, from the start",
    "display order from the middle": "{rest} nodes in display order, from the middle",
    "re-order": "re-order one of {wide} siblings",
    "move": "move a subtree of {subtree} nodes",
    "create": "create a group under a node",
}
# The small tree, and the large one.
Trees = Sequence[Measured]


def page(measured: Mapping[str, Trees], rounds: int, load: float) -> str:
    """Database, with its version → what was measured on its two trees: a table each."""
    parts = [
        "# The tree, measured",
        f"Made by `make bench`; bench/README.md says how to read it. Each median and 90th percentile is of {rounds} "
        "requests, in milliseconds as the client sees them.",
        machine(load),
    ]
    for database, trees in measured.items():
        parts += [f"## {database}", _table(trees), _yardstick(trees)]
    parts.append(_sizes(measured))
    return "\n\n".join(parts) + "\n"


def machine(load: float) -> str:
    """What it was measured on, and what else that was doing."""
    return (
        f"The machine: {os.cpu_count()} cores, {_memory()} of memory; what else it did at the start was a load of "
        f"{load:.1f}. Python {platform.python_version()}."
    )


def _table(trees: Trees) -> str:
    small, large = trees
    lines = [
        f"| | {small.landmarks.nodes:,} nodes: median | p90 | {large.landmarks.nodes:,} nodes: median | p90 "
        "| ratio of medians | of it in the database | statements |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for key, name in NAMES.items():
        few, many = small.costs[key], large.costs[key]
        cells = [
            name.format(**_measures(large)),
            *(_milliseconds(few.median), _milliseconds(few.ninetieth)),
            *(_milliseconds(many.median), _milliseconds(many.ninetieth)),
            f"{many.median / few.median:.1f}",
            _milliseconds(many.database_median),
            str(many.statements),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _yardstick(trees: Trees) -> str:
    """Grove's first page of children beside that of the bare handler."""

    def compared(tree: Measured) -> str:
        bare, ours = tree.yardstick.median, tree.costs["children"].median
        return f"{_milliseconds(bare)} ms at {tree.landmarks.nodes:,} nodes (Grove takes {ours / bare:.1f} times that)"

    return f"The yardstick, for the first 50 children: {', '.join(map(compared, trees))}."


def _sizes(measured: Mapping[str, Trees]) -> str:
    """What is smaller in the small tree."""
    small, _ = next(iter(measured.values()))
    sizes = _measures(small)
    return (
        f"The small tree has no room for such sizes: there it is {sizes['wide']} siblings, a subtree of "
        f"{sizes['subtree']} nodes, and from the middle the some {sizes['rest']} nodes that follow it."
    )


def _measures(measured: Measured) -> dict[str, str]:
    landmarks = measured.landmarks
    return {
        "hundred": f"{landmarks.hundred_children:,}",
        "wide": f"{landmarks.wide_children:,}",
        "subtree": f"{landmarks.subtree_nodes:,}",
        "page": f"{min(1_000, landmarks.nodes):,}",
        "rest": f"{min(1_000, landmarks.nodes // 2):,}",
    }


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
