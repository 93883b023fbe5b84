"""What a person sends in, read and checked for its shape."""
