"""The store and the clock, as commands beside a running daemon use them."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from passerelle import config
from passerelle.core.settings import Settings
from passerelle.core.wording import Language, Words
from passerelle.i18n import administrator_language
from passerelle.render import load_words
from passerelle.store.engine import Store


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The store, beside whatever runs on it. Raises StoreError, ConfigError."""
    store = await Store.open(config.store_url(settings.store), exclusive=False)
    try:
        yield store
    finally:
        await store.close()


def now() -> datetime:
    return datetime.now(UTC)


def words_in(zone: ZoneInfo) -> Words:
    """The members' words in the administrator's language: names of kinds, states, moves."""
    language: Language = "fr" if administrator_language(os.environ) == "fr" else "en"
    return load_words(language, zone)


def moment_in(zone: ZoneInfo) -> Callable[[datetime], str]:
    """Says an instant in the administrator's language, as the clocks of `zone` show it."""
    words = words_in(zone)
    this_year = now().astimezone(zone).year

    def moment(at: datetime) -> str:
        return words.moment(at, year=at.astimezone(zone).year != this_year)

    return moment
