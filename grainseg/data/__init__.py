"""Patches of labelled micrographs for training, and their augmentation."""

import cv2

# Worker processes are forked, and would wait forever for OpenCV threads that the fork does not copy.
cv2.setNumThreads(0)
