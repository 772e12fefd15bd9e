"""Who may look, and how is the way there kept private? A file in the format of Prometheus's exporter-toolkit."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_CLIENT_AUTH = {
    "": ssl.CERT_NONE,
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_FILES = ("cert_file", "key_file", "client_ca_file")
_TLS_KEYS = (*_FILES, "client_auth_type", "min_version")
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


class BadWebConfigError(Exception):
    """Nothing is served with a file that is not fully understood.

    Attributes:
        problems: Each of them, in a line.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class WebConfig:
    """Attributes:
    users: Names and the bcrypt hashes of their passwords; if there are none, everybody may look.
    tls: What connections are encrypted with, if they are.
    """

    users: Mapping[str, bytes] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None


def load(path: Path) -> WebConfig:
    """Read the file.

    Raises:
        BadWebConfigError: With all that is wrong with it.
    """
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadWebConfigError([f"cannot be read: {' '.join(str(error).split())}"]) from error
    problems: list[str] = []
    if not isinstance(content, dict):
        raise BadWebConfigError(["has to be a mapping"])
    _refuse_unknown(content, ("tls_server_config", "basic_auth_users"), "", problems)
    users = _users(content.get("basic_auth_users") or {}, problems)
    tls = _tls(content.get("tls_server_config") or {}, path.parent, problems)
    if problems:
        raise BadWebConfigError(problems)
    return WebConfig(users, tls)


def _refuse_unknown(section: Mapping[Any, Any], known: tuple[str, ...], prefix: str, problems: list[str]) -> None:
    problems += [f"{prefix}{key}: unknown here; known: {', '.join(known)}" for key in section if key not in known]


def _users(section: Any, problems: list[str]) -> dict[str, bytes]:
    if not isinstance(section, dict):
        problems.append("basic_auth_users: has to be a mapping of names to bcrypt hashes")
        return {}
    users = {}
    for name, hashed in section.items():
        if isinstance(hashed, str) and _BCRYPT.fullmatch(hashed):
            users[str(name)] = hashed.encode()
        else:  # the value may be a password, so it is not quoted
            problems.append(f"basic_auth_users.{name}: no bcrypt hash; `htpasswd -nBC 10 {name}` makes one")
    return users


def _tls(section: Any, folder: Path, problems: list[str]) -> ssl.SSLContext | None:
    if not isinstance(section, dict):
        problems.append("tls_server_config: has to be a mapping")
        return None
    if not section:
        return None
    _refuse_unknown(section, _TLS_KEYS, "tls_server_config.", problems)
    before = len(problems)
    problems += [f"tls_server_config.{key}: is missing" for key in ("cert_file", "key_file") if not section.get(key)]
    files = {key: folder / str(section[key]) for key in _FILES if section.get(key)}
    for key, file in files.items():
        try:
            file.read_bytes()
        except OSError as error:
            problems.append(f"tls_server_config.{key}: {file} cannot be read: {error.strerror}")
    version = _choice(section, "min_version", "TLS12", _VERSIONS, problems)
    verify = _choice(section, "client_auth_type", "", _CLIENT_AUTH, problems)
    if verify not in (None, ssl.CERT_NONE) and "client_ca_file" not in files:
        problems.append("tls_server_config.client_ca_file: is missing; clients' certificates are verified with it")
    if verify is ssl.CERT_NONE and "client_ca_file" in files:
        problems.append("tls_server_config.client_auth_type: is missing; without it client_ca_file does nothing")
    if len(problems) > before or version is None or verify is None:
        return None
    return _context(files, version, verify, problems)


def _choice(section: Mapping[str, Any], key: str, default: str, choices: Mapping[str, Any], problems: list[str]) -> Any:
    value = section.get(key) or default
    if not isinstance(value, str) or value not in choices:
        names = ", ".join(name for name in choices if name)
        problems.append(f"tls_server_config.{key}: has to be one of {names}")
        return None
    return choices[value]


def _context(
    files: Mapping[str, Path], version: ssl.TLSVersion, verify: ssl.VerifyMode, problems: list[str]
) -> ssl.SSLContext | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = version
    try:
        context.load_cert_chain(files["cert_file"], files["key_file"], password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        problems.append(f"tls_server_config.cert_file, key_file: no certificate with its key: {error}")
    if "client_ca_file" in files:
        try:
            context.load_verify_locations(files["client_ca_file"])
        except OSError as error:
            problems.append(f"tls_server_config.client_ca_file: no certificates: {error}")
    context.verify_mode = verify
    return context
