"""Amazonia: an investigation game for school groups."""

__version__ = "0.1.0"
