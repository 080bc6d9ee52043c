"""The oracle that cannot err: the kernel announces each VM that it makes and destroys.

KVM sends a uevent with EVENT=create and EVENT=destroy (virt/kvm/kvm_main.c, kvm_uevent_notify_change());
PID is the thread that made the VM. Needs /dev/kvm; who may open it may hear the announcements.
"""

import os
import socket
import threading
from pathlib import Path

from tools.evidence.family import VARIABLE, Family

_NETLINK_KOBJECT_UEVENT = 15
_DEVICE = Path("/dev/kvm")


def missing() -> str:
    """Why this oracle cannot be asked here; "" if it can."""
    if not _DEVICE.exists():
        return "no /dev/kvm on this machine"
    if not os.access(_DEVICE, os.R_OK | os.W_OK):
        return "no right to open /dev/kvm: be root, or in the group kvm"
    return ""


class Kernel:
    """Listens from its making to its close."""

    name = "kvm"

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_KOBJECT_UEVENT)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.settimeout(0.1)
        self._socket.bind((0, 1))
        self._lock = threading.Lock()
        self._events: list[tuple[int, bytes, int]] = []  # thread, its environment, 1 made or -1 destroyed
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def environment(self) -> dict[str, str]:
        return {}

    def count(self, family: Family) -> tuple[int, int]:
        with self._lock:
            changes = [
                change
                for thread, environ, change in self._events
                if thread in family.seen or family.word.encode() in environ
            ]
        return changes.count(1), sum(changes)

    def close(self) -> None:
        self._open = False
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        known: dict[int, bytes] = {}
        while self._open:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            words = dict(
                part.split("=", 1) for part in data.decode("utf-8", "replace").split("\0") if "=" in part
            )
            event, pid = words.get("EVENT"), words.get("PID", "")
            if event not in ("create", "destroy") or not pid.isdigit() or "CREATED" not in words:
                continue
            thread = int(pid)
            if event == "create":
                known[thread] = _environ(thread)
            with self._lock:
                self._events.append((thread, known.get(thread, b""), 1 if event == "create" else -1))


def _environ(thread: int) -> bytes:
    """Who made the VM may have ended by now; then only its number tells."""
    try:
        parts = Path(f"/proc/{thread}/environ").read_bytes().split(b"\0")
    except OSError:
        return b""
    return b"".join(part for part in parts if part.startswith(VARIABLE.encode()))
