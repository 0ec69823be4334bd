"""A Redis of the tests' own, and a link to it."""

from tests.redis import link, server, shared_server

__all__ = ["link", "server", "shared_server"]
