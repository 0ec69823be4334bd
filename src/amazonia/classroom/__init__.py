"""Use cases of a class: open, join, follow, lead, report."""
