"""What decides a row's value, as a short key: a row whose key is the same need not be measured again."""

import hashlib
import json
from typing import Any

from upbench.bench.adapters import Adapter
from upbench.bench.listing import source_file


def key(*parts: Any) -> str:
    """A digest of plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def source_digest(adapter: Adapter) -> str:
    """A digest of the whole module that an adapter is in, as it is written; empty where there is no source."""
    path = source_file(adapter.module)
    return "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def method_digests(adapters: list[Adapter]) -> dict[str, str]:
    """The digest of each method's module, by the method's name."""
    return {adapter.name: source_digest(adapter) for adapter in adapters}
