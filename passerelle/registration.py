"""The registration file that a homeserver reads in application-service mode. Pure.

Source: Matrix Application Service API v1.18, "Registration". Strings are written as JSON, which YAML contains.
"""

import json
import re

from passerelle.core.settings import AppserviceSettings, MatrixSettings

HEAD = """# Registration of Passerelle on the homeserver, for application-service mode ([matrix.appservice]).
# Synapse: name this file under app_service_config_files in homeserver.yaml, then restart it.
# Both tokens are secrets: `openssl rand -hex 32` makes one. Readable by the homeserver's user alone."""


def render_registration(matrix: MatrixSettings, *, as_token: str, hs_token: str) -> str:
    """The YAML text for `matrix`, whose ghosts live on the server of its own user ID."""
    appservice = matrix.appservice or AppserviceSettings()
    localpart, _colon, server = matrix.user_id.removeprefix("@").partition(":")
    ghosts = f"@{re.escape(appservice.ghost_prefix)}.*:{re.escape(server)}"
    lines = [
        HEAD,
        f"id: {json.dumps(appservice.id)}",
        "# Where the homeserver reaches Passerelle: host and port of [matrix.appservice], from over there.",
        f"url: {json.dumps(f'http://{appservice.host}:{appservice.port}')}",
        f"as_token: {json.dumps(as_token)}",
        f"hs_token: {json.dumps(hs_token)}",
        "# The bridge's own account: the local part of user_id.",
        f"sender_localpart: {json.dumps(localpart)}",
        "# A conversation arrives in bursts; the homeserver's limits are for people.",
        "rate_limited: false",
        "namespaces:",
        "  users:",
        "    # Those who write mail: ghost_prefix, then a keyed hash.",
        "    - exclusive: true",
        f"      regex: {json.dumps(ghosts)}",
        "  aliases: []",
        "  rooms: []",
    ]
    return "\n".join(lines) + "\n"
