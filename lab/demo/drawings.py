"""The two pictures that members send: a poster and a plan of the tables, drawn with Pillow.

Their words have no accents: the one font that Pillow brings along has none.
"""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

_NIGHT, _PAPER, _RED, _YELLOW, _GREEN = "#22304f", "#fbf6e9", "#c8443a", "#efb93f", "#4f8a5b"


def draw_poster() -> bytes:
    """Return a small poster of the neighbours' party, as PNG."""
    image = Image.new("RGB", (480, 640), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 480, 190), fill=_NIGHT)
    for number, x in enumerate(range(0, 480, 60)):
        draw.polygon([(x, 190), (x + 60, 190), (x + 30, 245)], fill=(_RED, _YELLOW, _GREEN)[number % 3])
    _centred(draw, (240, 70), "Tous voisins !", 52, _PAPER)
    _centred(draw, (240, 140), "le grand repas du quartier", 30, _YELLOW)
    _centred(draw, (240, 340), "samedi 12 juin", 48, _RED)
    _centred(draw, (240, 410), "midi et soir", 36, _NIGHT)
    _centred(draw, (240, 480), "place du Docteur-Faidherbe", 26, _NIGHT)
    _centred(draw, (240, 585), "Apportez une chaise et du pain !", 24, _GREEN)
    return _png(image)


def draw_tables() -> bytes:
    """Return a plan of the square with its tables, as PNG."""
    image = Image.new("RGB", (560, 360), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 540, 340), outline=_NIGHT, width=4)
    for column in range(4):
        draw.rounded_rectangle((60 + column * 115, 80, 150 + column * 115, 120), radius=8, fill=_GREEN)
        draw.rounded_rectangle((60 + column * 115, 160, 150 + column * 115, 200), radius=8, fill=_GREEN)
    draw.rounded_rectangle((60, 250, 260, 310), radius=8, fill=_RED)
    _centred(draw, (160, 280), "buvette", 26, _PAPER)
    draw.ellipse((400, 240, 490, 330), fill=_YELLOW)
    _centred(draw, (445, 285), "tilleul", 20, _NIGHT)
    return _png(image)


def _centred(draw: ImageDraw.ImageDraw, centre: tuple[int, int], text: str, size: int, colour: str) -> None:
    draw.text(centre, text, font=ImageFont.load_default(size), fill=colour, anchor="mm")


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
