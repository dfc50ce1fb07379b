"""Side-by-side measurements: the same trials by this tool and by what people use otherwise."""
