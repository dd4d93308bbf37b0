"""ragkit turns folders of documents into answers that a reader can check.

Everything public is listed here by the step that uses it and imported when first touched, so that
`import ragkit` costs a few milliseconds and drags in no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragkit.answer import Answer as Answer
    from ragkit.answer import Citation as Citation
    from ragkit.answer import Claim as Claim
    from ragkit.chat import Chat as Chat
    from ragkit.chatstore import Conversation as Conversation
    from ragkit.chatstore import Turn as Turn
    from ragkit.connectors.builder import Builder as Builder
    from ragkit.connectors.connector import Connector as Connector
    from ragkit.connectors.connector import Item as Item
    from ragkit.connectors.document import Document as Document
    from ragkit.connectors.document import Mark as Mark
    from ragkit.connectors.failure import Failure as Failure
    from ragkit.connectors.folder import Folder as Folder
    from ragkit.connectors.parser import parser as parser
    from ragkit.connectors.place import connector as connector
    from ragkit.connectors.reading import read as read
    from ragkit.connectors.source import Source as Source
    from ragkit.errors import InvalidInput as InvalidInput
    from ragkit.errors import MissingExtra as MissingExtra
    from ragkit.errors import NotFound as NotFound
    from ragkit.errors import RagkitError as RagkitError
    from ragkit.errors import Unreadable as Unreadable
    from ragkit.events import Found as Found
    from ragkit.events import Part as Part
    from ragkit.events import Piece as Piece
    from ragkit.events import Planned as Planned
    from ragkit.events import Retracted as Retracted
    from ragkit.events import Routed as Routed
    from ragkit.guard import Guard as Guard
    from ragkit.guard import Ruling as Ruling
    from ragkit.indexes.chunk import Chunk as Chunk
    from ragkit.indexes.chunk import Chunker as Chunker
    from ragkit.indexes.chunk import Ruler as Ruler
    from ragkit.indexes.embedder import Embedder as Embedder
    from ragkit.indexes.embedder import embedder as embedder
    from ragkit.indexes.hit import Hit as Hit
    from ragkit.indexes.reranker import Reranker as Reranker
    from ragkit.indexes.reranker import reranker as reranker
    from ragkit.indexes.sync import IngestReport as IngestReport
    from ragkit.indexes.sync import Progress as Progress
    from ragkit.model import Message as Message
    from ragkit.model import Model as Model
    from ragkit.model import ModelError as ModelError
    from ragkit.model import Reply as Reply
    from ragkit.model import Request as Request
    from ragkit.model import ToolCall as ToolCall
    from ragkit.model import ToolSpec as ToolSpec
    from ragkit.model import Usage as Usage
    from ragkit.providers import provider as provider
    from ragkit.route import Route as Route
    from ragkit.scripted import ScriptedModel as ScriptedModel
    from ragkit.telemetry import traced as traced
    from ragkit.tools import Tool as Tool
    from ragkit.tools import tool as tool
    from ragkit.workspace import Workspace as Workspace
    from ragkit.workspace import open as open

__version__ = "0.1.0"

_HOME = {
    # the workspace
    "open": "ragkit.workspace",
    "Workspace": "ragkit.workspace",
    "IngestReport": "ragkit.indexes.sync",
    "Progress": "ragkit.indexes.sync",
    "Hit": "ragkit.indexes.hit",
    # asking
    "Answer": "ragkit.answer",
    "Citation": "ragkit.answer",
    "Claim": "ragkit.answer",
    "Planned": "ragkit.events",
    "Routed": "ragkit.events",
    "Found": "ragkit.events",
    "Part": "ragkit.events",
    "Piece": "ragkit.events",
    "Retracted": "ragkit.events",
    "Chat": "ragkit.chat",
    "Turn": "ragkit.chatstore",
    "Conversation": "ragkit.chatstore",
    "Route": "ragkit.route",
    "Tool": "ragkit.tools",
    "tool": "ragkit.tools",
    "traced": "ragkit.telemetry",
    # what may be asked and answered
    "Guard": "ragkit.guard",
    "Ruling": "ragkit.guard",
    # models: what they are asked and say, and your own
    "Message": "ragkit.model",
    "Request": "ragkit.model",
    "Reply": "ragkit.model",
    "Usage": "ragkit.model",
    "ToolSpec": "ragkit.model",
    "ToolCall": "ragkit.model",
    "ModelError": "ragkit.model",
    "Model": "ragkit.model",
    "provider": "ragkit.providers",
    "ScriptedModel": "ragkit.scripted",
    # indexing in a way of your own
    "Chunk": "ragkit.indexes.chunk",
    "Chunker": "ragkit.indexes.chunk",
    "Ruler": "ragkit.indexes.chunk",
    "Embedder": "ragkit.indexes.embedder",
    "embedder": "ragkit.indexes.embedder",
    "Reranker": "ragkit.indexes.reranker",
    "reranker": "ragkit.indexes.reranker",
    # reading documents
    "read": "ragkit.connectors.reading",
    "Folder": "ragkit.connectors.folder",
    "Connector": "ragkit.connectors.connector",
    "Item": "ragkit.connectors.connector",
    "Failure": "ragkit.connectors.failure",
    "Document": "ragkit.connectors.document",
    "Mark": "ragkit.connectors.document",
    # adding a format or a place to read from
    "parser": "ragkit.connectors.parser",
    "connector": "ragkit.connectors.place",
    "Source": "ragkit.connectors.source",
    "Builder": "ragkit.connectors.builder",
    # errors
    "RagkitError": "ragkit.errors",
    "NotFound": "ragkit.errors",
    "InvalidInput": "ragkit.errors",
    "MissingExtra": "ragkit.errors",
    "Unreadable": "ragkit.errors",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'ragkit' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
