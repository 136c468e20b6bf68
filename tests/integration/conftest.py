"""Debian's servers, for the tests marked ``dovecot``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lab.debian_town
from lab.association import Association, AssociationPlan, found_association
from lab.debian_town import DebianTown
from lab.synapse import Synapse


@pytest.fixture(scope="session")
def debian_town(tmp_path_factory: pytest.TempPathFactory, synapse: Synapse) -> Iterator[DebianTown]:
    """Postfix, Dovecot and Mailman beside the session's homeserver."""
    if reason := lab.debian_town.unavailable():
        pytest.skip(reason)
    state: Path = tmp_path_factory.mktemp("debian")
    with DebianTown(state, synapse) as town:
        yield town


@pytest.fixture
async def debian_association(debian_town: DebianTown, suffix: str) -> Association:
    """A fresh association on Debian's servers."""
    return await found_association(debian_town, AssociationPlan(suffix=suffix))
