"""The registration file that a homeserver's administrator installs for application-service mode. Pure.

Format: Matrix application-service API v1.18, "Registration".
"""

import json
import re

from passerelle.core.settings import AppserviceSettings, MatrixSettings


def registration_yaml(settings: MatrixSettings, *, as_token: str, hs_token: str, url: str | None = None) -> str:
    """The registration file for these settings.

    Args:
        url: where the homeserver reaches Passerelle; None: the host and port of the settings.

    Raises ValueError where the settings have no [matrix.appservice].
    """
    service = settings.appservice
    if service is None:
        raise ValueError("there is no [matrix.appservice] section")
    localpart, _, server = settings.user_id.removeprefix("@").partition(":")
    address = url or f"http://{service.host}:{service.port}"
    return f"""\
# Passerelle as an application service. Install it on the homeserver; for Synapse, in homeserver.yaml:
#   app_service_config_files: [/etc/matrix-synapse/passerelle.yaml]
# The two tokens stand in Passerelle's configuration too. Whoever has them can write in the name of every member
# of the list: this file is for the homeserver alone (chmod 0640).
id: {_text(service.id)}
url: {_text(address)}
as_token: {_text(as_token)}
hs_token: {_text(hs_token)}
sender_localpart: {_text(localpart)}
# A backlog of mails would wait for hours otherwise: Synapse lets a normal account send one event in five seconds.
rate_limited: false
receive_ephemeral: false
namespaces:
  users:
    - exclusive: true
      regex: {_text(_users_pattern(service, server))}
  aliases: []
  rooms: []
"""


def _users_pattern(service: AppserviceSettings, server: str) -> str:
    return f"^@{re.escape(service.ghost_prefix)}[a-z0-9._=/+-]+:{re.escape(server)}$"


def _text(value: str) -> str:
    # A JSON string is a YAML string, whatever is in it.
    return json.dumps(value)
