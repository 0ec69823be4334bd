"""An author's desk: a case as it is being written. For one person, on one machine, never served."""
