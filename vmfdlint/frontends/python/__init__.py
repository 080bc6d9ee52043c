"""The Python front-end. In: bytes of Python files. Out: files whose functions are IR, with all names bound."""

LANGUAGE = "python"
