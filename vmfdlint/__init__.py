"""vmfdlint: finds what keeps a KVM virtual machine alive beyond its creator."""

__version__ = "0.1.0"
