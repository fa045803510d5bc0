"""MD4 (RFC 1320), which NTLM derives its keys with and which today's crypto libraries no longer offer.

For passwords of an emulated server in tests only: MD4 protects nothing.
"""

from __future__ import annotations

import struct

_MASK = 0xFFFF_FFFF
_START = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
# For each round: the order of the words, the shifts, and the constant that is added.
_ROUNDS = (
    (tuple(range(16)), (3, 7, 11, 19), 0),
    ((0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), (3, 5, 9, 13), 0x5A82_7999),
    ((0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15), 0x6ED9_EBA1),
)


def md4(data: bytes) -> bytes:
    """Return the 16 bytes of the digest."""
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", len(data) * 8)
    state: tuple[int, ...] = _START
    for at in range(0, len(padded), 64):
        state = _block(state, struct.unpack_from("<16I", padded, at))
    return struct.pack("<4I", *state)


def _block(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
    a, b, c, d = state
    for number, (order, shifts, constant) in enumerate(_ROUNDS):
        for step, index in enumerate(order):
            mixed = (a + _mix(number, b, c, d) + words[index] + constant) & _MASK
            shift = shifts[step % 4]
            a, b, c, d = d, ((mixed << shift) | (mixed >> (32 - shift))) & _MASK, b, c
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d), strict=True))


def _mix(number: int, b: int, c: int, d: int) -> int:
    if number == 0:
        return (b & c) | (~b & d)
    return (b & c) | (b & d) | (c & d) if number == 1 else b ^ c ^ d
