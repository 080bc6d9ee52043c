"""What was asked of the text of each file, and what it said. In: questions as they are asked. Out: the same,
to be asked again of a text that changed: where all answers are the same, so is all that hangs on them.

A question is a method whose first argument is a path, marked by :func:`question`, of a class that has the
program. Its answer hangs on the file's own text, on the names that the file defines and, where it has to be
parsed, on what the program says of other names.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import update_wrapper
from hashlib import blake2b
from typing import Concatenate, ParamSpec, Protocol, TypeVar

Asked = tuple[str, tuple[str, ...]]
"""The question's name, ``Class.method``, and its arguments but for the path."""

More = ParamSpec("More")
Answer = TypeVar("Answer")


class Told:
    """Questions and answers by path."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[Asked, bytes]] = defaultdict(dict)

    def note(self, path: str, asked: Asked, answer: object) -> None:
        """Keeps what a file said. Answers are compared by what ``repr`` says of them."""
        known = self.answers[path]
        if asked not in known:
            known[asked] = mark(answer)


def mark(answer: object) -> bytes:
    """An answer as 8 bytes."""
    return blake2b(repr(answer).encode("utf-8", "surrogatepass"), digest_size=8).digest()


class _HasProgram(Protocol):
    @property
    def told(self) -> Told | None:
        """Where answers are kept; None where nobody will ask again."""


Self = TypeVar("Self", bound=_HasProgram)


def question(
    method: Callable[Concatenate[Self, str, More], Answer],
) -> Callable[Concatenate[Self, str, More], Answer]:
    """Marks a method whose first argument is a path and whose other ones are texts."""

    def asked(self: Self, path: str, /, *args: More.args, **kwargs: More.kwargs) -> Answer:
        answer = method(self, path, *args, **kwargs)
        told = self.told
        if told is not None:
            told.note(path, (method.__qualname__, tuple(map(str, args))), answer)
        return answer

    update_wrapper(asked, method)
    return asked
