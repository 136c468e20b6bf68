"""A homeserver with an application service installed, and the service itself."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.ports import free_port
from lab.synapse import Synapse, SynapseOptions
from passerelle.core.settings import AppserviceSettings, MatrixSettings
from passerelle.matrix.appservice import Appservice
from passerelle.matrix.registration import registration_yaml

AS_TOKEN, HS_TOKEN = "as-secret-of-the-tests", "hs-secret-of-the-tests"


@dataclass(frozen=True, kw_only=True)
class Hosted:
    synapse: Synapse
    settings: MatrixSettings
    port: int


@contextmanager
def hosting(folder: Path, overrides: Mapping[str, Any]) -> Iterator[Hosted]:
    """A Synapse of its own, with these keys of homeserver.yaml over the lab's."""
    port, registration = free_port(), folder / "passerelle.yaml"
    synapse = Synapse(folder / "synapse", SynapseOptions(appservices=[registration], overrides=overrides))
    settings = MatrixSettings(
        homeserver=synapse.url,
        user_id="@_passerelle_bot:lab.test",
        appservice=AppserviceSettings(port=port),
        sync_seconds=1,
        timeout_seconds=20,
    )
    registration.write_text(registration_yaml(settings, as_token=AS_TOKEN, hs_token=HS_TOKEN))
    with synapse:
        yield Hosted(synapse=synapse, settings=settings, port=port)


@asynccontextmanager
async def opened(hosted: Hosted) -> AsyncIterator[Appservice]:
    service = Appservice(hosted.settings, as_token=AS_TOKEN, hs_token=HS_TOKEN)
    try:
        yield service
    finally:
        await service.close()
