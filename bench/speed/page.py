"""What was measured beside the yardstick, as a page of Markdown."""

from collections.abc import Sequence

from bench.report import machine
from bench.speed.measure import Measured, Plan, Sample


def page(database: str, measured: Sequence[Measured], plan: Plan, load: float) -> str:
    """Two tables: the processors' time a request, which holds on a busy machine too, and what the client saw."""
    executor = f" with GROVE_EXECUTOR={plan.executor}" if plan.executor else ""
    parts = [
        "# Grove beside one hand-written statement",
        f"Made by `make bench ARGS=speed`; bench/README.md says how to read it. {database}, Grove{executor} and the "
        f"yardstick with two workers each; medians of {plan.repetitions} runs of about {plan.seconds:g} s on 16 "
        "connections, and as many on one.",
        machine(load),
        "## Processor time",
        "In milliseconds a request, service + PostgreSQL. The share is the yardstick's sum by Grove's: more is better, "
        "and 1 means that Grove costs what the statement alone does.",
        _costs(measured),
        "## As the client sees it",
        _rates(measured),
    ]
    return "\n\n".join(parts) + "\n"


def _costs(measured: Sequence[Measured]) -> str:
    lines = [
        "| | | connections | Grove | yardstick | share | wanted | best peer |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in measured:
        workload = one.workload
        wanted = f"≥ {workload.wanted}" if workload.wanted else ""
        for connections, (grove, bare) in one.samples.items():
            share = f"{one.share(connections):.2f}"
            if workload.wanted and one.share(connections) >= workload.wanted:
                share = f"**{share}**"
            cells = [workload.name, workload.title, str(connections), _parts(grove), _parts(bare), share]
            lines.append(f"| {' | '.join([*cells, wanted, workload.peer])} |")
    return "\n".join(lines)


def _parts(sample: Sample) -> str:
    return f"{_short(sample.service)} + {_short(sample.postgres)}"


def _rates(measured: Sequence[Measured]) -> str:
    lines = [
        "| | connections | Grove: requests/s | p50 | p99 | yardstick: requests/s | p50 | p99 | ratio of rates "
        "| of p50 | of p99 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for one in measured:
        for connections, (grove, bare) in one.samples.items():
            cells = [one.workload.name, str(connections)]
            for sample in (grove, bare):
                cells += [_short(sample.rate), _short(sample.median), _short(sample.ninety_ninth)]
            ratios = (
                grove.rate / bare.rate,
                bare.median / grove.median,
                bare.ninety_ninth / grove.ninety_ninth,
            )
            lines.append(f"| {' | '.join([*cells, *(f'{ratio:.2f}' for ratio in ratios)])} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    """Three digits that say something."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
