"""Recognizers by shape, check digit or label: filled into Presidio's registry, or users' own.

Nothing is imported here: a DAG file checks a corpus file's `custom` ones without Presidio.
"""
