"""The web: pages, API, streams."""
