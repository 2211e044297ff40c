"""Measures Grove: `python -m bench`, described in bench/README.md."""
