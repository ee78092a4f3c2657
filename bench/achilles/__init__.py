"""OHDSI Achilles: 300 files of T-SQL that its authors copy and paste; does unwet keep their rows?"""
