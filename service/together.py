"""Works that ask something, run side by side by one task: what they ask at the same time is answered together.

No task is made for a work, and none runs while another one does: each is taken as far as its next question, then all
questions are answered, and each goes on with its answer.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from types import coroutine
from typing import Any, NamedTuple

Work = Coroutine[Any, Any, Any]


class Ask:
    """A question of a work that is run by `together`, to be awaited for its answer."""

    __slots__ = ("question",)

    def __init__(self, question: Any) -> None:
        self.question = question

    def __await__(self) -> Generator["Ask", Any, Any]:
        answer = yield self
        return answer


class Done(NamedTuple):
    """A work has come to its end."""

    result: Any


@dataclass(slots=True)
class _Run:
    """A work that is on its way."""

    place: int
    work: Work
    answer: Any = None


async def together(works: Sequence[Work], answer: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]) -> list[Any]:
    """The results of the works. `answer` answers the questions that they come to at the same time, in their order."""
    results: list[Any] = [None] * len(works)
    runs = [_Run(place, work) for place, work in enumerate(works)]
    while runs:
        asked: list[tuple[_Run, Any]] = []
        for run in runs:
            stop = await _go_on(run.work, run.answer)
            if isinstance(stop, Ask):
                asked.append((run, stop.question))
            else:
                results[run.place] = stop.result
        runs = [run for run, _ in asked]
        if runs:
            answers = await answer([question for _, question in asked])
            for run, given in zip(runs, answers, strict=True):
                run.answer = given
    return results


@coroutine
def _go_on(work: Work, answer: Any) -> Generator[Any, Any, Ask | Done]:
    """Runs a work until it asks or ends; whatever else it waits for is waited for."""
    try:
        waiting = work.send(answer)
        while not isinstance(waiting, Ask):
            try:
                value = yield waiting
            except BaseException as problem:
                waiting = work.throw(problem)
            else:
                waiting = work.send(value)
        return waiting
    except StopIteration as end:
        return Done(end.value)
