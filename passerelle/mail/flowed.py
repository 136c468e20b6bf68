"""format=flowed (RFC 3676): soft line breaks undone, quote marks kept."""


def unflow(text: str, *, delsp: bool) -> str:
    """Join the lines of `text` (LF line ends) that were broken softly.

    `delsp` (RFC 3676 §4.1): the space before a soft break was added by the sender and goes away. Lines are joined
    only at equal quote depth (§4.5), never with a signature separator (§4.3) or an empty line. Quote marks stay
    together, followed by one space.
    """
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        line_depth = len(line) - len(line.lstrip(">"))
        content = line[line_depth:].removeprefix(" ")
        if paragraph and (line_depth != depth or content in {"", "-- "}):
            out.append(_quoted(depth, "".join(paragraph).rstrip(" ")))
            paragraph = []
        depth = line_depth
        if content.endswith(" ") and content != "-- ":
            paragraph.append(content[:-1] if delsp else content)
            continue
        out.append(_quoted(depth, "".join(paragraph) + content))
        paragraph = []
    if paragraph:
        out.append(_quoted(depth, "".join(paragraph).rstrip(" ")))
    return "\n".join(out)


def _quoted(depth: int, line: str) -> str:
    if not depth:
        return line
    return ">" * depth + (" " + line if line else "")
