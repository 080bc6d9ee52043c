"""Another start method for worker processes: where the file names one, or by a context of its own.

A new interpreter imports the file that a program begins in: without ``if __name__ == "__main__"`` that would
make the workers again.
"""

from collections.abc import Callable

import libcst as cst

from vmfdlint.frontends.changes import Changed, Replacement, Start
from vmfdlint.frontends.edit_text import NotHere
from vmfdlint.frontends.python.edit_tree import Tree
from vmfdlint.frontends.python.syntax import literal, walk

_NAMING = ("get_context", "set_start_method")


def started(tree: Tree, call: cst.Call, change: Start, look_up: Callable[[str, str], str]) -> Changed:
    """The change for the processes that start at ``call``. Raises NotHere where it is not plain which they
    are."""
    if not any(node.value == "__name__" for node in tree.nodes(cst.Name)):
        raise NotHere
    named = [(node, text) for node, text in _named(tree) if literal(text) == change.old]
    own = [text for node, text in named if any(inner is node for inner in walk(call))]
    if own or named:
        texts = own or [text for _node, text in named]
        if len(texts) != 1:
            raise NotHere
        start, end = tree.offsets(texts[0])
        quote = len(texts[0].quote)
        return Changed((Replacement(start + len(texts[0].prefix) + quote, end - quote, change.new),))
    makers = [node for node in tree.nodes(cst.Call) if _last(node.func) == change.maker]
    if len(makers) != 1 or any(_last(node.func) in _NAMING for node in tree.nodes(cst.Call)):
        raise NotHere
    context = look_up("module", "multiprocessing") + f'.get_context("{change.new}")'
    maker = makers[0]
    if change.option:
        if not maker.args:
            start = tree.offsets(maker)[1] - 1
            return Changed((Replacement(start, start, f"{change.option}={context}"),))
        return Changed(tree.appended(maker, f"{change.option}={context}"))
    start, end = tree.offsets(maker.func)
    return Changed((Replacement(start, end, f"{context}.{change.maker}"),))


def _named(tree: Tree) -> list[tuple[cst.Call, cst.SimpleString]]:
    """The calls that name a start method, with its name."""
    found = []
    for node in tree.nodes(cst.Call):
        if _last(node.func) in _NAMING and node.args and isinstance(node.args[0].value, cst.SimpleString):
            found.append((node, node.args[0].value))
    return found


def _last(node: cst.BaseExpression) -> str:
    """The last word of what is called."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
