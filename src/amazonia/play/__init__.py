"""The use cases: what a team can do. Each reads as its sentence."""
