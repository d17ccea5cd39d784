"""A model as one ONNX file, with its features, for programs without serctl."""
