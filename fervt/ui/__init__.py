"""What pages are made of, one section a file: the only part of the package with Streamlit in it.

A view is reproduced by its address. What the visitor chooses is therefore kept in the address
alone, and is read from there on every run; the session only holds what no address can: the
visitor's own files.
"""
