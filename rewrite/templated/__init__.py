"""Reports that are templates of dbt: read and proved in all branches, shared as macros."""
