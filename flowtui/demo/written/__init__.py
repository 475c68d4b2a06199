"""Files of kinds that libraries usually write, written by the standard library alone.

They are small and whole, and their bytes follow from their content.

archives.py   ZIP and tar.gz
arrays.py     npz and safetensors
checkpoint.py a checkpoint of PyTorch
onnx_model.py an ONNX model
workbook.py   an Excel workbook
database.py   a SQLite database
"""
