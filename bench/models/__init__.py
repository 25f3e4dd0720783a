"""Solids of other kinds than the models of the field, by the operations that they are made of."""
