"""Ways out: return, raise, try, with. In: a statement. Out: edges through the cleanups on the way."""

import enum
from abc import abstractmethod
from collections.abc import Callable, Sequence

import libcst as cst

from vmfdlint.frontends.python.exceptions import family, is_builtin
from vmfdlint.frontends.python.lower_cond import Conditions
from vmfdlint.frontends.python.state import NONE, ONE, ZERO, Frame
from vmfdlint.frontends.python.syntax import dotted, walk
from vmfdlint.ir import RAISED, THROWN, Assign, Assume, Const, Member, Operand, Place, Return

_EVERYTHING = frozenset({"", "Exception", "BaseException"})
_SYSTEM = frozenset(
    {
        *(
            "OSError",
            "IOError",
            "EnvironmentError",
            "FileNotFoundError",
            "PermissionError",
            "BlockingIOError",
        ),
        *(
            "InterruptedError",
            "ConnectionError",
            "BrokenPipeError",
            "TimeoutError",
            "error",
            "FileExistsError",
        ),
    }
)
"""What a failing system call raises, and its bases but for those that catch all."""
_ANY_SYSTEM = frozenset({"OSError", "IOError", "EnvironmentError"})


class Exits(Conditions):
    """How a statement is left."""

    # Jumps

    def returns(self, value: Operand | None, node: cst.CSTNode) -> None:
        """Emits a return that runs no cleanup."""
        self.graph.emit(Return(value if value is None else self.given or value, self.at(node)))
        self.graph.end()

    def falls_off(self, node: cst.FunctionDef) -> None:
        """The end of a function without a ``return``: its last line is where that is."""
        last = node.body.body[-1] if node.body.body else node
        self.let_go(last)
        self.graph.emit(Return(self.given or NONE, self.file.positions.last_line(last)))
        self.graph.end()

    def leave(self, node: cst.CSTNode, value: Operand | None) -> None:
        """Returns by way of every cleanup around; the value was read before any of them runs."""
        if isinstance(value, Place) and value.fields and self._goes_first(value):
            kept = self.temp()
            self.assign(kept, value, node)
            value = kept
        frames = self.frames
        for index in range(len(frames) - 1, -1, -1):
            finish = frames[index].finish
            if finish is not None:
                self.frames = frames[:index]
                finish(node)
        self.frames = frames
        self.let_go(node)
        self.returns(value, node)

    def _goes_first(self, value: Place) -> bool:
        """Whether a member may be gone, or be another's, by the time that a return has cleaned up."""
        owner = Place(value.root, value.name, (), value.unit)
        return owner in self.drops or any(frame.finish is not None for frame in self.frames)

    def jump(self, node: cst.CSTNode, again: bool) -> None:
        """``break`` and ``continue``: to the innermost loop, by way of the cleanups inside it."""
        frames = self.frames
        for index in range(len(frames) - 1, -1, -1):
            frame = frames[index]
            target = frame.again if again else frame.after
            if target is not None:
                self.frames = frames
                self.graph.go(target)
                return
            if frame.finish is not None:
                self.frames = frames[:index]
                frame.finish(node)
        self.frames = frames
        self.graph.end()

    def raise_(self, node: cst.Raise) -> None:
        """``raise X(...)``; a bare one passes on what was caught."""
        kind = ""
        if node.exc is not None:
            inner = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
            kind = dotted(inner).rpartition(".")[2]
            if not kind[:1].isupper() and kind not in _SYSTEM:
                kind = ""  # a variable, which has what was caught
            if isinstance(node.exc, cst.Call):
                self.arguments(node.exc)
        if kind == "SystemExit":
            self.exit_process(node)
            return
        if kind:
            self.graph.emit(Assign(THROWN, Const(1, (kind,)), self.at(node)))
        self.graph.emit(Assign(RAISED, ONE, self.at(node)))
        self.throw(kind, node)

    @abstractmethod
    def exit_process(self, node: cst.CSTNode) -> None:
        """``raise SystemExit``: as sys.exit()."""

    # try

    def try_(self, node: cst.Try | cst.TryStar) -> None:
        """Handlers and the cleanup, each an own way out of the body."""
        if node.finalbody is None:
            self._handled(node)
            return
        final = node.finalbody.body
        self.guarded(lambda: self._handled(node), lambda _at: self.suite(final), node)

    def guarded(
        self,
        body: Callable[[], None],
        finish: Callable[[cst.CSTNode], None],
        node: cst.CSTNode,
        fail: Callable[[cst.CSTNode], None] | None = None,
    ) -> None:
        """``body`` with ``finish`` run on every way out of it, or ``fail`` where an exception leaves it."""
        pad = self.graph.new()
        used = False

        def catches(_kind: str) -> int:
            nonlocal used
            used = True
            return pad

        self.frames = [*self.frames, Frame(catches=catches, finish=finish)]
        body()
        self.frames = self.frames[:-1]
        after = self.graph.new()
        finish(node)
        self.graph.go(after)
        if used:
            self.graph.start(pad)
            self.graph.emit(Assign(RAISED, ZERO, self.at(node)))
            (fail or finish)(node)
            self.graph.emit(Assign(RAISED, ONE, self.at(node)))
            self.throw("", node)
        self.graph.start(after)

    def _handled(self, node: cst.Try | cst.TryStar) -> None:
        entries = [(handler, self.graph.new()) for handler in node.handlers]
        kinds = [_kinds(handler) for handler in node.handlers]
        pads: dict[str, int] = {}

        def catches(kind: str) -> int | None:
            if all(_taken(each, kind) is Taken.NO for each in kinds):
                return None
            if kind not in pads:
                pads[kind] = self.graph.new()
            return pads[kind]

        self.frames = [*self.frames, Frame(catches=catches)]
        self.suite(node.body)
        self.frames = self.frames[:-1]
        if node.orelse is not None:
            self.suite(node.orelse.body)
        after = self.graph.new()
        self.graph.go(after)
        ways = [(entry, each) for (_handler, entry), each in zip(entries, kinds, strict=True)]
        for kind, pad in pads.items():
            self._dispatch(kind, pad, ways, node)
        for handler, entry in entries:
            self.graph.start(entry)
            self.graph.emit(Assign(RAISED, ZERO, self.at(handler)))
            again = _raises_again(handler)
            if not again:
                self.graph.emit(Assign(THROWN, ZERO, self.at(handler)))
            self.suite(handler.body)
            if again:
                self.graph.emit(Assign(THROWN, ZERO, self.at(handler)))
            self.graph.go(after)
        self.graph.start(after)

    def _dispatch(
        self, kind: str, pad: int, ways: Sequence[tuple[int, tuple[str, ...]]], node: cst.CSTNode
    ) -> None:
        """From where an exception arrives to the handlers that take it, outwards where none surely does."""
        self.graph.start(pad)
        for entry, kinds in ways:
            taken = _taken(kinds, kind)
            if taken is Taken.SURELY:
                self.graph.go(entry)
                return
            if taken is not Taken.NO:
                self._take(entry, kinds if taken is Taken.ASKS else (), node)
        self.graph.emit(Assign(RAISED, ONE, self.at(node)))
        self.throw(kind, node)

    def _take(self, entry: int, asked: tuple[str, ...], node: cst.CSTNode) -> None:
        """Ends the block with an edge to a handler, for what has one of the names ``asked``, and begins the
        one behind, for what has not."""
        taken, onward = self.graph.new(), self.graph.new()
        self.graph.edge(self.graph.current, taken)
        self.graph.edge(self.graph.current, onward)
        names = Const(None, tuple(sorted({"OSError" if one in _ANY_SYSTEM else one for one in asked})))
        self.graph.start(taken)
        if asked:
            self.graph.emit(Assume(THROWN, "&", names, self.at(node)))
        self.graph.go(entry)
        self.graph.start(onward)
        if asked:
            self.graph.emit(Assume(THROWN, "!&", names, self.at(node)))

    # with

    def with_(self, node: cst.With, index: int = 0) -> None:
        """``with a as x, b as y:``: each manager is left on every way out of what follows it."""
        if index == len(node.items):
            self.suite(node.body)
            return
        item = node.items[index]
        if self._suppresses(item):
            self._suppressed(node, index)
            return
        given = self.value(item.item)
        manager = self.own_variable("with")
        self.assign(manager, given, item)
        entered = self._emit_method(manager, "__enter__", item, raises=True)
        if item.asname is not None:
            self.store(item.asname.name, entered, item)
        self.guarded(
            lambda: self.with_(node, index + 1),
            lambda _at: self._leave_manager(manager, "__exit__", item),
            item,
            lambda _at: self._leave_manager(manager, "__throw__", item),
        )

    def _leave_manager(self, manager: Place, method: str, item: cst.WithItem) -> None:
        self._emit_method(manager, method, item, raises=False)

    def _emit_method(self, base: Place, method: str, item: cst.WithItem, raises: bool) -> Operand:
        target = Member("", method, self.member_of(base, method))
        return self.emit_call(target, (), item, raises=raises)

    def _suppresses(self, item: cst.WithItem) -> bool:
        if not isinstance(item.item, cst.Call):
            return False
        return self.static_name(item.item.func) == "contextlib.suppress"

    def _suppressed(self, node: cst.With, index: int) -> None:
        """``with suppress(OSError):``: an exception it names ends the body and nothing else."""
        item = node.items[index].item
        assert isinstance(item, cst.Call)
        kinds = tuple(dotted(each.value).rpartition(".")[2] for each in item.args)
        after, caught = self.graph.new(), self.graph.new()
        pads: dict[str, int] = {}

        def catches(kind: str) -> int | None:
            if _taken(kinds, kind) is Taken.NO:
                return None
            return pads.setdefault(kind, self.graph.new())

        self.frames = [*self.frames, Frame(catches=catches)]
        self.with_(node, index + 1)
        self.frames = self.frames[:-1]
        self.graph.go(after)
        for kind, pad in pads.items():
            self._dispatch(kind, pad, [(caught, kinds)], item)
        self.graph.start(caught)
        self.graph.emit(Assign(RAISED, ZERO, self.at(item)))
        self.graph.emit(Assign(THROWN, ZERO, self.at(item)))
        self.graph.go(after)
        self.graph.start(after)


