"""Settings as text: what a file may say, and what is in force."""

import json

from vmfdlint.config.keys import EXTEND, KEYS
from vmfdlint.config.options import Options


def setting_lines(key: str | None = None) -> list[str]:
    """A line a setting, ``key = default  # kind``; for one key its line only, none where there is none."""
    defaults = Options()
    lines = []
    for name, about in KEYS.items():
        if key in (None, name):
            default = None if name == EXTEND else getattr(defaults, name.replace("-", "_"))
            shown = "" if default is None else f" = {_toml(default)}"
            lines.append(f"{name}{shown}  # {about.kind}")
    return lines


def settings_text(options: Options) -> str:
    """All settings in force, as the TOML that would set them; what only the command line sets as comments."""
    origin = options.config_file or "no configuration file"
    lines = [f"# settings from {origin} and the command line"]
    for name in KEYS:
        value = None if name == EXTEND else getattr(options, name.replace("-", "_"))
        if value is not None and name != "per-file-ignores":
            lines.append(f"{name} = {_toml(value)}")
    lines.append(f"# rules that are on: {', '.join(sorted(options.rules))}")
    if options.per_file_ignores:
        lines += ["[per-file-ignores]"]
        lines += [f"{_toml(pattern)} = {_toml(rules)}" for pattern, rules in options.per_file_ignores]
    return "".join(line + "\n" for line in lines)


def _toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
