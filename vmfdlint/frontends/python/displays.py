"""Tuples of texts that a file or a class names: ``FDS = ("vcpu", "vm")``, ``__slots__ = ("vcpu", "vm")``.

In: the statements of a file. Out: the tuples by name, those of a class as ``Vm.__slots__``. A loop over one
runs as over the tuple itself.
"""

from collections.abc import Iterator, Sequence

import libcst as cst

from vmfdlint.frontends.python.syntax import literal


def named_tuples(body: Sequence[cst.CSTNode], once: frozenset[str]) -> dict[str, cst.Tuple]:
    """``once``: the names that the file binds once. A name that several classes give a tuple is left out:
    which one an object has is not known."""
    found = {name: value for name, value in _bound(body) if name in once}
    of_classes = [
        (node.name.value, *pair)
        for node in body
        if isinstance(node, cst.ClassDef)
        for pair in _bound(node.body.body)
    ]
    names = [name for _owner, name, _value in of_classes]
    found |= {f"{owner}.{name}": value for owner, name, value in of_classes if names.count(name) == 1}
    return found


def _bound(body: Sequence[cst.CSTNode]) -> Iterator[tuple[str, cst.Tuple]]:
    for line in body:
        for each in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match each:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                    pass
                case cst.AnnAssign(target=cst.Name(value=name), value=cst.BaseExpression() as value):
                    pass
                case _:
                    continue
            if isinstance(value, cst.Tuple) and all(
                literal(element.value) is not None for element in value.elements
            ):
                yield name, value
