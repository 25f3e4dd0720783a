"""The public functions; options are checked here."""
