"""Identifiers that show by their shape, their check digit or the label in front.

Each file knows one subject and gives a function from a text to findings; `recognizers` makes
Presidio recognizers of them.
"""
