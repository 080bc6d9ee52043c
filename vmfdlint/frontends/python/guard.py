"""What libcst cannot bear: it ends the process where an expression is nested too deep (LibCST issues 619,
980, 1000). In: a text. Out: the line where it is too deep, found without recursion and without a parse.

Measured with libcst 1.9 and a stack of 8 MB: between 1,000 and 2,000 open brackets, 2,000 and 5,000 nested
lambdas, 5,000 and 20,000 of other operators in one expression, or of ``elif`` in one statement, it crashes.
Python itself takes 200 brackets.
"""

import re

from vmfdlint.base import LIMITS

_TOKEN = re.compile(
    r"""
      \#[^\n\r]*
    | (?P<text>\"{3}(?>(?:[^\\"]|\\.|"(?!""))*)(?:\"{3})? | '{3}(?>(?:[^\\']|\\.|'(?!''))*)(?:'{3})?
        | "(?>(?:[^"\\\n\r]|\\.)*)"? | '(?>(?:[^'\\\n\r]|\\.)*)'?)
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<link>[.+\-*/%@&|^~<>]+ | \b(?:and|or|not|if|else|lambda|in|is|await|for)\b)
    | (?P<elif>\belif\b)
    | (?P<end>[,;] | (?<!\\)[\n\r])
    """,
    re.VERBOSE | re.DOTALL,
)

_SHALLOW = 30
"""What every parse can bear."""


def deepest(text: str) -> int:
    """A line of the deepest nesting in a text that no parse could bear; 0 where it is hardly nested."""
    chain = LIMITS.python_chain
    while chain > _SHALLOW:
        line = too_deep(text, chain)
        if line:
            return line
        chain //= 2
    return 0


def too_deep(text: str, chain: int = LIMITS.python_chain) -> int:
    """The line (from 1, ended by LF as in a Span) where a text is nested too deep for a parse; 0 if nowhere.

    ``chain`` is how deep is too deep. Counted are the brackets that are open, what links the parts of the
    expressions these stand in, and the branches of one ``if``.
    """
    links = [0]  # of the statement, then of each open bracket
    total = 0
    branches: dict[int, int] = {}  # by column
    start = 0  # of the line
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "end":
            end = found[0]
            if len(links) == 1 or end in ",;":
                total -= links[-1]
                links[-1] = 0
            if end not in ",;":
                start = found.end()
            continue
        if kind == "close":
            if len(links) > 1:
                total -= links.pop()
            continue
        if kind is None:  # a comment
            continue
        column = found.start() - start
        if kind == "elif":
            branches[column] = branches.get(column, 0) + 1
        elif kind == "link":
            new = 1 if found[0].isalpha() else len(found[0])
            links[-1] += new
            total += new
            if found[0] == "if":
                branches[column] = 0
        else:
            links[-1] += 1
            total += 1
        if kind == "open":
            links.append(0)
        deep = len(links) > LIMITS.python_brackets + 1 or total > chain
        if deep or branches.get(column, 0) > chain:
            return text.count("\n", 0, found.start()) + 1
    return 0
