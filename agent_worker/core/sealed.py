"""Encrypt text for places where others can read it: AES-256-GCM with a key of the deployment."""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Sealer:
    """Encrypts and decrypts bytes.

    Args:
        secret: Of the deployment. The key is derived from it, so it may have another use, too.
        purpose: What the key is for; another purpose has another key.
        context: Where the text is: what was encrypted in another context is refused.
    """

    def __init__(self, secret: str, purpose: str, context: str) -> None:
        key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
        self._cipher = AESGCM(key)
        self._context = context.encode()

    def seal(self, data: bytes) -> str:
        """Return the bytes encrypted, as text: URL-safe base64."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, data, self._context)).decode()

    def unseal(self, text: str) -> bytes | None:
        """Return what was encrypted; ``None`` if it was not with this key, purpose and context, or was changed."""
        try:
            sealed = base64.urlsafe_b64decode(text.encode())
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._context)
        except (ValueError, InvalidTag):
            return None
