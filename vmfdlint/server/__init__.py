"""The language server protocol, over pipes. In: an editor's messages. Out: diagnostics, hovers, actions.

It knows the walk (app), and nothing deeper. A module a feature.
"""

from vmfdlint.server.session import serve

__all__ = ["serve"]
