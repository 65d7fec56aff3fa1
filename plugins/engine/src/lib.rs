//! Classifiers over tract: an ONNX file in, logits out.
