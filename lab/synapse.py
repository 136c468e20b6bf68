"""A real Matrix homeserver: Synapse on SQLite, unattended, in an environment of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import http
from lab.ports import LOOPBACK, free_port
from lab.process import REPOSITORY, LabError, Server, ServerProcess

PYTHON = REPOSITORY / ".venv-synapse" / "bin" / "python"
SHARED_SECRET = "lab-registration-secret"
_UNLIMITED = {"per_second": 100_000, "burst_count": 100_000}
#: Every limit of Synapse 1.163 that a test would otherwise run into.
NO_RATE_LIMITS: dict[str, Any] = {
    "rc_message": _UNLIMITED,
    "rc_registration": _UNLIMITED,
    "rc_registration_token_validity": _UNLIMITED,
    "rc_login": {"address": _UNLIMITED, "account": _UNLIMITED, "failed_attempts": _UNLIMITED},
    "rc_admin_redaction": _UNLIMITED,
    "rc_joins": {"local": _UNLIMITED, "remote": _UNLIMITED},
    "rc_joins_per_room": _UNLIMITED,
    "rc_invites": {"per_room": _UNLIMITED, "per_user": _UNLIMITED, "per_issuer": _UNLIMITED},
    "rc_room_creation": _UNLIMITED,
    "rc_media_create": _UNLIMITED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SynapseOptions:
    """What a homeserver is started with."""

    server_name: str = "lab.test"
    #: None leaves Synapse's own default (12, whose room ids have no server part).
    room_version: str | None = None
    #: Registration files of application services.
    appservices: Sequence[Path] = ()
    #: Any keys of homeserver.yaml over ours, ``{"rc_message": {"per_second": 0.2, "burst_count": 10}}`` for one.
    overrides: Mapping[str, Any] = field(default_factory=dict)
    log_level: str = "WARNING"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A Matrix account, as a client needs it."""

    homeserver: str
    user_id: str
    password: str
    access_token: str
    device_id: str

    @property
    def localpart(self) -> str:
        """The part of the user id before the server's name, without the @."""
        return self.user_id[1:].partition(":")[0]


class Synapse(Server):
    """One homeserver; started again on the same folder it has the same rooms, users and port."""

    def __init__(self, state: Path, options: SynapseOptions | None = None, *, port: int | None = None) -> None:
        self.state = state
        self.options = options or SynapseOptions()
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.process = ServerProcess(
            [PYTHON, "-m", "synapse.app.homeserver", "-c", state / "homeserver.yaml"],
            log=state / "stdout.log",
            folder=state,
            # What Synapse imports warns of its own future; the log is for what goes wrong.
            environment={"PYTHONWARNINGS": "ignore"},
        )

    @property
    def server_name(self) -> str:
        """The name after the colon in user ids."""
        return self.options.server_name

    def start(self) -> None:
        """Write the configuration, start, and wait until the client API answers."""
        if not PYTHON.exists():
            raise LabError("Synapse is not installed: run make setup")
        self.state.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        self.process.start()
        self.process.wait_ready(
            lambda: http.call("GET", f"{self.url}/_matrix/client/versions", timeout_seconds=5), deadline_seconds=120
        )

    def stop(self) -> None:
        """Stop cleanly."""
        self.process.stop()

    def kill(self) -> None:
        """Kill it as a crash would; :meth:`start` brings it back on the same state."""
        self.process.kill()

    def register(self, localpart: str, password: str = "lab-password", *, admin: bool = False) -> Account:
        """Register a user with the shared secret and log in; an existing user of that password is logged in again.

        Synapse's admin API, "Shared-Secret Registration".
        """
        url = f"{self.url}/_synapse/admin/v1/register"
        nonce = http.call("GET", url)["nonce"]
        words = [nonce, localpart, password, "admin" if admin else "notadmin"]
        mac = hmac.new(SHARED_SECRET.encode(), "\0".join(words).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
        try:
            http.call("POST", url, body=body)
        except http.HttpError as error:
            if "M_USER_IN_USE" not in error.body:
                raise
        return self.login(localpart, password)

    def login(self, localpart: str, password: str = "lab-password", *, device_id: str | None = None) -> Account:
        """Log in with a password, on a new device unless one is named."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": localpart},
            "password": password,
            **({"device_id": device_id} if device_id else {}),
        }
        answer = http.call("POST", f"{self.url}/_matrix/client/v3/login", body=body)
        return Account(
            homeserver=self.url,
            user_id=answer["user_id"],
            password=password,
            access_token=answer["access_token"],
            device_id=answer["device_id"],
        )

    def _write_configuration(self) -> None:
        signing_key = self.state / "signing.key"
        if not signing_key.exists():
            subprocess.run(
                [PYTHON, "-m", "synapse._scripts.generate_signing_key", "-o", signing_key],
                check=True,
                capture_output=True,
                stdin=subprocess.DEVNULL,
            )
        log_configuration = {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(asctime)s %(name)s %(levelname)s %(request)s %(message)s"}},
            "handlers": {
                "file": {
                    "class": "logging.FileHandler",
                    "filename": str(self.state / "synapse.log"),
                    "formatter": "plain",
                }
            },
            "root": {"level": self.options.log_level, "handlers": ["file"]},
        }
        # JSON is YAML.
        (self.state / "log.yaml").write_text(json.dumps(log_configuration, indent=1))
        (self.state / "homeserver.yaml").write_text(json.dumps(self._configuration(), indent=1))

    def _configuration(self) -> dict[str, Any]:
        listener = {
            "port": self.port,
            "type": "http",
            "tls": False,
            "x_forwarded": False,
            "bind_addresses": [LOOPBACK],
            "resources": [{"names": ["client", "media"], "compress": False}],
        }
        configuration: dict[str, Any] = {
            "server_name": self.options.server_name,
            "public_baseurl": f"{self.url}/",
            "pid_file": str(self.state / "synapse.pid"),
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(self.state / "homeserver.db")}},
            "log_config": str(self.state / "log.yaml"),
            "media_store_path": str(self.state / "media"),
            "signing_key_path": str(self.state / "signing.key"),
            "registration_shared_secret": SHARED_SECRET,
            "macaroon_secret_key": "lab-macaroon",
            "form_secret": "lab-form",
            "report_stats": False,
            "enable_registration": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "url_preview_enabled": False,
            "presence": {"enabled": False},
            "max_upload_size": "50M",
            # Hashing passwords is not what is tested.
            "bcrypt_rounds": 4,
            **NO_RATE_LIMITS,
        }
        if self.options.room_version:
            configuration["default_room_version"] = self.options.room_version
        if self.options.appservices:
            configuration["app_service_config_files"] = [str(path) for path in self.options.appservices]
        return {**configuration, **self.options.overrides}
