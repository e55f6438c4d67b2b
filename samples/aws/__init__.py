"""The sample corpus on AWS: its file, and what an account needs for it, made with plain boto3."""
