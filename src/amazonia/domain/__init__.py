"""The rules of the game: pure functions over plain values.

Standard library only. Nothing in this package reads a clock, draws a random number or does
input and output: time and chance arrive as arguments.
"""
