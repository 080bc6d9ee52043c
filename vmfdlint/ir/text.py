"""The IR as text, both ways: Function -> str -> the same Function. For ``show ir``, goldens and tests.

::

    function accel/kvm/kvm-all.c::kvm_open(s, path)  @10:1-20:2
      attributes static
      type s KVMState
    b0:
      %t0 = call open(path, {O_CLOEXEC|O_RDWR})  @12:5-12:40
      s->fd<KVMState> = %t0
      -> b1, b2
    b1:
      assume s->fd<KVMState> < 0
      return -1{errno}
    b2:
      return 0

Places: ``fd`` a local, ``@kvm_state`` a global, ``@@gic_fd`` one with internal linkage in the function's
own file, ``@{arm/gic.c}gic_fd`` in another; steps ``.f``, ``->f`` (through a pointer), ``->*``, ``[]``,
``[3]``, ``->[]``, each with ``<record>`` where known. Operands: places, ``-1{errno}`` and ``{O_RDWR}`` (a
constant without a value) and ``{}``, ``"text"``, ``flags |{O_CLOEXEC} &~{O_APPEND}``, ``&cd``,
``fn:handler``, ``?``, ``?"why"`` and ``?"why" of p``. Calls: ``call name``, ``mcall`` through the member
that ends the place, ``icall`` through a variable; ``via MACRO`` after the arguments, of which the last ones
may be named, ``f(fd, flags=0, *=rest)``. Names with other characters stand in single quotes. Parsing lets
spans away: an instruction then stands at its own line of the text. ``//`` starts a comment.
"""

from vmfdlint.ir.text_parse import parse_function, parse_functions
from vmfdlint.ir.text_print import print_function

__all__ = ["parse_function", "parse_functions", "print_function"]
