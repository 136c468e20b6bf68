"""Reads the text of a file in a process of its own, which may break down without harm."""

import asyncio
import sys

from passerelle.files import child
from passerelle.files.kinds import Kind
from passerelle.files.texts import MOST_CHARACTERS, UnreadableFile

#: The process has `child.MOST_SECONDS` of the processor; a busy machine gives them later.
_LONGEST_SECONDS = 6 * child.MOST_SECONDS
_MOST_OUTPUT_BYTES = 4 * MOST_CHARACTERS


async def read_file(data: bytes, kind: Kind, *, longest_seconds: float = _LONGEST_SECONDS) -> str:
    """What a file says; "" where it says nothing. Raises UnreadableFile, whatever is the matter with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", child.__name__, kind,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(longest_seconds):
            output, _ = await process.communicate(data)
    except TimeoutError:
        raise UnreadableFile("it takes too long to read") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == child.UNREADABLE:
        raise UnreadableFile(output[:200].decode(errors="replace"))
    if process.returncode != 0:
        raise UnreadableFile("it is damaged, or too much to read")
    # PostgreSQL's blobs take any bytes, but words are words.
    return output[:_MOST_OUTPUT_BYTES].decode(errors="ignore").replace("\0", " ")
