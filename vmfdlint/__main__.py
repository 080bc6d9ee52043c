"""``python -m vmfdlint``: the same as the console script."""

from vmfdlint.cli import main

if __name__ == "__main__":
    main()
