"""The bundled server: the HTTP API, accounts, pages and the command line."""
