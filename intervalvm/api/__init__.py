"""All that a user calls. Options are checked here."""
