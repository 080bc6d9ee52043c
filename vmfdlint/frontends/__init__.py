"""Languages. In: source bytes. Out: IR functions and the names a file holds. Knows no API, no rule."""
