"""``clean``: removes the cache."""

from pathlib import Path

from vmfdlint import cache
from vmfdlint.app.run import EXIT_CLEAN, EXIT_INCOMPLETE, Run
from vmfdlint.config import Options


def clean(options: Options) -> Run:
    """The cache directory of the options -> gone, and a line that says so; a directory that vmfdlint did not
    make is left as it is, with exit code 2."""
    directory = Path(options.cache_dir or "")
    if not options.cache_dir or not directory.exists():
        return Run(b"", (f"No cache at {directory}",), EXIT_CLEAN)
    try:
        gone = cache.clean(directory)
    except OSError as error:
        text = f"error: {error.filename}: cannot be removed ({error.strerror}): check its permissions"
        return Run(b"", (text,), EXIT_INCOMPLETE)
    if not gone:
        text = f"error: {directory} is not marked as a cache: name another directory"
        return Run(b"", (text,), EXIT_INCOMPLETE)
    return Run(b"", (f"Removed {directory}",), EXIT_CLEAN)
