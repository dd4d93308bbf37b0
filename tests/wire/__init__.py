"""A server that speaks as model providers do, on a real socket, and fails as they do."""

from tests.wire.server import WireServer, dead_port
from tests.wire.turn import Seen, Turn

__all__ = ["Seen", "Turn", "WireServer", "dead_port"]
