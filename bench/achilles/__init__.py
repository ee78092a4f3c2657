"""OHDSI Achilles: 300 files of copied and pasted T-SQL; does unwet keep their rows?"""
