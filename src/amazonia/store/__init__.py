"""Where teams, turns and events are kept: tables, statements, and a database that runs them."""
