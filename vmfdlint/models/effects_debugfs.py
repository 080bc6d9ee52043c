"""What a call does about debugfs: a user lets others at it, kernel code makes files in it that hold a VM.

Fields name operands by :class:`Port`; a :class:`Truth` is a condition decided for one call.
"""

import msgspec

from vmfdlint.models.operands import Port, Truth


class Grant(msgspec.Struct, frozen=True, tag=True):
    """Lets others than root to what holds VMs in debugfs. ``how`` says it for people, after "the call".

    ``search``: group or others get search permission on the root itself, so that any of them can open the
    files of every VM.
    """

    how: str
    search: Truth = Truth.NO


class Expose(msgspec.Struct, frozen=True, tag=True):
    """Kernel code makes a file of debugfs: ``mode`` its permissions, ``data`` what its inode points to,
    ``operations`` its struct file_operations (None: operations of debugfs itself, which take no reference).
    """

    name: Port
    mode: Port
    data: Port
    operations: Port | None = None


class Acquire(msgspec.Struct, frozen=True, tag=True):
    """Kernel code takes a reference on the VM ``ref``, a structure ``record``. ``checked``: refused, with a
    false result, where the count is at zero already.
    """

    ref: Port
    record: str
    checked: bool = False


class Release(msgspec.Struct, frozen=True, tag=True):
    """Kernel code puts a reference on the VM ``ref``, a structure ``record``."""

    ref: Port
    record: str
