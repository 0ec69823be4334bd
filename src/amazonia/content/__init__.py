"""From an author's files to a `Case`: reading, checking, teaching the director's ear."""
