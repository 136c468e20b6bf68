"""Taking a mail's text apart: golden samples of French list mail, properties, what must never be cut."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mail.trim import FooterRule, PieceKind, trim, visible_text

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "trim"
NAMES = sorted(path.name.removesuffix(".visible.txt") for path in SAMPLES.glob("*.visible.txt"))

#: Lines that make a random mail a nasty one.
FRAGMENTS = [
    "Bonjour,", "", "> cité", ">> cité deux fois", "-- ", "--", "_____________",
    "Le 3 mars 2025 à 14:05, J <j@x.fr> a écrit :", "De : J <j@x.fr>", "Envoyé : lundi", "À : b@x.fr",
    "Objet : x", "Envoyé de mon iPhone", "-----Message d'origine-----", "B mailing list", "b@x.fr",
    "https://x.fr/listinfo/b", "```", "| a", "Cdlt", "Jean", "***", ">From ici", "\u200b", "Date :",
    "-------------- next part --------------", "An HTML attachment was scrubbed...", "URL: <https://x.fr/a>",
    "a écrit :",
]  # fmt: skip
MAILS = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=60), max_size=40).map("\n".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("\r\n".join),
)


def test_samples_are_there() -> None:
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_golden_sample(name: str) -> None:
    text = (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    wanted = (SAMPLES / f"{name}.visible.txt").read_text(encoding="utf-8").rstrip("\n")
    assert trim(text).visible == wanted


@pytest.mark.parametrize("name", NAMES)
def test_golden_sample_with_network_line_ends(name: str) -> None:
    text = (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    assert visible_text(text.replace("\n", "\r\n")) == visible_text(text)


@settings(max_examples=400, deadline=None)
@given(MAILS)
def test_nothing_is_lost(text: str) -> None:
    taken_apart = trim(text)
    assert "".join(piece.text for piece in taken_apart.pieces) == text
    assert taken_apart.elided == "".join(piece.text for piece in taken_apart.pieces if not piece.visible)


@settings(max_examples=400, deadline=None)
@given(MAILS)
def test_what_is_shown_was_received(text: str) -> None:
    received = {line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")}
    assert {line.rstrip() for line in visible_text(text).split("\n")} <= received | {""}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="abcdefghijklm nopqrstuvwxyzéàç,'", min_size=1, max_size=60), min_size=1, max_size=10))
def test_plain_prose_is_never_cut(lines: list[str]) -> None:
    text = "\n".join(f"Alors {line} voilà." for line in lines)
    assert trim(text).elided == ""


@pytest.mark.parametrize(
    "line",
    [
        "Le 3 mars à 14 h, le maire a écrit :",
        "Le 12/03/2025 à 18:30, la présidente nous a écrit :",
        "On a écrit au maire le 3 mars 2025 à 10:00, et il a répondu :",
        "On m'a dit le 3 mars 2025 que Paul a écrit :",
        "La réunion du 3 mars 2025 à 14:05, Jean, a dit :",
        "Le 3 mars 2025 à 14:05, réunion chez Jean <jean@exemple.fr> :",
        "Contact : Jean Dupont <jean@exemple.fr>",
        "Samedi 15 mars 2025 à 14:30, écrire à jean@exemple.fr :",
        "Mardi 3 mars 2025, 14:30, salle des fêtes, contact@exemple.fr :",
        "3 mars 2025 : Jean <jean@exemple.fr>:",
        "Marie (marie@exemple.fr) a dit :",
        "Pour me désabonner que dois-je faire ?",
        "Envoyé par la mairie hier, le courrier dit oui.",
        "Tarif : de 10 à 12 ans, 5 €",
        "De : Paris",
        "----",
        "Ce message est confidentiel : la fête surprise est samedi.",
        "Sent from my desk, is much easier than my phone.",
    ],
)
def test_a_line_of_the_author_is_kept_with_all_that_follows(line: str) -> None:
    text = f"Bonjour,\n\nVoici la suite.\n\n{line}\n\nCe qui suit est de moi.\nAussi ceci.\n"
    assert trim(text).elided == ""


@pytest.mark.parametrize(
    "text",
    [
        "Voici la liste :\n- Paul\n\n--\nPaul apporte le pain.\nJean apporte le fromage.\nÀ samedi !\n",
        "Ordre du jour\n----\n1. Budget\n2. Fête\n----\nVenez nombreux.\n",
        "Texte.\n\n_____\n\nDeuxième partie : le budget.\nIl reste cent euros.\n",
        "Le lien pour se désabonner est\nhttps://framalistes.org/sympa/info/x\n\nBonne journée\n",
        "Message de la mairie :\nDe : la mairie\nDate : 3 mars 2025 à 14:05\nObjet : travaux\nTexte ici.\n",
        "Il faut :\n\n-Pommes\n",
        "> Article 3 : dix euros.\n\nC'est trop.\n",
        "> rien d'autre qu'une citation\n",
        "Salut\n\n***\n\nÀ demain\n",
        "mysql> select 1;\nmysql> select 2;\n",
        "```\n-- \nDans du code\n> pareil\n```\n",
        "...",
        "👍",
        "A++",
        "--\nSeulement ceci\n",
    ],
)
def test_in_doubt_nothing_is_cut(text: str) -> None:
    assert trim(text).visible == text.strip()


def test_kinds_of_pieces() -> None:
    text = (
        "Oui.\n\n-- \nLéa\n\nLe 3 mars 2025 à 14:05, Jean <j@exemple.fr> a écrit :\n> Tu viens ?\n\n"
        "_____________________\nBureau mailing list\nb@exemple.fr\n"
    )
    assert [(piece.kind, piece.visible) for piece in trim(text).pieces] == [
        (PieceKind.OWN, True),
        (PieceKind.SIGNATURE, False),
        (PieceKind.ATTRIBUTION, False),
        (PieceKind.QUOTE, False),
        (PieceKind.FOOTER, False),
    ]


def test_a_forward_with_a_comment_is_told_apart() -> None:
    taken_apart = trim((SAMPLES / "forward_with_comment.txt").read_text(encoding="utf-8"))
    assert taken_apart.forwarded.strip() == "Les travaux commencent lundi."
    assert taken_apart.visible == "Pour information, cela nous concerne."


@pytest.mark.parametrize(("name", "interleaved"), [("interleaved", True), ("gmail_top", False), ("horde", False)])
def test_interleaving_is_told(name: str, interleaved: bool) -> None:
    assert trim((SAMPLES / f"{name}.txt").read_text(encoding="utf-8")).interleaved is interleaved


def test_of_a_long_quote_the_lines_before_the_answer_are_shown() -> None:
    quote = "\n".join(f"> ligne {i}" for i in range(60))
    shown = visible_text(f"Bonjour à vous deux, voici.\n\n{quote}\n\nD'accord avec la fin.\n")
    assert "> ligne 59" in shown
    assert "> ligne 10\n" not in shown


def test_a_lists_own_footer_is_cut_whatever_it_says() -> None:
    rule = FooterRule(text="~ ~ ~\nLes amis de %(real_name)s, depuis 1998\n")
    text = "Bonjour.\n\n~ ~ ~\nLes amis de Lilas, depuis 1998\n"
    assert trim(text, footer=rule).visible == "Bonjour."
    assert "1998" in trim(text).visible


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000,
        ">\n" * 100_000,
        "> " * 200_000,
        "-- \n" * 60_000,
        "".join(f"--\nx{i}\n" for i in range(30_000)),
        "".join(f"> q{i}\nréponse {i}\n" for i in range(20_000)),
        "".join(f"Le 3 mars 2025 à 14:05, J{i} <a@b.fr> a écrit :\n> q\n" for i in range(5_000)),
        "".join(f"Envoyé de mon iPhone {i}\n" for i in range(15_000)),
        "De : a@b\nÀ : c\n" * 20_000,
        "_____\nx mailing list\nx@y\nmot\n\nmot\n" * 8_000,
        "Le 3 mars " * 40_000,
        "<" * 300_000,
        "a@" * 150_000,
        (" a écrit" * 50 + "\n") * 1_000,
    ],
    ids=range(14),
)
def test_large_hostile_text_is_taken_apart(text: str) -> None:
    """A quadratic step would take these minutes; the run would be stopped."""
    assert "".join(piece.text for piece in trim(text).pieces) == text
