"""The web config file: TLS and basic auth, in the format of Prometheus's exporter-toolkit.

Format: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. Keys that are not
implemented are refused: ignoring one would serve with less protection than the file says.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml  # type: ignore[import-untyped]
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

_TLS_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_VERIFY_MODES = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_BCRYPT_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_FOLDER = "folder"  # in the validation context: what relative paths are relative to


class BadWebConfigError(Exception):
    """The web config file has problems; nothing is served with it.

    Attributes:
        problems: All of them, one line each.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _resolve_readable(path: Path, info: ValidationInfo) -> Path:
    path = Path((info.context or {}).get(_FOLDER, "")) / path
    try:
        path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    return path


def _require_bcrypt(hashed: SecretStr) -> SecretStr:
    if not _BCRYPT_HASH.fullmatch(hashed.get_secret_value()):
        raise ValueError("not a bcrypt hash")
    return hashed


def _keys_to_text(section: Any) -> Any:
    """Return the section with keys of type str: YAML reads a user name like 123 as a number."""
    return {str(key): value for key, value in section.items()} if isinstance(section, dict) else section


_ReadableFile = Annotated[Path, AfterValidator(_resolve_readable)]
_BcryptHash = Annotated[SecretStr, AfterValidator(_require_bcrypt)]


class TLSServerConfig(BaseModel):
    """The section ``tls_server_config``. Empty values are unset, as in exporter-toolkit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cert_file: _ReadableFile
    key_file: _ReadableFile
    client_ca_file: _ReadableFile | None = None
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = Field(
        default="NoClientCert", validate_default=True
    )
    min_version: Literal["TLS10", "TLS11", "TLS12", "TLS13"] = "TLS12"

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, section: Any) -> Any:
        if not isinstance(section, dict):
            return section
        return {str(key): value for key, value in section.items() if value not in (None, "") or key not in _TLS_KEYS}

    @field_validator("key_file")
    @classmethod
    def _match_certificate(cls, key_file: Path, info: ValidationInfo) -> Path:
        if cert_file := info.data.get("cert_file"):
            try:
                _load_certificate(_new_context(), cert_file, key_file)
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                raise ValueError(f"not the key of a certificate in cert_file: {error}") from None
        return key_file

    @field_validator("client_ca_file")
    @classmethod
    def _hold_certificates(cls, client_ca_file: Path | None) -> Path | None:
        if client_ca_file:
            try:
                _new_context().load_verify_locations(client_ca_file)
            except OSError as error:
                raise ValueError(f"holds no certificates: {error}") from None
        return client_ca_file

    @field_validator("client_auth_type")
    @classmethod
    def _match_client_ca(cls, client_auth_type: str, info: ValidationInfo) -> str:
        if "client_ca_file" not in info.data:  # it has a problem of its own
            return client_auth_type
        if client_auth_type != "NoClientCert" and not info.data["client_ca_file"]:
            raise ValueError("requires client_ca_file; clients' certificates are verified with it")
        if client_auth_type == "NoClientCert" and info.data["client_ca_file"]:
            raise ValueError("has to require or accept certificates; otherwise client_ca_file has no effect")
        return client_auth_type

    def ssl_context(self) -> ssl.SSLContext:
        """Return the TLS context of the server."""
        context = _new_context()
        context.minimum_version = _TLS_VERSIONS[self.min_version]
        _load_certificate(context, self.cert_file, self.key_file)
        if self.client_ca_file:
            context.load_verify_locations(self.client_ca_file)
        context.verify_mode = _VERIFY_MODES[self.client_auth_type]
        return context


_TLS_KEYS = frozenset(TLSServerConfig.model_fields)


class WebConfig(BaseModel):
    """The web config file.

    Attributes:
        tls_server_config: TLS of the server, or None for plain HTTP.
        basic_auth_users: bcrypt hashes of passwords by user name; if empty, no password is required.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tls_server_config: Annotated[TLSServerConfig | None, BeforeValidator(lambda section: section or None)] = None
    basic_auth_users: Annotated[dict[str, _BcryptHash], BeforeValidator(lambda users: _keys_to_text(users or {}))] = {}

    _text_keys = model_validator(mode="before")(_keys_to_text)

    @property
    def password_hashes(self) -> dict[str, bytes]:
        """The hashes of ``basic_auth_users``, as bcrypt takes them."""
        return {name: hashed.get_secret_value().encode() for name, hashed in self.basic_auth_users.items()}


def load(path: Path) -> WebConfig:
    """Read a web config file.

    Raises:
        BadWebConfigError: With every problem of the file.
    """
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadWebConfigError([f"cannot be read: {' '.join(str(error).split())}"]) from error
    try:
        return WebConfig.model_validate(content, context={_FOLDER: path.parent})
    except ValidationError as error:
        raise BadWebConfigError([_describe(details) for details in error.errors(include_input=False)]) from None


def _describe(error: ErrorDetails) -> str:
    """Return one line on a problem. It never quotes the value, which may be a password."""
    location = ".".join(map(str, error["loc"]))
    return f"{location}: {_reason(error)}" if location else _reason(error)


def _reason(error: ErrorDetails) -> str:
    if error["loc"][:1] == ("basic_auth_users",) and len(error["loc"]) > 1:
        return f"not a bcrypt hash; `htpasswd -nBC 10 {error['loc'][1]}` makes one"
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        known: Mapping[str, Any] = TLSServerConfig.model_fields if len(error["loc"]) > 1 else WebConfig.model_fields
        return f"unknown here; known: {', '.join(known)}"
    if error["type"] == "literal_error":
        return f"has to be {error['ctx']['expected']}"
    if error["type"] in ("model_type", "dict_type"):
        return "has to be a mapping"
    return error["msg"].removeprefix("Value error, ")


def _new_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def _load_certificate(context: ssl.SSLContext, cert_file: Path, key_file: Path) -> None:
    # An encrypted key fails, instead of asking for its passphrase on the terminal.
    context.load_cert_chain(cert_file, key_file, password=lambda: "")
