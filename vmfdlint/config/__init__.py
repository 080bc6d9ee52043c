"""Settings. In: a configuration file and the command line. Out: frozen Options. Knows no rule by name."""

from vmfdlint.config.errors import ConfigError
from vmfdlint.config.keys import KEYS
from vmfdlint.config.load import find, load
from vmfdlint.config.options import Options
from vmfdlint.config.selectors import resolve_rules
from vmfdlint.config.show import setting_lines, settings_text

__all__ = [
    "KEYS",
    "ConfigError",
    "Options",
    "find",
    "load",
    "resolve_rules",
    "setting_lines",
    "settings_text",
]
