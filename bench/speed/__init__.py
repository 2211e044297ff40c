"""Grove beside a yardstick of hand-written statements: `python -m bench speed`. See bench/README.md."""