def _kinds(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> tuple[str, ...]:
    """The last names of the classes that a handler catches; ("",) for a bare one."""
    if handler.type is None:
        return ("",)
    if isinstance(handler.type, cst.Tuple):
        return tuple(dotted(each.value).rpartition(".")[2] for each in handler.type.elements)
    return (dotted(handler.type).rpartition(".")[2],)


class Taken(enum.Enum):
    """Whether a handler takes an exception."""

    NO = "no"
    MAY = "may"
    ASKS = "asks"
    """Where it has one of the handler's names, which only the whole program says."""
    SURELY = "surely"


def _taken(kinds: tuple[str, ...], kind: str) -> Taken:
    """Whether a handler of ``kinds`` takes an exception of the class ``kind``, "" for one out of a call."""
    answers = {_answer(each, kind) for each in kinds}
    return next((one for one in (Taken.SURELY, Taken.MAY, Taken.ASKS) if one in answers), Taken.NO)


def _answer(asked: str, kind: str) -> Taken:
    if asked in _EVERYTHING or asked == kind:
        return Taken.SURELY
    if asked in _ANY_SYSTEM and kind in _SYSTEM:
        return Taken.SURELY
    if not kind:
        return Taken.MAY if asked in _SYSTEM - _ANY_SYSTEM else Taken.ASKS
    if is_builtin(asked) and is_builtin(kind):
        return Taken.SURELY if asked in family(kind) else Taken.NO
    return Taken.ASKS


def _raises_again(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler may pass on what it has caught."""
    nodes = (each for statement in handler.body.body for each in walk(statement))
    return any(isinstance(e, cst.Raise) and (e.exc is None or isinstance(e.exc, cst.Name)) for e in nodes)
