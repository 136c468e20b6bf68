"""The configuration file: what is read, and what is said of what is wrong."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle import config, keys
from passerelle.core.settings import ImapSettings, MatrixSettings, Settings, StoreSettings
from passerelle.errors import ConfigError

GOOD = """
[matrix]
homeserver = "https://matrix.example.org/"
user_id = "@passerelle:example.org"
password_file = "secrets/matrix"

[[mailboxes]]
address = "passerelle@Example.ORG"
[mailboxes.imap]
host = "imap.example.org"
username = "passerelle"
password_env = "PASSERELLE_TEST_PASSWORD"
[mailboxes.smtp]
host = "smtp.example.org"

[[associations]]
name = "epeule"
title = "Comité de quartier de l’Épeule"
[[associations.coordinators]]
name = "Monique"
[[associations.links]]
name = "bureau"
room = "!room:example.org"
[associations.links.list]
address = "bureau@listes.example.org"
"""

TERRE = """
name = "terre"
title = "Terre et ciel"
[[coordinators]]
name = "Karim"
[[links]]
name = "tous"
room = "#terre:example.org"
[links.list]
address = "tous@listes.example.org"
"""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "matrix").write_text("s3cret\n")
    (tmp_path / "secrets" / "matrix").chmod(0o600)
    return tmp_path


def write(folder: Path, text: str = GOOD) -> Path:
    path = folder / "passerelle.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_load_good_file_gives_settings(folder: Path) -> None:
    settings = config.load(write(folder))
    assert settings.mailboxes[0].address == "passerelle@example.org"
    assert settings.matrix.homeserver == "https://matrix.example.org"
    assert settings.associations[0].links[0].mailing_list.address == "bureau@listes.example.org"


def test_load_relative_paths_are_meant_from_the_files_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    settings = config.load(write(folder))
    assert settings.matrix.password_file == str(folder / "secrets" / "matrix")
    assert settings.store.url == f"sqlite:///{folder}/passerelle.db"


def test_load_absolute_paths_and_servers_stay(folder: Path) -> None:
    text = GOOD.replace('"secrets/matrix"', '"/etc/passerelle/matrix"')
    settings = config.load(write(folder, '[store]\nurl = "sqlite:////var/lib/p.db"\n' + text))
    assert (settings.matrix.password_file, settings.store.url) == ("/etc/passerelle/matrix", "sqlite:////var/lib/p.db")
    settings = config.load(write(folder, '[store]\nurl = "postgresql://me@db/base"\n' + text))
    assert settings.store.url == "postgresql://me@db/base"


def test_load_a_file_from_a_windows_editor_is_read(folder: Path) -> None:
    path = folder / "passerelle.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert config.load(path).associations[0].name == "epeule"


def test_load_all_errors_are_told_at_once_with_their_paths(folder: Path) -> None:
    text = (
        GOOD.replace('room = "!room:example.org"', 'room = "bureau"\nfuse_per_hour = 0.5\npolicy = "now"')
        .replace('user_id = "@passerelle:example.org"', "")
        .replace('host = "smtp.example.org"', 'host = "smtp.example.org"\nport = 70000')
        .replace('password_env = "PASSERELLE_TEST_PASSWORD"', 'idle_minutes = "long"')
    )
    assert problems(write(folder, text)) == [
        'matrix.user_id: is needed, for instance: user_id = "@passerelle:example.org"',
        "mailboxes[0].imap.idle_minutes: write a number, without quotes",
        "mailboxes[0].smtp.port: must be 65535 or less",
        "associations[0].links[0].room: a room ID begins with ! and an alias with #",
        "associations[0].links[0].policy: write one of 'conversation', 'each', 'on_request'",
        "associations[0].links[0].fuse_per_hour: write a whole number, without quotes",
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("quiet_minuts = 5", "associations[0].links[0].quiet_minuts: there is no such key; do you mean quiet_minutes?"),
        (
            "idle_minutes = 5",
            "associations[0].links[0].idle_minutes: there is no such key here; it belongs to [mailboxes.imap]",
        ),
        ('liste = "x"', "associations[0].links[0].liste: there is no such key; do you mean list?"),
    ],
)
def test_load_unknown_key_is_an_error_with_a_suggestion(folder: Path, line: str, sentence: str) -> None:
    text = GOOD.replace('room = "!room:example.org"', f'room = "!room:example.org"\n{line}')
    assert problems(write(folder, text)) == [sentence]


def test_load_key_like_no_other_lists_the_keys_there_are(folder: Path) -> None:
    (problem,) = problems(write(folder, GOOD + '[log]\nxyzzy = "x"\n'))
    assert problem == "log.xyzzy: there is no such key; there are format, level"


def test_load_removed_key_explains_itself(folder: Path) -> None:
    path = write(folder, GOOD.replace('name = "bureau"', 'name = "bureau"\nbatch_minutes = 3'))
    removed = {"associations[].links[].batch_minutes": "is called quiet_minutes since 0.2"}
    with pytest.raises(ConfigError, match=r"links\[0\]\.batch_minutes: is called quiet_minutes since 0\.2"):
        config.load(path, removed=removed)


def test_every_removed_key_is_no_key_of_today() -> None:
    known = {key.path for table in keys.all_tables(keys.describe()) for key in table.keys}
    assert not known & set(config.REMOVED_KEYS)


def test_load_section_with_one_bracket_is_explained(folder: Path) -> None:
    assert problems(write(folder, GOOD.replace("[[mailboxes]]", "[mailboxes]"))) == [
        "mailboxes: is a section that may be repeated: write it with two brackets, [[mailboxes]]"
    ]


def test_load_a_list_or_a_room_in_two_links_is_an_error(folder: Path) -> None:
    second = GOOD[GOOD.index("[[associations.links]]") :].replace('"bureau"', '"conseil"')
    found = problems(write(folder, GOOD + second.replace("!room", "!other")))
    assert found == [
        "associations[0].links[1].list.address: 'bureau@listes.example.org' stands already in "
        "associations[0].links[0].list.address; a list can be in one link only"
    ]
    found = problems(write(folder, GOOD + second.replace("bureau@", "conseil@")))
    assert [f.partition(":")[0] for f in found] == ["associations[0].links[1].room"]


def test_load_link_to_a_mailbox_that_is_not_there(folder: Path) -> None:
    text = GOOD.replace('name = "bureau"', 'name = "bureau"\nmailbox = "second"')
    assert problems(write(folder, text)) == [
        "associations[0].links[0].mailbox: there is no mailbox 'second'; there is main"
    ]


def test_load_two_ways_to_a_password_are_an_error(folder: Path) -> None:
    text = GOOD.replace('password_file = "secrets/matrix"', 'password_file = "a"\npassword_env = "B"')
    assert problems(write(folder, text)) == ["matrix: give only one of password_file, password_env"]


def test_load_toml_syntax_error_names_the_line(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"passerelle\.toml: line 3, column 12: Expected"):
        config.load(write(folder, "\n[matrix]\nhomeserver https\n"))
    with pytest.raises(ConfigError, match="at the end of the file"):
        config.load(write(folder, "[matrix"))


def test_load_file_that_is_missing_or_no_text(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not there\. To write one: passerelle init"):
        config.load(folder / "none.toml")
    (folder / "passerelle.toml").write_bytes(b"[matrix]\nuser_id = '\xe9'")
    with pytest.raises(ConfigError, match="line 2 is not UTF-8 text"):
        config.load(folder / "passerelle.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(folder)


# ---------------------------------------------------------------- associations.d


def test_associations_folder_adds_to_the_main_file(folder: Path) -> None:
    (folder / "associations.d").mkdir()
    (folder / "associations.d" / "terre.toml").write_text(TERRE)
    settings = config.load(write(folder))
    assert [a.name for a in settings.associations] == ["epeule", "terre"]


def test_associations_folder_alone_is_enough(folder: Path) -> None:
    (folder / "associations.d").mkdir()
    (folder / "associations.d" / "terre.toml").write_text(TERRE)
    settings = config.load(write(folder, GOOD[: GOOD.index("[[associations]]")]))
    assert [a.name for a in settings.associations] == ["terre"]


def test_associations_folder_errors_name_their_file(folder: Path) -> None:
    (folder / "associations.d").mkdir()
    (folder / "associations.d" / "a.toml").write_text("name = \n")
    (folder / "associations.d" / "b.toml").write_text(TERRE.replace("#terre", "terre").replace("title", "titel"))
    (folder / "associations.d" / "c.toml").write_text('name = "c"\ntitle = "C"\n[[coordinators]]\nname = "L"\n')
    assert problems(write(folder)) == [
        "associations.d/a.toml: line 1, column 8: Invalid value",
        'associations.d/b.toml: title: is needed, for instance: title = "Comité de quartier de l’Épeule"',
        "associations.d/b.toml: links[0].room: a room ID begins with ! and an alias with #",
        "associations.d/b.toml: titel: there is no such key; do you mean title?",
        "associations.d/c.toml: links: this section is needed: [[links]]",
    ]


def test_associations_folder_clash_names_both_files(folder: Path) -> None:
    (folder / "associations.d").mkdir()
    (folder / "associations.d" / "b.toml").write_text(TERRE.replace('"terre"', '"epeule"'))
    assert problems(write(folder)) == [
        "associations.d/b.toml: name: 'epeule' stands already in associations[0].name; "
        "associations need different names"
    ]


# ---------------------------------------------------------------- secrets


def test_resolve_secret_from_each_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_TEST_PASSWORD", "from the environment")
    settings = config.load(write(folder))
    assert config.resolve_secret(settings.matrix) == "s3cret"
    assert settings.mailboxes[0].imap is not None
    assert config.resolve_secret(settings.mailboxes[0].imap) == "from the environment"
    assert config.resolve_secret(settings.mailboxes[0].smtp) is None
    assert config.resolve_secret(ImapSettings.model_validate({"host": "h", "password": " spaces stay "})) is not None
    assert config.read_secrets(settings) == ("s3cret", "from the environment")


def test_read_secrets_tells_every_missing_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PASSERELLE_TEST_PASSWORD", raising=False)
    (folder / "secrets" / "matrix").write_text("\n")
    with pytest.raises(ConfigError) as caught:
        config.read_secrets(config.load(write(folder)))
    assert str(caught.value).splitlines() == [
        f"matrix: password_file names {folder}/secrets/matrix, which is empty",
        "mailboxes[0].imap: password_env names the environment variable PASSERELLE_TEST_PASSWORD, which is not set",
    ]


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "is not there"), (b"\xff\xfe", "not UTF-8 text"), (b"x" * 70_000, "too long")]
)
def test_resolve_secret_bad_file_says_so(folder: Path, content: bytes | None, reason: str) -> None:
    path = folder / "secrets" / "matrix"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        config.resolve_secret(config.load(write(folder)).matrix)


def test_secret_file_that_others_can_read_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(folder)
    path.chmod(0o644)
    settings = config.load(path)
    with caplog.at_level(logging.WARNING):
        config.resolve_secret(settings.matrix)
    assert not caplog.records
    assert config.exposed_files(settings, path) == ()
    (folder / "secrets" / "matrix").chmod(0o644)
    config.resolve_secret(settings.matrix)
    assert "chmod 600" in caplog.text
    assert "s3cret" not in caplog.text
    assert config.exposed_files(settings, path) == (folder / "secrets" / "matrix",)


def test_config_file_with_a_password_in_it_that_others_can_read_is_told(folder: Path) -> None:
    path = write(folder, GOOD.replace('password_file = "secrets/matrix"', 'password = "s3cret"'))
    path.chmod(0o644)
    assert config.exposed_files(config.load(path), path) == (path,)


def test_secrets_are_never_printed(folder: Path) -> None:
    text = GOOD.replace('password_file = "secrets/matrix"', 'password = "s3cret"')
    text += '[store]\nurl = "postgresql://me:hidden@db/base"\n'
    settings = config.load(write(folder, text))
    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert "hidden" not in f"{settings!r} {settings}"
    assert config.read_secrets(config.load(write(folder, text.replace("_env", "_file").replace(
        '"PASSERELLE_TEST_PASSWORD"', '"secrets/matrix"')))) == ("s3cret", "s3cret", "hidden")  # fmt: skip


def test_wrong_secrets_are_not_quoted_in_errors(folder: Path) -> None:
    text = GOOD.replace('password_file = "secrets/matrix"', "password = 12345678").replace(
        'host = "smtp.example.org"', 'host = "smtp.example.org"\npassword = ["s3cret"]'
    )
    found = " ".join(problems(write(folder, text)))
    assert "matrix.password" in found
    assert "smtp.password" in found
    assert "12345678" not in found
    assert "s3cret" not in found


def test_store_url_gets_its_password(folder: Path) -> None:
    (folder / "db").write_text("p@ss/word")
    (folder / "db").chmod(0o600)
    store = StoreSettings(url="postgresql://me@db:5433/base", password_file=str(folder / "db"))
    assert config.store_url(store) == "postgresql://me:p%40ss%2Fword@db:5433/base"
    assert config.store_url(StoreSettings(url="sqlite:///x.db")) == "sqlite:///x.db"


def test_access_token_and_password_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="give only one of"):
        MatrixSettings.model_validate(
            {"homeserver": "https://h", "user_id": "@a:b", "password": "x", "access_token_file": "y"}
        )


_TOML_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.times() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["matrix", "mailboxes", "imap", "associations", "links", "list", "name", "room", "x"])
            | st.text(),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(data=st.dictionaries(st.sampled_from(["matrix", "mailboxes", "associations", "store", "log", "x"]), _TOML_LIKE))
def test_whatever_stands_in_the_file_the_answer_is_sentences(data: dict[str, object]) -> None:
    from pydantic import ValidationError

    from passerelle import config_errors

    try:
        Settings.model_validate(data)
    except ValidationError as error:
        lines = config_errors.sentences(error, removed={})
        assert lines
        assert all(": " in line for line in lines)


NETWORK = '\n[[networks]]\nname = "reseau"\ntitle = "Réseau"\nassociations = {associations}\nlinks = {links}\n'


@pytest.mark.parametrize(
    ("associations", "links", "wrong"),
    [
        ('["epeule"]', '["epeule/bureau"]', ""),
        ('["epeule", "ailleurs"]', "[]", "there is no association 'ailleurs'"),
        ('["epeule"]', '["epeule/jardin"]', "there is no link 'epeule/jardin' in an association of the network"),
        ('["epeule"]', '["bureau"]', "there is no link 'bureau'"),
    ],
)
def test_a_network_shares_links_that_its_associations_have(
    folder: Path, associations: str, links: str, wrong: str
) -> None:
    file = folder / "passerelle.toml"
    file.write_text(GOOD + NETWORK.format(associations=associations, links=links), encoding="utf-8")
    if not wrong:
        assert config.load(file).networks[0].links == ("epeule/bureau",)
        return
    with pytest.raises(ConfigError, match=wrong):
        config.load(file)
