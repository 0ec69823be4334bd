"""The voice: a beat performed in words, before the deadline, whatever happens."""
