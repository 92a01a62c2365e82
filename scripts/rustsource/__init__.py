"""Reads Rust source as far as the scripts beside it need: tokens, functions, modules and what they import."""
