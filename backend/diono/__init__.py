"""DionoAutogen AI: a sentence in, working and proven software out."""
