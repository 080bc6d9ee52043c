"""What was asked of the text of each file, and what it said. In: questions as they are asked. Out: the same,
to be asked again of a text that changed: where all answers are the same, so is all that hangs on them. A text
that is the same need not be asked again at all.

A question is a method whose first argument is a path, of a class that has the program. The answer to one that
is marked by :func:`text_question` hangs on the file's own text alone; that of a :func:`question` also on the
names that files define and, where the file has to be parsed, on what the program says of them.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, cast

Asked: TypeAlias = tuple[str, tuple[str, ...]]
"""The question's name, ``Class.method``, and its arguments but for the path."""
Answer: TypeAlias = bool | int | str | tuple[str, ...] | None

ANSWERED_ALONE: set[str] = set()
"""The names of the questions that a file answers by its own text, whatever else there is."""

More = ParamSpec("More")
Said = TypeVar("Said", bound=Answer)


class Told:
    """Questions and answers by path. ``before`` gives those of an earlier run that still hold for a file."""

    def __init__(self, before: Callable[[str], dict[Asked, Answer]] = lambda _path: {}) -> None:
        self._before = before
        self.answers: dict[str, dict[Asked, Answer]] = {}

    def of(self, path: str) -> dict[Asked, Answer]:
        """What a file has said so far."""
        known = self.answers.get(path)
        if known is None:
            known = self.answers[path] = self._before(path)
        return known


class _HasProgram(Protocol):
    @property
    def told(self) -> Told | None:
        """Where answers are kept; None where nobody will ask again."""


Self = TypeVar("Self", bound=_HasProgram)


def question(
    method: Callable[Concatenate[Self, str, More], Said],
) -> Callable[Concatenate[Self, str, More], Said]:
    """Marks a method whose first argument is a path and whose other ones are texts."""

    def asked(self: Self, path: str, /, *args: More.args, **kwargs: More.kwargs) -> Said:
        told = self.told
        if told is None:
            return method(self, path, *args, **kwargs)
        answers = told.of(path)
        key = method.__qualname__, tuple(map(str, args))
        if key not in answers:
            answers[key] = method(self, path, *args, **kwargs)
        return cast(Said, answers[key])

    update_wrapper(asked, method)
    return asked


def text_question(
    method: Callable[Concatenate[Self, str, More], Said],
) -> Callable[Concatenate[Self, str, More], Said]:
    """As :func:`question`, for an answer that hangs on the file's own text alone."""
    ANSWERED_ALONE.add(method.__qualname__)
    return question(method)
