"""Works that ask something, run side by side by one task: what they ask at the same time is answered together.

No task is made for a work, and none runs while another one does: each is taken as far as its next question, then all
questions are answered, and each goes on with its answer.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import Any, NamedTuple

Work = Coroutine[Any, Any, Any]


@coroutine
def ask(question: Any) -> Generator[Any, Any, Any]:
    """The answer to a question of a work that is run by `together`."""
    # Nothing else that a work waits for is a tuple.
    answer = yield (question,)
    return answer


class Done(NamedTuple):
    """A work has come to its end."""

    result: Any


async def together(works: Sequence[Work], answer: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]) -> list[Any]:
    """The results of the works. `answer` answers the questions that they come to at the same time, in their order."""
    results: list[Any] = [None] * len(works)
    going: list[tuple[int, Work]] = [*enumerate(works)]
    answers: Sequence[Any] = [None] * len(works)
    while going:
        asking: list[tuple[int, Work]] = []
        questions: list[Any] = []
        for (place, work), given in zip(going, answers, strict=True):
            try:
                stop = work.send(given)
                if type(stop) is not tuple:
                    stop = await _wait(work, stop)
            except StopIteration as end:
                stop = Done(end.value)
            if type(stop) is Done:
                results[place] = stop.result
            else:
                asking.append((place, work))
                questions.append(stop[0])
        answers = await answer(questions) if questions else ()
        going = asking
    return results


@coroutine
def _wait(work: Work, waiting: Any) -> Generator[Any, Any, Any]:
    """Waits for what a work waits for, until it asks or ends."""
    try:
        while type(waiting) is not tuple:
            try:
                value = yield waiting
            except BaseException as problem:
                waiting = work.throw(problem)
            else:
                waiting = work.send(value)
        return waiting
    except StopIteration as end:
        return Done(end.value)
