"""Patches of labelled micrographs for training, and their augmentation."""

import cv2

# Worker processes are forked: they would wait for ever for OpenCV threads that the fork did not copy.
cv2.setNumThreads(0)
