"""Stores a compiled pipeline in one file, which a cold start maps into memory instead of reading the sources.

container.write_container(…)      writes a compiled pipeline, with the marks of the files that it was made of
find.find_compiled(path, env)    the compiled pipeline where there is a file that fits its sources, or why not

The file holds JSON and bytes with their checksums, nothing that could run. It is a cache: whatever is wrong with it, it
is left aside with a reason, and the sources are read.
"""
