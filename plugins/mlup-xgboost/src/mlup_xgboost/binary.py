"""XGBoost's first form, its structures as they lie in memory: written up to 3.0, read up to 3.0.

Source: ``LearnerIO::Load`` and ``LearnerModelParamLegacy`` in ``src/learner.cc`` of XGBoost 0.4 to
3.0: 136 bytes, then the names of the objective and of the booster, each after its length. In front
stand ``binf``, or nothing; ``bs64`` is followed by all of it in base64.
"""

from __future__ import annotations

import binascii
import re
import struct
from typing import Final

READABLE_BEFORE: Final = (3, 1)

_BASE64: Final = b"bs64\t"
_PARAMETERS: Final = struct.Struct("<fIiiiIIII")
"""base_score, num_feature, num_class, contain_extra_attrs, contain_eval_metrics, the version, and
num_target and base_score_estimated, which XGBoost before 1.7 does not have (zeros)."""
_RESERVED: Final = slice(36, 136)
_NAMES: Final = re.compile(
    rb"[\x03-\x40]\0{7}([a-z]+:[a-z0-9]+)[\x04-\x08]\0{7}(gbtree|gblinear|dart)", re.DOTALL
)
NEEDED: Final = 4 + 136 + 8 + 64 + 8 + 8
"""Bytes from the beginning that :func:`described` looks at."""


def begins(data: bytes | bytearray) -> bool:
    """Whether it may be one by its mark."""
    return data[:4] in (b"binf", b"bs64")


def described(start: bytes) -> str | None:
    """What the first :data:`NEEDED` bytes (or 4/3 of them) say, if they are those of such a model."""
    if start.startswith(_BASE64):
        text = start[5:]
        try:
            start = binascii.a2b_base64(text[: len(text) // 4 * 4])
        except binascii.Error:
            return None
    start = start.removeprefix(b"binf")
    if len(start) < 136 + 8 or any(start[_RESERVED]):
        return None
    _, features, classes, *flags, major, minor, _, estimated = _PARAMETERS.unpack_from(start)
    names = _NAMES.match(start, 136)
    if names is None or classes < 0 or not {*flags, estimated} <= {0, 1} or major > 3:
        return None
    written = f"{major}.{minor}" if major else "before 1.0"
    objective, booster = names[1].decode(), names[2].decode()
    return f"XGBoost's old binary form ({written}), {booster}, {objective}, {features} features"
