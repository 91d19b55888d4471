"""The pages: worker console, account dashboard, operator pages."""
