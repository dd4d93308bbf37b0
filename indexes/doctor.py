"""The doctor: whether a domain is what it says it is, and what can be done where it is not."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragkit.errors import RagkitError
from ragkit.indexes import repair as repairing
from ragkit.indexes import segment, snapshot
from ragkit.indexes.catalog import FILE, Catalog, told
from ragkit.indexes.domain import as_document, embedder_for
from ragkit.indexes.lock import writing
from ragkit.indexes.snapshot import Broken
from ragkit.indexes.sync import orphans, remove_orphans


@dataclass(frozen=True, slots=True)
class Problem:
    what: str
    """What is wrong, in a sentence."""
    where: str
    repair: str
    """What mends it."""
