"""Secrets in the database: AES-256-GCM, bound to the place where they stand.

Stored form: 4 bytes key id, 12 bytes random nonce, ciphertext with tag. The additional data names table, row and
column, so that a secret copied to another row does not open. It must not know where the key comes from.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from syncline.errors import SyncError

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4


class Cipher:
    """Seals and opens secrets with one 256-bit key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise SyncError("DataFolderInvalid", detail=f"The key has {len(key)} bytes instead of {KEY_BYTES}.")
        self._aead = AESGCM(key)
        self._key_id = hashlib.sha256(b"syncline key id" + key).digest()[:KEY_ID_BYTES]

    def seal(self, secret: str, place: str) -> bytes:
        """Return the stored form of `secret` at `place` ("table/row/column")."""
        nonce = os.urandom(NONCE_BYTES)
        return self._key_id + nonce + self._aead.encrypt(nonce, secret.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Return the secret; SyncError("DataFolderInvalid") if another key sealed it or it was moved or changed."""
        key_id, nonce = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
        if key_id != self._key_id:
            raise SyncError("DataFolderInvalid", detail="The key file does not belong to this database.")
        try:
            return self._aead.decrypt(nonce, sealed[KEY_ID_BYTES + NONCE_BYTES :], place.encode()).decode()
        except InvalidTag:
            raise SyncError("DataFolderInvalid", detail=f"The stored password at {place} was changed.") from None
