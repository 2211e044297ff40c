"""The `grove` command as a process of its own."""

import asyncio
import sys
from pathlib import Path


async def grove(*words: str, folder: Path) -> tuple[int, str]:
    """Runs the command to its end, in a folder without a .env; returns the exit code and all that it wrote."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", *words),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")
