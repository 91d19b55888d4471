"""A shop that lets people sort its reviews: the engine inside a Django service."""
