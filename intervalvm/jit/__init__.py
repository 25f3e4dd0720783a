"""A program to machine code for the CPU: written, compiled, kept, run on threads."""
