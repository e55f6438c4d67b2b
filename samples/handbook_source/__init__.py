"""What the sample handbook is made from: prose under `content`, one module a family of formats.

`samples/make_handbook.py` runs it. Everything named in it is invented.
"""
