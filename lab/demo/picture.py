"""The pictures of the README: some steps of a real run, as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from lab.demo.display import Seen, render_step
from lab.demo.sides import Email
from lab.demo.typography import restored

COLUMNS = 100
#: The question, the burst, and the reply with its long quote: by their place in the conversation.
STEPS = (2, 3, 4)
#: Of the meeting: the answers, the meeting itself, the approved minutes.
MEETING_STEPS = (11, 12, 15)
#: More lines of a mail make no better picture.
LONGEST_MAIL = 18
_THEME = TerminalTheme(
    (27, 31, 42),
    (222, 226, 235),
    [
        (27, 31, 42),
        (240, 113, 120),
        (152, 210, 140),
        (240, 200, 110),
        (120, 170, 250),
        (200, 150, 240),
        (110, 205, 220),
        (222, 226, 235),
    ],
    [
        (120, 128, 145),
        (255, 140, 140),
        (175, 230, 160),
        (250, 215, 140),
        (150, 195, 255),
        (220, 175, 255),
        (140, 225, 240),
        (255, 255, 255),
    ],
)
#: Pages that show the picture as an image fetch no font for it: one is taken that is there.
_FORMAT = re.sub(r"@font-face \{\{[^}]*\}\}", "", CONSOLE_SVG_FORMAT).replace(
    "Fira Code, monospace", "'DejaVu Sans Mono', Menlo, Consolas, monospace"
)


def draw_picture(seen: Sequence[Seen], file: Path) -> None:
    """Draw the chosen steps of the conversation to ``file``."""
    _draw([step for step in seen if step.number in STEPS], file, unique_id="demo")


def draw_meeting(seen: Sequence[Seen], file: Path) -> None:
    """Draw the chosen steps of the meeting to ``file``, of each the mail that says most."""
    steps = [step for step in seen if step.number in MEETING_STEPS]
    told = [replace(step, emails=(_shortened(max(step.emails, key=lambda email: len(email.text))),)) for step in steps]
    _draw(told, file, unique_id="meeting")


def _shortened(email: Email) -> Email:
    lines = email.text.splitlines()
    return email if len(lines) <= LONGEST_MAIL else replace(email, text="\n".join([*lines[:LONGEST_MAIL], "…"]))


def _draw(steps: Sequence[Seen], file: Path, *, unique_id: str) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for number, step in enumerate(steps, 1):
        console.print()
        console.print(render_step(replace(step, number=number), width=COLUMNS, with_heading=number == 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = console.export_svg(title="Passerelle · make demo", theme=_THEME, code_format=_FORMAT, unique_id=unique_id)
    file.write_text(restored(picture))
