"""The process that reads one file: `python -m passerelle.files.child KIND`, the file goes in, its text comes out.

It limits itself before it reads anything, so that no file takes more of the machine than it may.
"""

import resource
import sys
from typing import cast

#: Of memory, and of the processor's time.
MOST_BYTES = 1_000_000_000
MOST_SECONDS = 10
#: It ended well, and says why there is no text.
UNREADABLE = 3


def main() -> int:
    """Read, print, end. Whatever a library raises ends the process: the parent knows what that means."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from passerelle.files.kinds import Kind
    from passerelle.files.texts import UnreadableFile, text_of

    try:
        text = text_of(sys.stdin.buffer.read(), cast(Kind, sys.argv[1]))
    except UnreadableFile as error:
        sys.stdout.write(str(error))
        return UNREADABLE
    sys.stdout.buffer.write(text.encode(errors="replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
