"""Builtins and containers: a type alone can be a bomb (``range``), or look up code (``encode``)."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

from mlup_safepickle.budget import Budget
from mlup_safepickle.values import taken_for_array

# Exactly these: a subclass of dict may have methods that the file brought along.
_COLLECTIONS: Final = (list, tuple, set, frozenset, dict, deque)
_NUMBERS: Final = (int, float, bool)
_MOST_ITEMS_OF_RANGE: Final = 2**24
_LONGEST_PATTERN: Final = 1000
_TEMPLATE: Final = 1  # re.TEMPLATE, until Python 3.12
_BEYOND_ASCII: Final = re.compile(r"\\[uUN]")
_IGNORES_CASE: Final = re.compile(r"\(\?[aLmsux]*i")  # said in the pattern itself


def nothing(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """No arguments at all."""
    return "there are arguments" if args or kwargs else None


def collection(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """One collection that is there already: ``set([1, 2])``, not ``set(range(10**9))``."""
    if kwargs or len(args) > 1 or not all(type(each) in _COLLECTIONS for each in args):
        return "it is made of something else than one list, tuple, set or dict"
    for each in args:
        Budget(0).hashed(each, each)
    return None


def mapping(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """A dict, or a list of pairs: what ``OrderedDict`` and ``dict`` are made of."""
    if kwargs or len(args) > 1 or not all(type(each) in (dict, list, tuple) for each in args):
        return "it is made of something else than a dict or a list of pairs"
    for each in args:
        pairs = list(each.items()) if type(each) is dict else each
        if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
            return "it is made of something else than pairs"
        keys = [pair[0] for pair in pairs]
        Budget(0).hashed(keys, each)
        if taken_for_array(keys):
            return "one of its keys has an object taken for an array"
    return None


def default_mapping(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``defaultdict``: a class that makes the default, and perhaps a dict."""
    if args and not (args[0] is None or isinstance(args[0], type)):
        return "the default is not made by a class"
    return mapping(args[1:], kwargs)


def bounded_deque(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``deque``: a list or tuple, and perhaps the longest it may get."""
    if len(args) > 2 or not all(each is None or isinstance(each, int) for each in args[1:]):
        return "its arguments are not a list and a length"
    return collection(args[:1], kwargs)


def bytes_or_bytearray(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Of bytes, of a text and ``latin-1``, or of a list of numbers; never of a length."""
    if kwargs or not args:
        return "there are keyword arguments" if kwargs else None
    if isinstance(args[0], (bytes, bytearray, list, tuple)) and len(args) == 1:
        return None
    return encoded(args, kwargs)


def encoded(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_codecs.encode(text, "latin1")``: how protocols 0 to 2 write bytes. No other codec."""
    if kwargs or len(args) != 2 or type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
        return "it is not a text in Latin-1"
    return None


def numbers(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Numbers alone: ``complex(1.0, 2.0)``."""
    if kwargs or not all(isinstance(each, _NUMBERS) for each in args):
        return "its arguments are not all numbers"
    return None


def bounds(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``slice``: whole numbers, ``None`` or texts."""
    if kwargs or not all(each is None or isinstance(each, (int, float, str)) for each in args):
        return "its bounds are not plain values"
    return None


def short_range(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``range`` with no more items than a list of them would be harmless."""
    if kwargs or not all(type(each) is int for each in args):
        return "its bounds are not whole numbers"
    try:
        count = len(range(*args))
    except (OverflowError, ValueError, TypeError) as error:
        return str(error)
    return f"it has {count} items" if count > _MOST_ITEMS_OF_RANGE else None


def plain_values(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Texts, numbers, bytes and ``None`` alone."""
    for each in (*args, *kwargs.values()):
        if not isinstance(each, (str, bytes, type(None), *_NUMBERS)):
            return f"among its arguments is an object of type {type(each).__name__}"
    return None


def pattern(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``re._compile(pattern, flags)``: a short one, which is neither printed nor takes long to compile."""
    if kwargs or len(args) != 2 or type(args[0]) not in (str, bytes) or type(args[1]) is not int:
        return "it is no pattern"
    if len(args[0]) > _LONGEST_PATTERN or args[1] & (re.DEBUG | _TEMPLATE):
        return "the pattern is longer than any that belongs to a model, or is printed"
    text = args[0].decode("latin-1") if type(args[0]) is bytes else args[0]
    ignores_case = args[1] & re.IGNORECASE or _IGNORES_CASE.search(text)
    if ignores_case and (not text.isascii() or _BEYOND_ASCII.search(text)):
        return "the pattern has ranges beyond ASCII, and upper and lower case in one"
    return None
