"""AWS's wire: HTTP requests to parameters and results to HTTP, as botocore's service models say."""
