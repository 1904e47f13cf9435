"""What can be named without reading a pixel: kinds of data set, and the degradations. Imports nothing."""

DATASETS = ("auto", "cifar10", "photos", "folder", "array")  # the last two as folder:DIR and array:FILE.npy
SPLITS = ("test", "train")
DEGRADATIONS = ("bicubic", "area", "nearest", "nearest-exact", "gaussian")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm")
