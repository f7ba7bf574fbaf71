"""Values that LangGraph's ``EncryptedSerializer`` wrote (``langgraph/checkpoint/serde/encrypted.py``)."""

from __future__ import annotations

_NONCE = 16
_TAG = 16
_KEY_SIZES = (16, 24, 32)


class Locked(Exception):
    """A value stays encrypted.

    Args:
        reason: Why, in one phrase, without anything of the key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decrypt(tag: str, data: bytes, key: bytes | None) -> tuple[str, bytes]:
    """Decrypt a stored value.

    Args:
        tag: Its type tag, ``<tag>+<cipher>``.
        data: nonce (16 bytes), MAC (16 bytes), AES-EAX ciphertext.
        key: The AES key as LangGraph takes it from ``LANGGRAPH_AES_KEY``: 16, 24 or 32 bytes.

    Returns:
        The inner type tag and the serialized value.

    Raises:
        Locked: No key, a key of the wrong size, the wrong key, damaged bytes, or another cipher.
    """
    inner, _, cipher_name = tag.partition("+")
    if cipher_name != "aes":
        raise Locked(f"written with the cipher {cipher_name!r}, which only the application knows")
    if key is None:
        raise Locked("no key: set LANGGRAPH_AES_KEY")
    if len(key) not in _KEY_SIZES:
        raise Locked(f"LANGGRAPH_AES_KEY has {len(key)} bytes; an AES key has 16, 24 or 32")
    if len(data) < _NONCE + _TAG:
        raise Locked(f"only {len(data)} bytes: too short for an encrypted value")
    try:
        from Crypto.Cipher import AES
    except ImportError:
        raise Locked("pycryptodome is not installed") from None
    cipher = AES.new(key, AES.MODE_EAX, nonce=data[:_NONCE])
    try:
        plain: bytes = cipher.decrypt_and_verify(data[_NONCE + _TAG :], data[_NONCE : _NONCE + _TAG])
    except ValueError:
        raise Locked("wrong key in LANGGRAPH_AES_KEY, or the bytes were changed") from None
    return inner, plain


def encrypt(tag: str, data: bytes, key: bytes) -> tuple[str, bytes]:
    """Encrypt a serialized value as LangGraph does; the opposite of ``decrypt``.

    Args:
        tag: The type tag of the plain value.
        data: The plain value, serialized.
        key: A key that ``decrypt`` has accepted.

    Returns:
        The tag ``<tag>+aes``, and nonce, MAC and ciphertext.
    """
    from Crypto.Cipher import AES

    cipher = AES.new(key, AES.MODE_EAX)
    hidden, mac = cipher.encrypt_and_digest(data)
    return f"{tag}+aes", cipher.nonce + mac + hidden
