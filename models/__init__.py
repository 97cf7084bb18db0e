"""The recurrent networks of the book's chapter 10, one file per architecture."""
