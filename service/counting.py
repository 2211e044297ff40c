"""Numbers of things in words."""


def counted(number: int, one: str, many: str) -> str:
    """«1 child», «2 children»."""
    return f"{number:,} {one if number == 1 else many}"
