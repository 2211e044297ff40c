"""The tests of Grove: `python -m tests` runs them all on both databases."""
