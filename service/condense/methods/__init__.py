"""Methods: the summarisers other than `keypoints`, for comparison."""
