"""Plots as SVG, written by hand: bars of shares, and lines over the size of the tree."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import log10

from bench.speed.measure import Measured

WIDTH, ROW, LEFT, RIGHT, TOP = 860, 30, 300, 60, 70
# Shares from a twentieth to twenty times, on a scale of ratios.
LOWEST, HIGHEST = 0.05, 20.0
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
GROVE, PEER, WANTED, TEXT, GRID = "#2f7d4f", "#b9772c", "#222222", "#333333", "#dddddd"
COLOURS = ("#2f7d4f", "#b9772c", "#3b6fb5", "#9a3b6f", "#666666", "#1f9aa5", "#c04f3f", "#7a8b2c", "#5b4bb5", "#000000")


def shares(measured: Sequence[Measured]) -> str:
    """A bar for each workload's share of the yardstick, with marks for what is wanted and for the best peer."""
    bottom = TOP + ROW * len(measured)
    parts = [
        _text(20, 28, "Grove's share of the yardstick: processor time a request, more is better", size=16),
        _text(
            20, 50, "bar: Grove · black line: what is wanted · orange diamond: the best peer · 1: the statement alone"
        ),
    ]
    for tick in TICKS:
        parts.append(_line(_across(tick), TOP, _across(tick), bottom, TEXT if tick == 1 else GRID))
        parts.append(_text(_across(tick), bottom + 18, f"{tick:g}", anchor="middle"))
    for place, one in enumerate(measured):
        y = TOP + ROW * place
        connections = max(one.samples)
        share = one.share(connections)
        parts.append(_text(LEFT - 10, y + 20, f"{one.workload.name}  {one.workload.title}", anchor="end"))
        parts.append(f'<rect x="{LEFT}" y="{y + 6}" width="{_across(share) - LEFT:.1f}" height="18" fill="{GROVE}"/>')
        parts.append(_text(_across(share) + 6, y + 20, f"{share:.2f}"))
        if one.workload.wanted:
            x = _across(one.workload.wanted)
            parts.append(_line(x, y + 2, x, y + 28, WANTED, 2))
        if one.workload.peer:
            x, middle = _across(float(one.workload.peer)), y + 15
            points = f"{x:.1f},{middle - 6} {x + 6:.1f},{middle} {x:.1f},{middle + 6} {x - 6:.1f},{middle}"
            parts.append(f'<polygon points="{points}" fill="{PEER}" stroke="white"/>')
    return _svg(WIDTH, bottom + 40, parts)


def _across(share: float) -> float:
    bounded = min(max(share, LOWEST), HIGHEST)
    return LEFT + (WIDTH - LEFT - RIGHT) * log10(bounded / LOWEST) / log10(HIGHEST / LOWEST)


def growth(title: str, unit: str, sizes: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    """Lines over the sizes, both scales of ratios; each line has its name at its end."""
    values = [value for line in lines.values() for value in line]
    low, high = 10 ** int(log10(min(values)) - 1), 10 ** (int(log10(max(values)) + 1))
    left, right, top, bottom = 80, 620, 60, 420

    def x(size: float) -> float:
        return left + (right - left) * log10(size / sizes[0]) / log10(sizes[-1] / sizes[0])

    def y(value: float) -> float:
        return bottom - (bottom - top) * log10(value / low) / log10(high / low)

    parts = [_text(20, 28, title, size=16), _text(left, 50, unit)]
    for size in sizes:
        parts += [_line(x(size), top, x(size), bottom, GRID), _text(x(size), bottom + 20, f"{size:,}", anchor="middle")]
    tick = low
    while tick <= high:
        parts += [_line(left, y(tick), right, y(tick), GRID), _text(left - 8, y(tick) + 5, f"{tick:g}", anchor="end")]
        tick *= 10
    # Names that would lie upon one another are pushed down.
    free = 0.0
    ends = sorted(lines.items(), key=lambda item: y(item[1][-1]))
    for (name, line), colour in zip(ends, COLOURS * len(lines), strict=False):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, line, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        free = max(free + 16, y(line[-1]))
        parts.append(_text(right + 10, free + 4, name, colour=colour))
    return _svg(WIDTH, bottom + 40, parts)


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, colour: str = TEXT) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _svg(width: int, height: float, parts: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])
