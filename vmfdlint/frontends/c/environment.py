"""Names across files. In: the program's index and one file. Out: macros, constants, types, fields, variables."""

from vmfdlint.frontends.c.declarations import CType
from vmfdlint.frontends.c.preprocess import Macro
from vmfdlint.frontends.contract import Index
from vmfdlint.ir import Const, Text


class Environment:
    """Names as code in the file ``path`` sees them. Lookups are cached and deterministic."""

    def __init__(self, index: Index, path: str) -> None:
        self._index = index
        self._path = path

    def macro(self, name: str) -> Macro | None:
        """The macro of this name: of the same file, of an included one, then of the nearest that defines it."""
        raise NotImplementedError

    def constant(self, name: str) -> Const | Text | None:
        """The value of an object-like macro or enum constant, None where the name is no constant."""
        raise NotImplementedError

    def constant_expression(self, text: str) -> Const | Text | None:
        """The value of an expression; a name that is defined nowhere gives ``Const(None, (name,))``."""
        raise NotImplementedError

    def resolve(self, type_name: str) -> CType:
        """The type behind a type name (``KVMState``, ``struct kvm``, ``int``), typedefs followed."""
        raise NotImplementedError

    def resolve_type(self, written: CType) -> CType:
        """A type as written somewhere -> the same with its typedef followed."""
        raise NotImplementedError

    def field(self, record: str, field: str) -> CType | None:
        """The type of a member, resolved; None where unknown."""
        raise NotImplementedError

    def variable(self, name: str) -> tuple[CType, str] | None:
        """A variable at file level: its type, and the path of its file if static, else ""."""
        raise NotImplementedError

    def result(self, function: str) -> CType | None:
        """What a function returns, resolved; None where no declaration was found."""
        raise NotImplementedError

    def attributes(self, function: str) -> tuple[str, ...]:
        """Attribute words of any declaration of the function seen nearby."""
        raise NotImplementedError

    def is_function(self, name: str) -> bool:
        """Whether the name is a function (not a variable, macro or type) for this file."""
        raise NotImplementedError
