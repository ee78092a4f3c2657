"""What a user has decided about a pile, and what has to come of it.

A decision changes what a pile means, at one place and in one way: the pile as decided is what a
project has to return, instead of the pile as it is.
"""
