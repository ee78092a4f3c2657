"""What engines have words for: their functions, the parts of dates they know, and constructs."""
