"""From bytes on disk to a tree of nodes that know their place: the only package that imports a YAML library.

Whatever the input, what comes out is a tree, our own problems, or both. Nothing here knows what a key means.
"""
