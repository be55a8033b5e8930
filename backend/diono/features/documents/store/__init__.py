"""Documents in the database: their rows, their pieces, and the claims of those who parse."""
