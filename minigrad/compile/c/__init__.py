"""The C engine: a program as one C function, compiled on the machine that runs it.

compiler  which C compiler there is, and running it
cache     shared objects, built once and checked before they are loaded
"""
