"""The web config file: accepted as exporter-toolkit accepts it, or refused with every problem."""

from __future__ import annotations

import ssl
from pathlib import Path

import bcrypt
import pytest
import trustme

from agent_metrics.server.web_config import BadWebConfigError, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files of a certificate."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    authority.issue_cert("other").private_key_pem.write_to_path(str(tmp_path / "other-key.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path


def problems(folder: Path, content: str) -> list[str]:
    (folder / "web.yml").write_text(content)
    with pytest.raises(BadWebConfigError) as caught:
        load(folder / "web.yml")
    return caught.value.problems


def test_every_problem_is_listed_and_no_password_quoted(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "tls_server_config: {cert_file: missing.pem, min_version: SSL3, client_auth_type: Maybe, cipher_suites: []}\n"
        "basic_auth_users: {somebody: plain-password, 5: 12345}\nhttp_server_config: {}\n",
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "tls_server_config.cert_file",
        "tls_server_config.key_file",
        "tls_server_config.client_auth_type",
        "tls_server_config.min_version",
        "tls_server_config.cipher_suites",
        "basic_auth_users.somebody",
        "basic_auth_users.5",
        "http_server_config",
    ]
    assert "missing.pem cannot be read: No such file" in found[0]
    assert found[1].endswith("is missing")
    assert "'TLS10', 'TLS11', 'TLS12' or 'TLS13'" in found[3]
    assert "known: cert_file, key_file, client_ca_file, client_auth_type, min_version" in found[4]
    assert "htpasswd -nBC 10 somebody" in found[5]
    assert not any("plain-password" in problem or "12345" in problem for problem in found)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1, 2]", "has to be a mapping"),
        ("a: [", "cannot be read: while parsing"),
        ("tls_server_config: 1", "tls_server_config: has to be a mapping"),
        ("basic_auth_users: [a]", "basic_auth_users: has to be a mapping"),
        ("tls_server_config: {cert_file: web.yml, key_file: web.yml}", "tls_server_config.key_file: not the key"),
        (
            "tls_server_config: {cert_file: cert.pem, key_file: other-key.pem}",
            "tls_server_config.key_file: not the key",
        ),
        (
            "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: web.yml}",
            "tls_server_config.client_ca_file: holds no certificates",
        ),
        (
            "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem}",
            "tls_server_config.client_auth_type: has to require or accept certificates",
        ),
        (
            "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_auth_type: VerifyClientCertIfGiven}",
            "tls_server_config.client_auth_type: requires client_ca_file",
        ),
    ],
)
def test_a_wrong_web_config_is_refused_with_the_reason(content: str, problem: str, folder: Path) -> None:
    (found,) = problems(folder, content)
    assert found.startswith(problem)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWebConfigError, match="cannot be read"):
        load(tmp_path / "missing.yml")


@pytest.mark.parametrize("content", ["", "tls_server_config:\nbasic_auth_users:\n", "tls_server_config: {}\n"])
def test_an_empty_web_config_protects_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(content)
    config = load(tmp_path / "web.yml")
    assert config.tls_server_config is None
    assert config.password_hashes == {}


def test_a_complete_web_config_is_applied(folder: Path) -> None:
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    (folder / "web.yml").write_text(
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  client_ca_file: ca.pem\n"
        "  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n"
        f"basic_auth_users: {{prometheus: {hashed}}}\n"
    )
    config = load(folder / "web.yml")
    assert config.tls_server_config is not None
    context = config.tls_server_config.ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert config.password_hashes == {"prometheus": hashed.encode()}
    assert hashed not in repr(config)


def test_empty_values_are_unset_as_in_exporter_toolkit(folder: Path) -> None:
    (folder / "web.yml").write_text(
        "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_auth_type: '', client_ca_file:}\n"
    )
    config = load(folder / "web.yml")
    assert config.tls_server_config is not None
    context = config.tls_server_config.ssl_context()
    assert context.verify_mode is ssl.CERT_NONE
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
