"""Reads YAML files as trees of nodes that know their place; no other package imports a YAML library.

Whatever the input, what comes out is a tree, our own problems, or both. Nothing here knows what a key means.
"""
