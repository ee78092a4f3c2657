"""Databases made from the queries alone: what tables they need, of which types, with which rows."""
