"""A module that Synapse loads: it makes certain what happens to it by chance, that a transaction is left behind.

Synapse asks whether the application service is up, and stores a transaction, in two steps. The first transaction with
an event of the configured type that finds the service down is held between the two until the service is up again. It
begins with the room's topic being set; a file tells that one is held.
"""

from pathlib import Path
from typing import Any

from synapse.appservice import ApplicationServiceState
from synapse.module_api import ModuleApi
from synapse.util.duration import Duration

MOST_LOOKS, LOOK_MS = 1500, 20


class LeaveBehind:
    def __init__(self, config: dict[str, Any], api: ModuleApi) -> None:
        self._event_type, self._told = config["event_type"], Path(config["file"])
        self._clock = api._hs.get_clock()
        self._store = api._hs.get_datastores().main
        self._ask_state = self._store.get_appservice_state
        self._store.get_appservice_state = self._state
        controller = api._hs.get_application_service_scheduler().txn_ctrl
        self._send, self._recovered = controller.send, controller.on_recovered
        controller.send, controller.on_recovered = self._hold_send, self._on_recovered
        self._armed = self._wanted = self._holding = self._done = False

    @staticmethod
    def parse_config(config: dict[str, Any]) -> dict[str, Any]:
        return config

    async def _hold_send(self, service: Any, events: Any, *args: Any, **more: Any) -> None:
        self._armed = self._armed or any(event.type == "m.room.topic" for event in events)
        self._wanted = self._armed and any(event.type == self._event_type for event in events)
        await self._send(service, events, *args, **more)

    async def _state(self, service: Any) -> Any:
        state = await self._ask_state(service)
        if not self._wanted or self._done or state != ApplicationServiceState.DOWN:
            return state
        self._holding = True
        self._told.touch()
        for _ in range(MOST_LOOKS):
            if await self._ask_state(service) == ApplicationServiceState.UP:
                break
            await self._sleep()
        self._done = True
        return state

    async def _on_recovered(self, recoverer: Any) -> None:
        """It is up again only once a transaction is held."""
        for _ in range(MOST_LOOKS):
            if self._holding or not self._armed:
                break
            await self._sleep()
        await self._recovered(recoverer)

    async def _sleep(self) -> None:
        await self._clock.sleep(Duration(milliseconds=LOOK_MS))
